"""What can go wrong on the kernel's side.

::

    MagicError
    ├── ServerNotFoundError   no Jupyter server with the extension was found
    ├── SettingError          what says where it is, or how to get in, is of no use
    ├── PrivateServerError    none could be started for this kernel either
    ├── ServerGoneError       it was found, but does not answer (any more)
    ├── RefusedError          it answered with an error
    ├── NoModelError          it has no model that could be asked
    ├── DownloadFailedError   a model could not be fetched
    ├── NoAnswerError         a model wrote nothing where something was needed
    ├── StreamUsedError       an answer that can be read once was read already
    ├── SchemaError           an answer cannot be, or is not, of the wanted type
    └── ToolError             a function cannot be offered to a model
    StoppedError              the user interrupted the cell (a KeyboardInterrupt)

In a notebook each shows as its message alone, without a traceback: it is not the
user's code that failed.
"""

from collections.abc import Mapping, Sequence
from typing import Any


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


class SettingError(MagicError):
    """A token, a cookie or a file that was named cannot be used."""


class PrivateServerError(MagicError):
    """The server that this kernel started for itself does not come up."""

    def __init__(self, problem: str, log: object) -> None:
        super().__init__(
            f"the private server of this kernel {problem}. What it printed is in {log}."
        )


class ServerGoneError(MagicError):
    """The server does not answer."""


class RefusedError(MagicError):
    """The server answered with an error.

    Attributes:
        code: The error's stable name, where it has one.
        status: HTTP's; None where a stream had begun.
    """

    def __init__(
        self, message: str, *, code: str | None = None, status: int | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


class NoModelError(MagicError):
    """The server has no model, and none was named."""

    def __init__(self) -> None:
        super().__init__(
            "there is no model on this server yet. Put a GGUF file into the folder "
            "that the server names when it starts (option LLMExt.model_folders), or "
            "get one with '%llm pull'."
        )


class DownloadFailedError(MagicError):
    """A download has ended without its model."""

    @classmethod
    def of(cls, download: Mapping[str, Any]) -> "DownloadFailedError":
        """Return the error of a download's last state; an empty one is none at all."""
        error = download.get("error") or {}
        state = download.get("state", "not there")
        return cls(error.get("message") or f"the download is {state}.")


class NoAnswerError(MagicError):
    """A model wrote nothing."""


class StreamUsedError(MagicError):
    """A stream was read before."""

    def __init__(self) -> None:
        super().__init__(
            "a stream can be read once, and this one was; call llm.chat again to ask "
            "anew."
        )


class SchemaError(MagicError):
    """A type cannot be described to the server, or an answer is none of that type."""


class ToolError(MagicError):
    """A function of the notebook cannot be offered to a model."""


def in_words(error: Exception) -> str:
    """Return what a widget shows of ``error``; one of no purpose also by its kind."""
    if isinstance(error, MagicError):
        return str(error)
    return f"{type(error).__name__}: {error}"


class StoppedError(_Plain, KeyboardInterrupt):
    """The user interrupted the cell; generation has ended on the server too."""
