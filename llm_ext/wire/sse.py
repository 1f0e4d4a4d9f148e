"""Server-sent events, as the HTML standard defines the stream."""

MEDIA_TYPE = "text/event-stream"


def event(data: str | bytes, *, name: str | None = None) -> bytes:
    """Return one event; ``data`` must hold no line break (JSON never does)."""
    payload = data.encode() if isinstance(data, str) else data
    head = b"" if name is None else b"event: " + name.encode() + b"\n"
    return head + b"data: " + payload + b"\n\n"


def comment(text: str) -> bytes:
    """Return a comment, which clients skip: it keeps a silent connection open."""
    return b": " + text.replace("\n", " ").encode() + b"\n\n"
