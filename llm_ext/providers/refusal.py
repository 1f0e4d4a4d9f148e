"""What another server says against a request, in our words: pure."""

import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec

from llm_ext.errors import (
    ContextLengthError,
    LLMError,
    ProviderAccessError,
    ProviderAnswerError,
    ProviderBusyError,
    ProviderFailedError,
    ProviderRefusedError,
    rebuild,
)

MAX_WORDS = 600
"""Characters of the other server's words that are told."""

_TOO_LONG = {ContextLengthError.code, "exceed_context_size_error"}
"""OpenAI's code and llama-server's type for a prompt that does not fit."""

_BUSY = {408, 429, 503, 529}
_ACCESS = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}
_SPACES = re.compile(r"[\s\x00-\x1f\x7f]+")


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """What a server says.

    Attributes:
        words: In its own words, without secrets.
        code: Its name for that, where it has one.
    """

    words: str
    code: str = ""


def read(body: object, *, secret: str) -> Refusal:
    """Return what a body says: OpenAI's shape, or one of those that are around."""
    error: Any = body
    if isinstance(body, Mapping):
        error = body.get("error") or body.get("detail") or body.get("message") or ""
    if isinstance(error, Mapping):
        code = error.get("code") or error.get("type")
        told = error.get("message") or error.get("detail") or ""
        return Refusal(words=_clean(told, secret), code=str(code or ""))
    return Refusal(words=_clean(error, secret))


def of_status(
    provider: str, status: int, body: bytes, headers: Mapping[str, str], *, secret: str
) -> LLMError:
    """Return the error that a reply with this status is."""
    if status in _ACCESS:
        why = f"it does not take this server's credential (status {status})"
        if not secret:
            why = f"it wants a credential, and is given none (status {status})"
        return ProviderAccessError(provider, why)
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return ProviderAnswerError(provider, f"it leads elsewhere (status {status})")
    said = read(_decoded(body), secret=secret)
    if said.code in _TOO_LONG:
        return too_long(provider, said)
    if status in _BUSY:
        return ProviderBusyError(
            provider, status=status, words=said.words, retry_after=_later(headers)
        )
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ProviderFailedError(provider, status=status, words=said.words)
    return ProviderRefusedError(provider, status=status, words=said.words)


def in_answer(provider: str, body: Mapping[str, Any], *, secret: str) -> LLMError:
    """Return the error that came in the place of a part of an answer."""
    said = read(body, secret=secret)
    if said.code in _TOO_LONG:
        return too_long(provider, said)
    return ProviderFailedError(provider, status=None, words=said.words)


def too_long(provider: str, said: Refusal) -> LLMError:
    """Return the error that clients know by its code: they send less then."""
    message = f"The prompt is too long for the provider {provider!r}: {said.words}"
    return rebuild(ContextLengthError.code, message, param="messages")


def _decoded(body: bytes) -> object:
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):
        text = body.decode(errors="replace")
        return "" if text.lstrip().startswith("<") else text  # a page is no sentence


def _clean(told: object, secret: str) -> str:
    """Return words that may be told: short, in one line, without the secret."""
    text = told if isinstance(told, str) else msgspec.json.encode(told).decode()
    if secret:
        text = text.replace(secret, "***")
    text = _SPACES.sub(" ", text).strip()
    return text if len(text) <= MAX_WORDS else f"{text[:MAX_WORDS]}..."


def _later(headers: Mapping[str, str]) -> float | None:
    text = headers.get("Retry-After", "")
    return float(text) if text.isdecimal() else None
