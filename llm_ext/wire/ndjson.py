"""JSON documents, one a line: how Ollama's clients read streams."""

from .one_line import one_line

MEDIA_TYPE = "application/x-ndjson"


def line(document: bytes) -> bytes:
    """Return one line; ``document`` must hold no line break (ours never do)."""
    return one_line(document) + b"\n"
