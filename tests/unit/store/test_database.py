"""The one SQLite file."""

import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from llm_ext.errors import StoreError
from llm_ext.store.database import Database
from llm_ext.store.migrations import MIGRATIONS

Open = Callable[[Path], Database]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the file will be."""
    return tmp_path / "data" / "llm_ext.sqlite3"


def _write(database: Database, name: str) -> None:
    with database.transaction() as connection:
        connection.execute("INSERT INTO downloads VALUES (?, ?)", (name, b"{}"))


def _names(database: Database) -> list[str]:
    with database.transaction() as connection:
        return [row[0] for row in connection.execute("SELECT id FROM downloads")]


def test_what_is_written_is_there_after_opening_again(
    path: Path, open_database: Open
) -> None:
    """The file is the user's alone, and of the newest version."""
    database = open_database(path)
    _write(database, "a")
    database.close()
    assert _names(database) == ["a"]
    assert path.stat().st_mode & 0o077 == 0
    with database.transaction() as connection:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
    assert version == len(MIGRATIONS)


def test_an_exception_rolls_back(path: Path, open_database: Open) -> None:
    """Nothing of a failed transaction stays."""
    database = open_database(path)
    _write(database, "a")
    with pytest.raises(StoreError, match="UNIQUE"):
        _write(database, "a")
    with pytest.raises(KeyError):
        _write_and_fail(database)
    assert _names(database) == ["a"]


def _write_and_fail(database: Database) -> None:
    with database.transaction() as connection:
        connection.execute("INSERT INTO downloads VALUES ('b', x'00')")
        raise KeyError


def test_a_damaged_file_is_set_aside(path: Path, open_database: Open) -> None:
    """The server starts with an empty one, and the old one is kept."""
    path.parent.mkdir()
    path.write_bytes(b"no database at all, but long enough to look at" * 50)
    database = open_database(path)
    assert _names(database) == []
    assert path.with_suffix(".damaged").exists()


def test_no_damaged_file_takes_the_place_of_another(
    path: Path, open_database: Open
) -> None:
    """Each may hold what somebody looks for."""
    path.parent.mkdir()
    for kind in (b"first", b"second", b"third"):
        path.write_bytes(kind * 500)
        database = open_database(path)
        assert _names(database) == []
        database.close()
    kept = {file.name: file.read_bytes()[:5] for file in path.parent.glob("*.damaged*")}
    assert kept == {
        "llm_ext.damaged": b"first",
        "llm_ext.damaged-2": b"secon",
        "llm_ext.damaged-3": b"third",
    }


def test_a_folder_that_cannot_be_is_an_error_in_words(
    tmp_path: Path, open_database: Open
) -> None:
    """It names the file."""
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / "llm_ext.sqlite3"
    with (
        pytest.raises(StoreError, match=r"llm_ext\.sqlite3"),
        open_database(path).transaction(),
    ):
        pass


def test_two_servers_and_many_threads_share_a_file(
    path: Path, open_database: Open
) -> None:
    """All of them create it at once, and no write is lost."""
    databases = [open_database(path) for _ in range(4)]
    barrier = threading.Barrier(16)

    def write(number: int) -> None:
        barrier.wait()
        for turn in range(5):
            _write(databases[number % 4], f"{number}-{turn}")

    threads = [threading.Thread(target=write, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(_names(databases[0])) == 80


def test_a_newer_file_is_used_as_it_is(path: Path, open_database: Open) -> None:
    """Steps only add, so an older release can read a newer file."""
    open_database(path).close()
    path.parent.mkdir(exist_ok=True)
    _write(open_database(path), "a")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 999")
    assert _names(open_database(path)) == ["a"]
