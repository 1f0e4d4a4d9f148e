"""Reads the beginning of a file piece by piece, never beyond what is asked of it."""

import struct
from typing import BinaryIO, TypeAlias

Number: TypeAlias = int | float | bool

MAX_KEPT = 16 * 1024 * 1024
"""Bytes of all that is made into objects."""

MAX_TEXTS = 4 * 1024 * 1024
"""Strings that are passed over; a vocabulary of 256,000 tokens has 0.9 million."""

_CHUNK = 1024 * 1024
_LENGTH = struct.Struct("<Q")


class CutError(Exception):
    """The file ends before what its header announces, or announces nonsense."""


class Cursor:
    """A position in a file, and everything before it in memory.

    The file is read, not mapped: one that another program shortens meanwhile would
    kill this process.
    """

    def __init__(self, file: BinaryIO, *, limit: int) -> None:
        """Begin at the start of ``file``; ``limit`` bytes are the most it reads."""
        self.data = bytearray()
        self.position = 0
        self._file = file
        self._limit = limit
        self._kept = 0
        self._texts = 0

    def keep(self, size: int) -> None:
        """Count ``size`` bytes of what will be kept as objects.

        Raises:
            CutError: It is more than :data:`MAX_KEPT` now, which no model needs.
        """
        self._kept += size
        if self._kept > MAX_KEPT:
            raise CutError

    def unpack(self, layout: struct.Struct) -> tuple[Number, ...]:
        """Return the next values, laid out so.

        Raises:
            CutError: The file ends before.
        """
        start = self.position
        self.skip(layout.size)
        return layout.unpack_from(self.data, start)

    def count(self) -> int:
        """Return the next 64-bit number.

        Raises:
            CutError: The file ends before.
        """
        start = self.position
        self.skip(_LENGTH.size)
        number: int = _LENGTH.unpack_from(self.data, start)[0]
        return number

    def text(self, *, longest: int) -> str:
        """Return the next string; bytes that are no UTF-8 become replacement marks.

        Raises:
            CutError: The file ends before, or the string is longer than ``longest``.
        """
        length = self.count()
        if length > longest:
            raise CutError
        self.keep(length)
        start = self.position
        self.skip(length)
        return self.data[start : self.position].decode("utf-8", "replace")

    def skip(self, size: int) -> None:
        """Go on by ``size`` bytes.

        Raises:
            CutError: The file ends before.
        """
        end = self.position + size
        if end > len(self.data):
            self._load(end)
        self.position = end

    def skip_texts(self, count: int) -> None:
        """Go on by ``count`` strings, of which only the lengths are looked at.

        Raises:
            CutError: The file ends before, or there are more than :data:`MAX_TEXTS`.
        """
        self._texts += count
        if self._texts > MAX_TEXTS:
            raise CutError
        data, position, loaded = self.data, self.position, len(self.data)
        length_at, width = _LENGTH.unpack_from, _LENGTH.size
        for _ in range(count):
            if position + width > loaded:
                self._load(position + width)
                loaded = len(data)
            position += width + length_at(data, position)[0]
        self.skip(position - self.position)

    def _load(self, end: int) -> None:
        """Have at least the file's first ``end`` bytes in memory."""
        if end > self._limit:
            raise CutError
        while len(self.data) < end:
            piece = self._file.read(max(_CHUNK, end - len(self.data)))
            if not piece:
                raise CutError
            self.data += piece
