"""Which kinds of files there are, and how each is asked for."""

from collections.abc import Callable
from datetime import datetime, timezone

import msgspec

from llm_ext.core.conversation import Transcript
from llm_ext.errors import InvalidRequestError
from llm_ext.wire.chat_call import check_options
from llm_ext.wire.openai.body import check_integers

from . import json_lines, markdown, notebook
from .facts import unreadable


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of file.

    Attributes:
        media_type: What it is sent as.
        also: Media types that it is accepted as too.
        suffix: What its name ends with.
        write: Makes a file of a conversation.
        read: Makes a conversation of a file; the time is for messages that have none.
    """

    media_type: str
    suffix: str
    write: Callable[[Transcript], bytes]
    read: Callable[[bytes, datetime], Transcript]
    also: tuple[str, ...] = ()


FORMATS: dict[str, Format] = {
    "markdown": Format(
        media_type="text/markdown",
        also=("text/x-markdown", "text/plain"),
        suffix=".md",
        write=markdown.write,
        read=markdown.read,
    ),
    "notebook": Format(
        media_type="application/x-ipynb+json",
        also=("application/json",),
        suffix=".ipynb",
        write=notebook.write,
        read=notebook.read,
    ),
    "jsonl": Format(
        media_type="application/jsonl",
        also=("application/x-ndjson", "application/x-jsonlines", "text/jsonl"),
        suffix=".jsonl",
        write=json_lines.write,
        read=json_lines.read,
    ),
}


def read(kind: Format, data: bytes, now: datetime) -> Transcript:
    """Return the conversation that a file of a kind holds.

    Raises:
        InvalidRequestError: It is no such file, or holds what no conversation can have;
            says why.
    """
    try:
        found = kind.read(data, now)
        check_integers(found)
        check_options(found.options)
    except RecursionError:
        raise unreadable("file", "it is nested too deep") from None
    for message in found.messages:
        _check_time(message.created)
    return found


def _check_time(moment: datetime) -> None:
    try:
        moment.astimezone(timezone.utc)
    except OverflowError:
        raise unreadable("file", f"{moment} is no time of a message") from None


def named(name: str) -> Format:
    """Return the format with a name; InvalidRequestError lists those there are."""
    try:
        return FORMATS[name]
    except KeyError:
        raise InvalidRequestError(
            f"{name!r} is no format of a conversation; those are {', '.join(FORMATS)}.",
            param="format",
        ) from None


def of_media_type(header: str) -> Format:
    """Return the format that a ``Content-Type`` header names.

    Raises:
        InvalidRequestError: It names none; lists those there are.
    """
    media_type = header.partition(";")[0].strip().lower()
    for kind in FORMATS.values():
        if media_type == kind.media_type or media_type in kind.also:
            return kind
    known = ", ".join(kind.media_type for kind in FORMATS.values())
    raise InvalidRequestError(
        f"Content-Type {media_type!r} is no format of a conversation; those are "
        f"{known}. Say so by the header, or by ?format=.",
        param="Content-Type",
    )
