"""Files of the store, closed when the test has ended."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from llm_ext.store.database import Database


@pytest.fixture
def open_database() -> Iterator[Callable[[Path], Database]]:
    """Open a file; as many as are asked for."""
    opened: list[Database] = []

    def open_one(path: Path) -> Database:
        opened.append(Database(path))
        return opened[-1]

    yield open_one
    for database in opened:
        database.close()
