"""JSON that every client takes for one line."""

_BREAKS = (
    ("\N{LINE SEPARATOR}".encode(), rb"\u2028"),
    ("\N{PARAGRAPH SEPARATOR}".encode(), rb"\u2029"),
    ("\N{NEXT LINE}".encode(), rb"\u0085"),
)
"""What JSON may hold as it is, and Python's clients take for the end of a line."""


def one_line(document: bytes) -> bytes:
    """Return the same JSON without such characters."""
    if document.isascii():
        return document
    for raw, escaped in _BREAKS:
        document = document.replace(raw, escaped)
    return document
