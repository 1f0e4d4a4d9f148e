"""What has arrived of one file."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO
from pathlib import Path

from llm_ext.errors import ChecksumError

from .disk import check_room
from .hub_file import Hash, HubFile

LOOK = 64 << 20
"""Bytes after which it is seen whether the disk still has room."""

ROOM = 64 << 20
"""Bytes that others are left with, whatever was free at the start."""


class PartFile:
    """A file that grows, and its hash while that costs no extra reading.

    Whatever is written is there after a kill: nothing is kept in memory.
    """

    def __init__(self, raw: FileIO, path: Path, file: HubFile) -> None:
        self._raw = raw
        self._path = path
        self._file = file
        self._unseen = 0
        self.size = raw.seek(0, 2)
        if self.size > file.size:
            self.size = raw.truncate(0)
        self.hash: Hash | None = None if self.size else file.new_hash()

    @property
    def is_complete(self) -> bool:
        """Whether as many bytes are here as there are."""
        return self.size == self._file.size

    def write(self, chunk: bytes) -> None:
        """Append.

        Raises:
            ChecksumError: More arrives than the file has. All of it is deleted.
            DiskFullError: There is hardly any room left.
            OSError: The disk's own.
        """
        if self.size + len(chunk) > self._file.size:
            self.restart()
            raise ChecksumError(self._file.path)
        rest = memoryview(chunk)
        while rest:
            written = self._raw.write(rest)
            # What is written counts, even if the next write fails.
            self.size += written
            if self.hash is not None:
                self.hash.update(rest[:written])
            rest = rest[written:]
        self._unseen += len(chunk)
        if self._unseen >= LOOK:
            self._unseen = 0
            check_room(self._path.parent, ROOM)

    def restart(self) -> None:
        """Forget what is here."""
        self._raw.seek(0)
        self.size = self._raw.truncate(0)
        self.hash = self._file.new_hash()


@contextmanager
def opened(path: Path, file: HubFile) -> Iterator[PartFile]:
    """Open the partial file of ``file``, which may not exist yet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab", buffering=0) as raw:
        yield PartFile(raw, path, file)
