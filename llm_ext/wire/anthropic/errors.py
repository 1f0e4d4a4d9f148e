"""Errors in Anthropic's shape.

Statuses, and the headers that say whether a retry helps, are those of OpenAI's dialect:
both clients read the same.
"""

from typing import Literal

import msgspec

from llm_ext.errors import ContextLengthError, LLMError
from llm_ext.wire.openai.errors import headers, status

__all__ = ["headers", "http_reply", "reply", "status"]

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    405: "invalid_request_error",
    409: "invalid_request_error",
    412: "invalid_request_error",
    413: "request_too_large",
    422: "invalid_request_error",
    429: "rate_limit_error",
}
_OVERLOADED = "overloaded_error"
_OTHER = "api_error"


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong; ``type`` is one of Anthropic's."""

    type: str
    message: str


class ErrorReply(msgspec.Struct, frozen=True, kw_only=True):
    """The whole body, and the data of an ``error`` event."""

    error: ErrorBody
    type: Literal["error"] = "error"


def reply(error: LLMError) -> ErrorReply:
    """Return ``error`` in Anthropic's shape: the field is told in the message.

    Agents know by a few words that they have to shorten what was said.
    """
    kind = _TYPES.get(status(error), _OVERLOADED if error.retry else _OTHER)
    message = str(error)
    if isinstance(error, ContextLengthError):
        message = f"prompt is too long: {message}"
    elif error.param is not None and error.param not in message:
        message = f"{error.param}: {message}"
    return ErrorReply(error=ErrorBody(type=kind, message=message))


def http_reply(status_code: int, message: str) -> ErrorReply:
    """Return in Anthropic's shape what the web server refused by itself."""
    kind = _TYPES.get(status_code, _OTHER)
    return ErrorReply(error=ErrorBody(type=kind, message=message))
