"""The one SQLite file, and how it came to have its tables."""

import itertools
import logging
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from llm_ext.errors import StoreError

from .migrations import MIGRATIONS

BUSY_TIMEOUT = 10.0
"""Seconds to wait while another Jupyter server of the same user writes."""

_log = logging.getLogger(__name__)


class Database:
    """One connection that threads share in turn.

    It is opened when it is first used. A file that is no database, or a damaged one, is
    set aside under another name, and a new one begun: what it holds can be found again,
    and must not keep the server from starting.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Hold the connection; commits in the end, or rolls back on an exception.

        Raises:
            StoreError: The file cannot be read or written.
        """
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = self._open()
                with self._connection:
                    yield self._connection
            except sqlite3.Error as error:
                raise StoreError(self.path, str(error)) from error

    def close(self) -> None:
        """Close the file. Using it again opens it again."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _open(self) -> sqlite3.Connection:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            return _migrated(self.path)
        except OSError as error:
            raise StoreError(self.path, error.strerror or str(error)) from error
        except sqlite3.OperationalError:
            raise  # locked, read-only or no room: the file itself is well
        except sqlite3.DatabaseError as error:
            aside = _free_name(self.path)
            _log.warning("%s is damaged (%s): kept as %s", self.path, error, aside)
            self.path.replace(aside)
            return _migrated(self.path)


def _free_name(path: Path) -> Path:
    """Return a name for a damaged file that no other one was given before."""
    endings = itertools.chain([""], (f"-{number}" for number in itertools.count(2)))
    names = (path.with_suffix(f".damaged{ending}") for ending in endings)
    return next(name for name in names if not name.exists())


def _migrated(path: Path) -> sqlite3.Connection:
    """Open ``path`` and bring it to the newest version, all at once or not at all.

    The default rollback journal is kept: home folders lie on network file systems,
    where the write-ahead log does not work.
    """
    connection = sqlite3.connect(
        path, timeout=BUSY_TIMEOUT, check_same_thread=False, isolation_level="IMMEDIATE"
    )
    try:
        # It may hold prompts and answers.
        path.chmod(0o600)
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version < len(MIGRATIONS):
            connection.execute("BEGIN IMMEDIATE")
            # Another server may have been faster while this one waited.
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            for statements in MIGRATIONS[version:]:
                for statement in statements:
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {max(version, len(MIGRATIONS))}")
            connection.commit()
    except BaseException:
        connection.close()
        raise
    return connection
