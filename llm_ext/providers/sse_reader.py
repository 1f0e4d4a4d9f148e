"""Server-sent events, as they come from another server: pure.

Lines are split at line breaks only. Other characters that Python takes for the end of
a line may stand in JSON.
"""

from typing import NamedTuple

MAX_LINE = 32 * 1024 * 1024
"""Bytes that a line may have; no honest server sends a longer one."""


class SentEvent(NamedTuple):
    """What was sent: an event's data, or a comment."""

    data: bytes
    comment: bool = False


class SSEReader:
    """Puts events together from parts of a stream."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._data: list[bytes] = []

    def feed(self, part: bytes) -> list[SentEvent]:
        """Return the events that are complete with ``part``.

        Raises:
            ValueError: A line is too long.
        """
        found: list[SentEvent] = []
        self._rest += part
        if b"\n" in part:
            *lines, rest = self._rest.split(b"\n")
            self._rest = rest
            for line in lines:
                found += self._line(bytes(line.removesuffix(b"\r")))
        if len(self._rest) > MAX_LINE:
            raise ValueError(f"a line has more than {MAX_LINE:,} bytes")
        return found

    def end(self) -> list[SentEvent]:
        """Return what was begun last: some servers do not finish their last line."""
        return [*self.feed(b"\n"), *self._line(b"")]

    def _line(self, line: bytes) -> list[SentEvent]:
        if line.startswith(b":"):
            return [SentEvent(line[1:].strip(), comment=True)]
        if line.startswith(b"data:"):
            self._data.append(line[5:].removeprefix(b" "))
            return []
        if line or not self._data:
            return []  # an event's name or id: its data says what it is
        data, self._data = b"\n".join(self._data), []
        return [SentEvent(data)]
