"""Every error that this project raises on purpose.

::

    LLMError
    ├── RequestError               the request cannot be served as it was sent
    │   ├── InvalidRequestError      invalid_request
    │   ├── ModelNotFoundError       model_not_found
    │   ├── ModelBusyError           model_busy
    │   ├── ContextLengthError       context_length_exceeded
    │   ├── InputLengthError         input_too_long
    │   ├── NotSupportedError        not_supported
    │   └── ChatTemplateError        chat_template_error
    ├── ModelError                 the model cannot be served as it is
    │   ├── ModelUnreadableError     model_unreadable
    │   └── ModelLoadError           model_load_failed
    └── UnavailableError           not now: the same request may work later
        ├── QueueFullError           queue_full
        ├── WorkerDiedError          worker_died
        ├── ModelUnloadedError       model_unloaded
        └── EngineError              engine_error

A class owns its message (what happened, why, what to do) and a stable ``code``. The
worker and the server exchange errors as ``(code, message, param)``;
:func:`rebuild` makes the error again on the other side. HTTP statuses are no concern
of this file: each dialect maps them once.
"""

from collections.abc import Sequence
from typing import ClassVar


class LLMError(Exception):
    """Base of all. ``str(error)`` is one clear sentence or two for a person.

    Attributes:
        code: Stable, machine-readable name of the class.
        retry: Whether the same request may succeed later.
        param: The request's field that is at fault, where there is one.
    """

    code: ClassVar[str] = "error"
    retry: ClassVar[bool] = False

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


class RequestError(LLMError):
    """The request cannot be served as it was sent."""

    code = "invalid_request"


class InvalidRequestError(RequestError):
    """A field is missing, of a wrong type or out of range."""


class ModelNotFoundError(RequestError):
    """No model has this name; another is never served in its place."""

    code = "model_not_found"

    def __init__(self, name: str, *, near: Sequence[str] = ()) -> None:
        hint = f" Did you mean {' or '.join(repr(n) for n in near)}?" if near else ""
        super().__init__(f"There is no model {name!r} here.{hint}", param="model")


class ModelBusyError(RequestError):
    """An unload was asked for while requests run."""

    code = "model_busy"

    def __init__(self, name: str, *, requests: int) -> None:
        what = "1 request is" if requests == 1 else f"{requests} requests are"
        super().__init__(
            f"{what} running on model {name!r}. Wait until they end, or unload it "
            f"with force, which ends them."
        )


class ContextLengthError(RequestError):
    """The prompt does not fit into the context that the model was loaded with."""

    code = "context_length_exceeded"

    def __init__(self, *, prompt_tokens: int, context_length: int) -> None:
        super().__init__(
            f"The prompt has {prompt_tokens} tokens, but this model was loaded with a "
            f"context of {context_length} tokens, answer included. Shorten the "
            f"messages, or load the model with a longer context.",
            param="messages",
        )


class InputLengthError(RequestError):
    """A text to embed, or a pair to score, is longer than what can be read at once."""

    code = "input_too_long"

    def __init__(self, number: int, *, tokens: int, limit: int, trained: int) -> None:
        remedy = "Shorten it, or split it into parts"
        if limit < trained:
            remedy += (
                f", or load the model with a longer context: it was trained to read "
                f"{trained} tokens"
            )
        super().__init__(
            f"Input {number} (counted from 0) has {tokens} tokens, but this model "
            f"reads at most {limit} here. {remedy}.",
            param="input",
        )


class NotSupportedError(RequestError):
    """The model is not made for what is asked of it, such as to embed or to rank."""

    code = "not_supported"


class ChatTemplateError(RequestError):
    """The model's chat template is missing or refuses these messages."""

    code = "chat_template_error"


class ModelError(LLMError):
    """The model cannot be served as it is."""


class ModelUnreadableError(ModelError):
    """The file is not a GGUF file, or a damaged one."""

    code = "model_unreadable"


class ModelLoadError(ModelError):
    """llama.cpp refused to load the file."""

    code = "model_load_failed"


class UnavailableError(LLMError):
    """Not now: the same request may work later."""

    code = "unavailable"
    retry = True


class QueueFullError(UnavailableError):
    """Too many requests wait for this model."""

    code = "queue_full"

    def __init__(self, name: str, *, waiting: int) -> None:
        super().__init__(
            f"{waiting} requests already wait for model {name!r}. Try again shortly."
        )


class WorkerDiedError(UnavailableError):
    """The process that held the model ended unexpectedly."""

    code = "worker_died"


class ModelUnloadedError(UnavailableError):
    """The model was unloaded while the request ran or waited."""

    code = "model_unloaded"

    def __init__(self, name: str) -> None:
        super().__init__(f"Model {name!r} was unloaded before the request ended.")


class EngineError(UnavailableError):
    """llama.cpp failed while it computed this request's batch."""

    code = "engine_error"


def _family(root: type[LLMError]) -> dict[str, type[LLMError]]:
    found: dict[str, type[LLMError]] = {}
    for child in root.__subclasses__():
        found.update(_family(child))
        found[child.code] = child
    return found


def rebuild(code: str, message: str, *, param: str | None = None) -> LLMError:
    """Return the error of the class that owns ``code``, with its finished message."""
    kind = _BY_CODE.get(code, LLMError)
    error = kind.__new__(kind)
    LLMError.__init__(error, message, param=param)
    return error


_BY_CODE = _family(LLMError) | {InvalidRequestError.code: InvalidRequestError}
