"""Errors in OpenAI's shape, and the HTTP status of each; mapped once, here."""

import msgspec

from llm_ext.errors import (
    LLMError,
    ModelBusyError,
    ModelError,
    ModelNotFoundError,
    ModelUnreadableError,
    QueueFullError,
    RequestError,
    UnavailableError,
)

RETRY_AFTER = 2
"""Seconds after which a request that may work later should be sent again."""

_STATUS: dict[type[LLMError], tuple[int, str]] = {
    RequestError: (400, "invalid_request_error"),
    ModelNotFoundError: (404, "invalid_request_error"),
    ModelBusyError: (409, "conflict_error"),
    ModelUnreadableError: (422, "model_error"),
    ModelError: (500, "model_error"),
    QueueFullError: (429, "rate_limit_error"),
    UnavailableError: (503, "unavailable_error"),
    LLMError: (500, "server_error"),
}

_HTTP: dict[int, tuple[str, str | None]] = {
    400: ("invalid_request_error", None),
    401: ("authentication_error", "invalid_api_key"),
    403: ("permission_error", "permission_denied"),
    404: ("invalid_request_error", "not_found"),
    405: ("invalid_request_error", "method_not_allowed"),
}


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    """What is inside ``{"error": ...}``."""

    message: str
    type: str
    code: str | None = None
    param: str | None = None


class ErrorReply(msgspec.Struct, frozen=True, kw_only=True):
    """The whole body."""

    error: ErrorBody


def status(error: LLMError) -> int:
    """Return the HTTP status of ``error``."""
    return _lookup(error)[0]


def reply(error: LLMError) -> ErrorReply:
    """Return ``error`` in OpenAI's shape."""
    body = ErrorBody(
        message=str(error),
        type=_lookup(error)[1],
        code=error.code,
        param=error.param,
    )
    return ErrorReply(error=body)


def http_reply(status_code: int, message: str) -> ErrorReply:
    """Return in OpenAI's shape what the web server refused by itself."""
    kind, code = _HTTP.get(status_code, ("server_error", None))
    return ErrorReply(error=ErrorBody(message=message, type=kind, code=code))


def headers(error: LLMError) -> dict[str, str]:
    """Return headers that tell OpenAI's clients whether to send the request again."""
    if not error.retry:
        return {"x-should-retry": "false"}
    return {"Retry-After": str(RETRY_AFTER)}


def _lookup(error: LLMError) -> tuple[int, str]:
    return next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)
