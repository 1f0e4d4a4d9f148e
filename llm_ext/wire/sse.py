"""Server-sent events, as the HTML standard defines the stream."""

from .one_line import one_line

MEDIA_TYPE = "text/event-stream"


def event(
    data: str | bytes, *, name: str | None = None, number: int | None = None
) -> bytes:
    """Return one event; ``data`` must hold no line break (JSON never does).

    ``number`` is its id, which a client that was cut off sends when it comes again.
    """
    payload = one_line(data.encode() if isinstance(data, str) else data)
    head = b"" if number is None else b"id: %d\n" % number
    head += b"" if name is None else b"event: " + name.encode() + b"\n"
    return head + b"data: " + payload + b"\n\n"


def comment(text: str) -> bytes:
    """Return a comment, which clients skip: it keeps a silent connection open."""
    return b": " + text.replace("\n", " ").encode() + b"\n\n"
