"""Reads server-sent events, as the HTML standard defines the stream."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


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
    """Makes events of lines, for those who read them one by one.

    Comments are skipped; an event without its closing empty line is dropped.
    """

    def __init__(self) -> None:
        self._fields: dict[str, list[str]] = {}

    def take(self, line: str) -> ServerEvent | None:
        """Take a line without its end; return the event that it ends, if any."""
        if line:
            field, _, value = line.partition(":")
            self._fields.setdefault(field, []).append(value.removeprefix(" "))
            return None
        fields, self._fields = self._fields, {}
        if "data" not in fields:
            return None
        return ServerEvent(
            name=fields.get("event", [""])[-1] or "message",
            data="\n".join(fields["data"]),
            id=fields.get("id", [""])[-1],
        )


def server_events(lines: Iterable[str]) -> Iterator[ServerEvent]:
    """Yield the events in ``lines``, which come without their line ends."""
    reader = EventReader()
    for line in lines:
        event = reader.take(line)
        if event is not None:
            yield event
