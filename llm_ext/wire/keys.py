"""``keys``: what clients send and get."""

from datetime import datetime, timedelta
from typing import Annotated

import msgspec

from llm_ext.core.api_key import ApiKey, KeyTerms
from llm_ext.core.duration import seconds
from llm_ext.errors import InvalidRequestError

from .openai.body import decode

MAX_LIFE = timedelta(days=3650)
"""Longest life that a key can be given; without an end it has none."""

_Count = Annotated[int, msgspec.Meta(ge=0)]


class KeysReply(msgspec.Struct, frozen=True, kw_only=True):
    """A list of keys."""

    keys: list[ApiKey]


class NewKey(ApiKey, frozen=True, kw_only=True):
    """A key that was just made; ``key`` is the secret, shown this once."""

    key: str


class _Create(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    models: tuple[str, ...] | None = None
    requests_per_minute: _Count | None = None
    tokens_per_minute: _Count | None = None
    expires: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    expires_in: float | str | None = None


_decoder = msgspec.json.Decoder(_Create)


def parse_create(data: bytes, now: datetime) -> KeyTerms:
    """Return the terms of a key to make.

    ``expires`` is a time, ``expires_in`` seconds or a duration such as "90s" or "24h".
    A misspelled field must not make a key that can do more than was meant, so that
    unknown ones are refused.

    Raises:
        InvalidRequestError: A field is wrong or unknown; names it.
    """
    body = decode(_decoder, data)
    if not body.name.strip():
        raise InvalidRequestError("A key needs a name.", param="name")
    if body.models is not None and not body.models:
        raise InvalidRequestError(
            "A key for no model opens nothing. Leave 'models' out for all of them.",
            param="models",
        )
    return KeyTerms(
        name=body.name,
        models=body.models,
        requests_per_minute=body.requests_per_minute or 0,
        tokens_per_minute=body.tokens_per_minute or 0,
        expires=_end(body, now),
    )


def reply(key: ApiKey, secret: str) -> NewKey:
    """Return a key that was just made, with its secret."""
    return NewKey(**msgspec.structs.asdict(key), key=secret)


def _end(body: _Create, now: datetime) -> datetime | None:
    if body.expires is not None and body.expires_in is not None:
        raise InvalidRequestError(
            "Only one of 'expires' and 'expires_in' can be used.", param="expires_in"
        )
    end = body.expires
    if body.expires_in is not None:
        lasts = seconds(body.expires_in, param="expires_in")
        end = now + min(timedelta(seconds=max(0.0, min(lasts, 1e9))), MAX_LIFE)
    if end is not None and end <= now:
        raise InvalidRequestError("A key must end in the future.", param="expires")
    return end
