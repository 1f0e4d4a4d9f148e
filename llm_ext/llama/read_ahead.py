"""Reads a model's files once, so that they are in the page cache."""

import threading
from collections.abc import Callable, Sequence
from io import RawIOBase
from pathlib import Path

from llm_ext.errors import ModelUnreadableError

Progress = Callable[[float], None]
"""Called with the fraction that is done, 0 to 1."""

CHUNK = 1024 * 1024
"""Bytes between two calls of the progress function: a second of a very slow disk."""


def _opened(path: Path) -> RawIOBase:
    return path.open("rb", buffering=0)


def read_ahead(
    paths: Sequence[Path],
    progress: Progress,
    *,
    opened: Callable[[Path], RawIOBase] = _opened,
) -> None:
    """Read the files, all of a split model's, one after the other.

    llama.cpp maps a file and calls its own progress function only after the kernel
    has read it: a bar would stand at 0 % and then jump. These bytes can be counted.

    Raises:
        ModelUnreadableError: One of them cannot be read.
    """
    buffer = bytearray(CHUNK)
    done = 0
    path = paths[0]
    try:
        size = 0
        for path in paths:
            size += path.stat().st_size
        for path in paths:
            with opened(path) as file:
                while count := file.readinto(buffer):
                    done += count
                    progress(min(1.0, done / size))
    except OSError as error:
        raise ModelUnreadableError(
            f"The model file {path.name} cannot be read: {error.strerror}."
        ) from error


class Reading:
    """A :func:`read_ahead` in a thread of its own, so that other work goes on."""

    def __init__(self, paths: Sequence[Path], progress: Progress) -> None:
        self._paths = paths
        self._progress = progress
        self._error: ModelUnreadableError | None = None
        self._thread = threading.Thread(target=self._run, name="reading", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Return when everything is read.

        Raises:
            ModelUnreadableError: A file cannot be read.
        """
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            read_ahead(self._paths, self._progress)
        except ModelUnreadableError as error:
            self._error = error
