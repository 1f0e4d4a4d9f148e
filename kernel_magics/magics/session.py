"""What the magics of one notebook share."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from IPython.core.error import UsageError

from kernel_magics.client import Client
from kernel_magics.consent import Consent
from kernel_magics.context.failures import Failures
from kernel_magics.context.sources import Notebook
from kernel_magics.conversation import Conversation
from kernel_magics.errors import MagicError, NoModelError
from kernel_magics.render.bundles import markdown_bundle
from kernel_magics.render.output import Output, output

from .options import Options


class Session:
    """One notebook: its shell, its server, its conversation, its last error.

    Args:
        shell: IPython's.
        options: What holds for every question.
        connect: Finds the server, or starts one unless it is told ``private=False``.
    """

    def __init__(
        self,
        shell: Any,  # noqa: ANN401  # IPython's shells share no type for this
        options: Options,
        connect: Callable[..., Client],
    ) -> None:
        self.shell = shell
        self.options = options
        self.conversation = Conversation()
        self.consent = Consent()
        self.failures = Failures()
        self.failures.watch(shell)
        self._connect = connect
        self._client: Client | None = None
        self._looked = False

    @property
    def client(self) -> Client:
        """The client; the server is looked for when it is first needed, or was lost.

        Raises:
            ServerNotFoundError: There is none; lists what was tried.
            PrivateServerError: None could be started.
        """
        if self._client is None or self._client.lost:
            self._client = self._connect()
        return self._client

    @property
    def known_client(self) -> Client | None:
        """The client, if there is a server already; none is started for this."""
        if self._client is None and not self._looked:
            self._looked = True
            with suppress(MagicError):
                self._client = self._connect(private=False)
        return self._client

    @property
    def values(self) -> dict[str, Any]:
        """The notebook's namespace."""
        values: dict[str, Any] = self.shell.user_ns
        return values

    @property
    def own_values(self) -> dict[str, Any]:
        """The namespace without the shell's own functions, such as ``open``."""
        shell = self.shell.user_ns_hidden
        return {
            name: value
            for name, value in self.values.items()
            if name in ("In", "Out")
            or name.startswith("_")
            or name not in shell
            or shell[name] is not value
        }

    @property
    def notebook(self) -> Notebook:
        """What the notebook holds now."""
        return Notebook(
            cells=tuple(self.shell.history_manager.input_hist_raw),
            values=self.values,
            hidden=frozenset(self.shell.user_ns_hidden),
            failure=self.failures.last,
        )

    def value(self, name: str) -> Any:  # noqa: ANN401  # any value of the user's
        """Return the notebook's variable ``name``, or what is in it: ``shapes.Circle``.

        Raises:
            UsageError: There is none.
        """
        first, *rest = name.split(".")
        if first not in self.values:
            raise UsageError(f"This notebook has no variable '{first}'.")
        value = self.values[first]
        for part in rest:
            if not hasattr(value, part):
                raise UsageError(f"'{first}' has no '{part}'.")
            value = getattr(value, part)
        return value

    def model(self, name: str | None = None) -> str:
        """Return the model to ask: the named, the chosen, or the server's default.

        Raises:
            NoModelError: There is no model at all.
        """
        chosen = name or self.options.model
        if chosen:
            return chosen
        default = self.client.models()["default"]
        if default is None:
            raise NoModelError
        return str(default)

    def output(self) -> Output:
        """Return a new place to show something."""
        return output(self.shell, self.options.updates_per_second)

    def show(self, markdown: str, plain: str | None = None) -> None:
        """Show something that does not change."""
        self.output().finish(markdown_bundle(markdown, plain))
