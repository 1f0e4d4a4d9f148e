"""How events are read from a stream."""

import pytest

from kernel_magics.stream import EventReader, ServerEvent, server_events

STREAM = """\
: comment

event: status
data: {}

data:one
data: two
id: 5

data: cut"""

EVENTS = [
    ServerEvent(name="status", data="{}"),
    ServerEvent(name="message", data="one\ntwo", id="5"),
]


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize("size", [1, 2, 1000])
def test_lines_end_in_three_ways(end: str, size: int) -> None:
    """And a stream may be cut anywhere, also within an end."""
    data = STREAM.replace("\n", end).encode()
    chunks = [data[at : at + size] for at in range(0, len(data), size)]
    assert list(server_events(chunks)) == EVENTS


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\u0085", "\u000b", "é😀"])
def test_nothing_else_ends_a_line(character: str) -> None:
    """What Unicode takes for the end of a line is part of the data."""
    data = f"data: a{character}b\n\n".encode()
    (event,) = server_events(bytes([byte]) for byte in data)
    assert event.data == f"a{character}b"


def test_an_event_is_there_with_the_first_byte_that_ends_it() -> None:
    """A CR is the end of a line already, without what may follow it."""
    reader = EventReader()
    assert [event.data for event in reader.take(b"data: a\r\r")] == ["a"]
    assert list(reader.take(b"\n")) == []
    assert [event.data for event in reader.take(b"data: b\r\n\r\n")] == ["b"]


def test_a_mark_of_the_byte_order_is_skipped() -> None:
    """As the standard says, at the beginning of a stream."""
    (event,) = server_events([b"\xef\xbb\xbfdata: a\n\n"])
    assert event.data == "a"
