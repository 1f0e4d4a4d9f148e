"""Errors in Ollama's shape, and the HTTP status of each."""

import msgspec

from llm_ext.errors import LLMError, ModelError, ModelNotFoundError, QueueFullError
from llm_ext.wire.openai import errors as common

_STATUS: dict[type[LLMError], int] = {QueueFullError: 503, ModelError: 500}
"""Where Ollama's differs."""


class ErrorReply(msgspec.Struct, frozen=True, kw_only=True):
    """The whole body, and the line that ends a stream."""

    error: str


def status(error: LLMError) -> int:
    """Return the HTTP status of ``error``."""
    own = (code for kind, code in _STATUS.items() if isinstance(error, kind))
    return next(own, common.status(error))


def reply(error: LLMError) -> ErrorReply:
    """Return ``error`` in Ollama's shape; clients know a few of its words."""
    if isinstance(error, ModelNotFoundError):
        return ErrorReply(error=f"model not found, try pulling it first: {error}")
    if isinstance(error, QueueFullError):
        return ErrorReply(error=f"server busy, please try again: {error}")
    return ErrorReply(error=str(error))


def http_reply(status_code: int, message: str) -> ErrorReply:  # noqa: ARG001  # see ErrorShape
    """Return in Ollama's shape what the web server refused by itself."""
    return ErrorReply(error=message)


def headers(error: LLMError) -> dict[str, str]:
    """Return the header that tells when to send the request again, if ever."""
    return common.headers(error) if error.retry else {}
