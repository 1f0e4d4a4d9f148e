"""A conversation as JSON Lines (https://jsonlines.org): nothing is left out.

The first line is an object of what is known of the conversation, marked by
``"conversation": 1``; each other line is a message as the routes show it, after the one
that it follows. All branches are there.
"""

from datetime import datetime
from typing import Any

import msgspec

from llm_ext.core.conversation import Message, Transcript

from .facts import Facts, Moment, facts, text, unreadable

KIND = "JSON Lines file"
VERSION = 1


class _First(Facts, frozen=True, kw_only=True, omit_defaults=True):
    """The first line; ``conversation`` is the version of this format."""

    conversation: int
    head: str | None = None


class _Line(msgspec.Struct, kw_only=True):
    """What a line must have to be a message; the rest is read with it."""

    id: str | None = None
    parent: str | msgspec.UnsetType | None = msgspec.UNSET
    created: Moment | None = None


_first_decoder = msgspec.json.Decoder(_First)
_line_decoder = msgspec.json.Decoder(dict[str, Any])


def write(transcript: Transcript) -> bytes:
    """Return a conversation as a file."""
    first = _First(
        conversation=VERSION,
        head=transcript.head,
        **msgspec.structs.asdict(facts(transcript)),
    )
    return msgspec.json.Encoder().encode_lines([first, *transcript.messages])


def read(data: bytes, now: datetime) -> Transcript:
    """Return the conversation that a file holds.

    The first line may be missing, and messages may lack all but ``role`` and
    ``content``: they follow each other then, and are of ``now``.

    Raises:
        InvalidRequestError: It is no such file; names the line.
    """
    lines = [line for line in text(data, kind=KIND).split("\n") if line.strip()]
    if not lines:
        raise unreadable(KIND, "it is empty")
    found = _first(lines[0])
    messages: dict[str, Message] = {}
    last: str | None = None
    for number, line in enumerate(lines[found is not None :]):
        message = _message(line, number, last, now)
        last = message.id
        if last in messages:
            raise unreadable(KIND, f"two messages have the id {last!r}")
        if message.parent is not None and message.parent not in messages:
            raise unreadable(KIND, f"message {last!r} comes before what it follows")
        messages[last] = message
    if not messages:
        raise unreadable(KIND, "it holds no message")
    about = found or _First(conversation=VERSION)
    if about.head is not None and about.head not in messages:
        raise unreadable(KIND, f"there is no message {about.head!r}, its head")
    return Transcript(
        title=about.title,
        model=about.model,
        system=about.system,
        options=about.options,
        messages=tuple(messages.values()),
        head=about.head,
    )


def _first(line: str) -> _First | None:
    """Return what the first line says of the conversation, if it does."""
    try:
        return _first_decoder.decode(line)
    except msgspec.DecodeError:
        return None


def _message(line: str, number: int, last: str | None, now: datetime) -> Message:
    try:
        given = _line_decoder.decode(line)
        own = msgspec.convert(given, _Line)
        parent = last if own.parent is msgspec.UNSET else own.parent
        place = {
            "id": own.id or f"message {number + 1}",
            "parent": parent,
            "created": own.created or now,
        }
        return msgspec.convert({"content": "", **given, **place}, Message)
    except msgspec.DecodeError as error:
        raise unreadable(KIND, f"message {number + 1} is wrong: {error}") from error
