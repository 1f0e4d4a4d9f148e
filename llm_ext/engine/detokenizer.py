"""Bytes of tokens to text, as it comes."""

import codecs


class Detokenizer:
    """Joins pieces whose UTF-8 characters may be split across tokens.

    Bytes that can never become a character turn into U+FFFD.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def feed(self, piece: bytes) -> str:
        """Return the text that is complete after ``piece``; may be empty."""
        return self._decoder.decode(piece)

    def finish(self) -> str:
        """Return what is left: U+FFFD for an incomplete character, else nothing."""
        return self._decoder.decode(b"", final=True)
