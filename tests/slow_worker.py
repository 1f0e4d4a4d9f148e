"""A worker whose disk is slow: ``python -m tests.slow_worker``.

It reads a little at a time and then takes a break, so that everybody can see how far it
is. Where ``SLOW_WORKER_STUCK`` is set it stands still for ever at the middle.
"""

import os
import threading
import time
from io import FileIO
from pathlib import Path

from llm_ext.llama import read_ahead
from llm_ext.worker.__main__ import main

STUCK = "SLOW_WORKER_STUCK"
PIECES = 50
BREAK = 0.01
"""Seconds; a file takes half a second, as a large one takes minutes."""


class SlowFile(FileIO):
    """A file on such a disk."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._size = path.stat().st_size

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]  # the one type it is called with
        """Read the next piece."""
        time.sleep(BREAK)
        if STUCK in os.environ and self.tell() >= self._size // 2:
            threading.Event().wait()
        piece = max(1, self._size // PIECES)
        return super().readinto(memoryview(buffer)[:piece])


if __name__ == "__main__":
    read_ahead.read_ahead.__kwdefaults__ = {"opened": SlowFile}
    main()
