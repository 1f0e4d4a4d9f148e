"""What a file says of a conversation and of its messages beside their text."""

import re
from datetime import datetime
from typing import Annotated, Any

import msgspec

from llm_ext.core.conversation import Draft, Message, Transcript
from llm_ext.errors import InvalidRequestError

Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Facts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A conversation without its messages."""

    title: str = ""
    model: str | None = None
    system: str = ""
    options: dict[str, Any] = {}


class TurnFacts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message's own fields; its text, and maybe its place, are told elsewhere."""

    role: str
    created: Moment | None = None
    details: dict[str, Any] = {}


def facts(transcript: Transcript) -> Facts:
    """Return what is to be written of a conversation."""
    return Facts(
        title=transcript.title,
        model=transcript.model,
        system=transcript.system,
        options=transcript.options,
    )


def turn_facts(message: Message) -> TurnFacts:
    """Return what is to be written of a message."""
    given = msgspec.to_builtins(message, builtin_types=(datetime,))
    own = set(Draft.__struct_fields__) - {"role", "content"}
    return TurnFacts(
        role=message.role,
        created=message.created,
        details={name: given[name] for name in given if name in own},
    )


def message(
    turn: TurnFacts, content: str, *, number: int, now: datetime, kind: str
) -> Message:
    """Return the message number ``number`` of a file that follows the one before.

    Raises:
        InvalidRequestError: What the file says of it makes no sense; says which it is.
    """
    fields = {
        **turn.details,
        "role": turn.role,
        "content": content,
        "id": str(number),
        "parent": str(number - 1) if number else None,
        "created": turn.created or now,
    }
    try:
        return msgspec.convert(fields, Message)
    except msgspec.ValidationError as error:
        raise unreadable(kind, f"message {number + 1} is wrong: {error}") from error


def transcript(found: Facts, messages: list[Message], *, kind: str) -> Transcript:
    """Return a conversation whose messages follow each other.

    Raises:
        InvalidRequestError: There is no message.
    """
    if not messages:
        raise unreadable(kind, "it holds no message")
    return Transcript(
        title=found.title,
        model=found.model,
        system=found.system,
        options=found.options,
        messages=tuple(messages),
    )


def unreadable(kind: str, why: str) -> InvalidRequestError:
    """Return the error that says why a file of a kind cannot be imported."""
    return InvalidRequestError(
        f"This {kind} cannot be imported as a conversation: {why}. Export one to see "
        f"what it should look like."
    )


def text(data: bytes, *, kind: str) -> str:
    """Return a file's text; InvalidRequestError if it is no UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise unreadable(kind, f"it is no UTF-8 ({error})") from error


_UNSAFE = re.compile(r"[^\w.-]+")


def file_name(transcript: Transcript, suffix: str) -> str:
    """Return a name for the file, made of the title."""
    stem = _UNSAFE.sub("-", transcript.title)[:60].strip("-.")
    return (stem or "conversation") + suffix
