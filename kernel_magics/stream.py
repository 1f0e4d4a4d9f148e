"""Reads server-sent events, as the HTML standard defines the stream."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ServerEvent:
    """One event; ``name`` is "message" where the server gave none."""

    name: str
    data: str


def server_events(lines: Iterable[str]) -> Iterator[ServerEvent]:
    """Yield the events in ``lines``, which come without their line ends.

    Comments are skipped; an event without its closing empty line is dropped.
    """
    name, data = "", list[str]()
    for line in lines:
        if not line:
            if data:
                yield ServerEvent(name=name or "message", data="\n".join(data))
            name, data = "", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "event":
            name = value
        elif field == "data":
            data.append(value)
