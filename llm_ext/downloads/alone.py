"""Keeps two servers of one user, who share the downloads' folders, apart."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from llm_ext.errors import DownloadElsewhereError


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the lock of a download's folder, which is made if it is not there.

    Raises:
        DownloadElsewhereError: Another process holds it.
    """
    # A server seldom needs it, and its start would wait for the import.
    from filelock import FileLock, Timeout  # noqa: PLC0415  # see above

    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "lock")
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise DownloadElsewhereError from error
    with lock:
        yield
