"""Reads server-sent events, as the HTML standard defines the stream."""

import codecs
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# Not str.splitlines: other ends of lines that Unicode has may stand in the data.
_LINE_END = re.compile("\r\n|\n|\r")


@dataclass(frozen=True, kw_only=True)
class ServerEvent:
    """One event.

    Attributes:
        name: "message" where the server gave none.
        data: Its lines, joined.
        id: Where a later stream can go on from; empty where the server gave none.
    """

    name: str
    data: str
    id: str = ""


class EventReader:
    """Makes events of a stream's bytes, wherever these are cut.

    Comments are skipped; an event without its closing empty line is dropped.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._rest = ""
        self._half_end = False
        self._fields: dict[str, list[str]] = {}

    def take(self, data: bytes) -> Iterator[ServerEvent]:
        """Yield the events that end in ``data``, which follows what was taken."""
        for line in self._lines(self._decoder.decode(data)):
            if line:
                field, _, value = line.partition(":")
                self._fields.setdefault(field, []).append(value.removeprefix(" "))
            else:
                fields, self._fields = self._fields, {}
                if "data" in fields:
                    yield _event(fields)

    def _lines(self, text: str) -> list[str]:
        """Return the lines that end in ``text``, without their ends."""
        if not text:
            return []
        # A CR ends its line at once, also where it turns out to be half of CRLF.
        half_end, self._half_end = self._half_end, text.endswith("\r")
        if half_end:
            text = text.removeprefix("\n")
        *lines, self._rest = _LINE_END.split(self._rest + text)
        return lines


def server_events(chunks: Iterable[bytes]) -> Iterator[ServerEvent]:
    """Yield the events of a stream that comes in ``chunks``."""
    reader = EventReader()
    for chunk in chunks:
        yield from reader.take(chunk)


def _event(fields: dict[str, list[str]]) -> ServerEvent:
    return ServerEvent(
        name=fields.get("event", [""])[-1] or "message",
        data="\n".join(fields["data"]),
        id=fields.get("id", [""])[-1],
    )
