"""What can go wrong on the kernel's side.

::

    MagicError
    ├── ServerNotFoundError   no Jupyter server with the extension was found
    ├── ServerGoneError       it was found, but does not answer (any more)
    └── RefusedError          it answered with an error
    StoppedError              the user interrupted the cell (a KeyboardInterrupt)

In a notebook each shows as its message alone, without a traceback: it is not the
user's code that failed.
"""

from collections.abc import Sequence


class _Plain:
    """An exception that IPython shows without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__.removesuffix('Error')}: {self}"]


class MagicError(_Plain, Exception):
    """Base of what is raised on purpose."""


class ServerNotFoundError(MagicError):
    """No server was found; the message lists what was tried."""

    def __init__(self, tried: Sequence[str]) -> None:
        steps = "\n".join(f"  {number}. {step}" for number, step in enumerate(tried, 1))
        super().__init__(
            "no Jupyter server with jupyter-llm-ext was found. Tried, in this order:\n"
            f"{steps}\n"
            "Start this notebook from a Jupyter server in whose environment "
            "jupyter-llm-ext is installed ('jupyter server extension list' shows it), "
            "or set LLM_EXT_URL (ending in /llm/) and LLM_EXT_TOKEN_FILE."
        )


class ServerGoneError(MagicError):
    """The server does not answer."""


class RefusedError(MagicError):
    """The server answered with an error; ``code`` is its stable name."""

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


class StoppedError(_Plain, KeyboardInterrupt):
    """The user interrupted the cell; generation has ended on the server too."""
