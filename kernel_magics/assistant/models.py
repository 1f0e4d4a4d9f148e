"""The list of models, as a program and a reader want it."""

from typing import Any


class Models(list[dict[str, Any]]):
    """Models with their states, as the server describes them; a table in a notebook.

    Attributes:
        default: The id of the model that is asked where none is named; None without
            models.
        remote: Models of other servers, which can be asked and nothing else.
    """

    def __init__(self, reply: dict[str, Any]) -> None:
        super().__init__(reply["models"])
        self.default: str | None = reply["default"]
        self.remote: list[dict[str, Any]] = reply.get("remote", [])

    @property
    def names(self) -> list[str]:
        """The ids, those of other servers' models last."""
        return [str(model["id"]) for model in (*self, *self.remote)]

    def _repr_markdown_(self) -> str:
        from kernel_magics.render.tables import model_table  # noqa: PLC0415  # IPython

        return model_table(
            {"models": list(self), "remote": self.remote, "default": self.default}
        )

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ANN401, FBT001  # IPython's signature
        del cycle
        lines = [f"{model['id']}: {model['state']}" for model in self]
        lines += [f"{model['id']}: remote" for model in self.remote]
        printer.text("\n".join(lines))
