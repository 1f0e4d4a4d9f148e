"""What loads take, as llama.cpp said, for as long as the file stays the same."""

from pathlib import Path

import msgspec

from llm_ext.core.device import MemoryEstimate

from .database import Database

_decoder = msgspec.msgpack.Decoder(MemoryEstimate)


class Estimates:
    """The table of them. Blocks on the disk."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, path: Path, circumstances: bytes) -> MemoryEstimate | None:
        """Return what was found out under the same circumstances, if anything was.

        Raises:
            StoreError: The database cannot be read.
            OSError: The model's file cannot be looked at.
        """
        stat = path.stat()
        with self._database.transaction() as connection:
            row = connection.execute(
                "SELECT estimate FROM memory_estimates WHERE path = ? AND size = ? "
                "AND modified = ? AND options = ?",
                (str(path), stat.st_size, stat.st_mtime_ns, circumstances),
            ).fetchone()
        if row is None:
            return None
        try:
            return _decoder.decode(row[0])
        except msgspec.DecodeError:
            return None  # another release's

    def keep(self, path: Path, circumstances: bytes, estimate: MemoryEstimate) -> None:
        """Remember an estimate, and forget those of an older file.

        Raises:
            StoreError: The database cannot be written.
            OSError: The model's file cannot be looked at.
        """
        stat = path.stat()
        with self._database.transaction() as connection:
            connection.execute(
                "DELETE FROM memory_estimates WHERE path = ? AND NOT "
                "(size = ? AND modified = ?)",
                (str(path), stat.st_size, stat.st_mtime_ns),
            )
            connection.execute(
                "INSERT OR REPLACE INTO memory_estimates "
                "(path, size, modified, options, estimate) VALUES (?, ?, ?, ?, ?)",
                (
                    str(path),
                    stat.st_size,
                    stat.st_mtime_ns,
                    circumstances,
                    msgspec.msgpack.encode(estimate),
                ),
            )
