"""Which model a call is about, as Ollama's clients write it."""

import msgspec

from llm_ext.errors import InvalidRequestError

_LATEST = ":latest"


class NamedBody(msgspec.Struct, kw_only=True):
    """A body that names a model; ``name`` is what old clients write for ``model``."""

    model: str = ""
    name: str = ""

    @property
    def wanted(self) -> str:
        """The model, as the client wrote it.

        Raises:
            InvalidRequestError: None is named.
        """
        wanted = self.model or self.name
        if not wanted:
            raise InvalidRequestError("Say which model is meant.", param="model")
        return wanted


def without_latest(name: str) -> str | None:
    """Return a name without the tag that clients append; None if it has none."""
    plain = name.removesuffix(_LATEST)
    return plain if plain not in ("", name) else None
