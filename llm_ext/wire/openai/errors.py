"""Errors in OpenAI's shape, and the HTTP status of each; mapped once, here."""

import math

import msgspec

from llm_ext.errors import (
    BodyTooLargeError,
    ConversationBusyError,
    ConversationChangedError,
    ConversationNotFoundError,
    DownloadElsewhereError,
    DownloadError,
    DownloadNotFoundError,
    DownloadStateError,
    InsufficientMemoryError,
    KeyNotFoundError,
    KeyRefusedError,
    LLMError,
    MessageNotFoundError,
    ModelBusyError,
    ModelError,
    ModelNotAllowedError,
    ModelNotFoundError,
    ModelNotLoadedError,
    ModelUnreadableError,
    OfflineError,
    PromptExistsError,
    PromptNotFoundError,
    ProviderBusyError,
    ProviderError,
    ProviderNotFoundError,
    ProviderOfflineError,
    ProviderTimeoutError,
    QueueFullError,
    RateLimitedError,
    RepositoryNotAllowedError,
    RequestError,
    ResponseNotFoundError,
    StreamNotFoundError,
    StreamTakenError,
    UnavailableError,
    WorkerNotFoundError,
)

RETRY_AFTER = 2
"""Seconds after which a request that may work later should be sent again, where
nothing better is known."""

MAX_RETRY_AFTER = 60
"""Seconds; OpenAI's clients take no longer ones."""

_STATUS: dict[type[LLMError], tuple[int, str]] = {
    RequestError: (400, "invalid_request_error"),
    ModelNotFoundError: (404, "invalid_request_error"),
    WorkerNotFoundError: (404, "invalid_request_error"),
    ConversationNotFoundError: (404, "invalid_request_error"),
    MessageNotFoundError: (404, "invalid_request_error"),
    PromptNotFoundError: (404, "invalid_request_error"),
    KeyNotFoundError: (404, "invalid_request_error"),
    StreamNotFoundError: (404, "invalid_request_error"),
    ResponseNotFoundError: (404, "invalid_request_error"),
    ProviderNotFoundError: (404, "invalid_request_error"),
    KeyRefusedError: (401, "authentication_error"),
    ModelNotAllowedError: (403, "permission_error"),
    DownloadNotFoundError: (404, "invalid_request_error"),
    RepositoryNotAllowedError: (403, "permission_error"),
    ModelBusyError: (409, "conflict_error"),
    ModelNotLoadedError: (409, "conflict_error"),
    DownloadStateError: (409, "conflict_error"),
    ConversationBusyError: (409, "conflict_error"),
    PromptExistsError: (409, "conflict_error"),
    StreamTakenError: (409, "conflict_error"),
    ConversationChangedError: (412, "conflict_error"),
    BodyTooLargeError: (413, "invalid_request_error"),
    OfflineError: (403, "permission_error"),
    DownloadError: (502, "download_error"),
    DownloadElsewhereError: (409, "conflict_error"),
    ProviderError: (502, "provider_error"),
    ProviderOfflineError: (403, "permission_error"),
    ProviderBusyError: (503, "provider_error"),
    ProviderTimeoutError: (504, "provider_error"),
    ModelUnreadableError: (422, "model_error"),
    ModelError: (500, "model_error"),
    InsufficientMemoryError: (503, "model_error"),
    QueueFullError: (429, "rate_limit_error"),
    RateLimitedError: (429, "rate_limit_error"),
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
    seconds = RETRY_AFTER if error.retry_after is None else error.retry_after
    return {"Retry-After": str(max(1, math.ceil(min(seconds, MAX_RETRY_AFTER))))}


def _lookup(error: LLMError) -> tuple[int, str]:
    return next(_STATUS[kind] for kind in type(error).__mro__ if kind in _STATUS)
