"""Tells the server how far a download is."""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from .hub_file import HubFile
from .messages import Progress, Stage

PERIOD = 0.25
"""Seconds between two reports."""


class Meter:
    """Counts the bytes of all files, and reports their sum."""

    def __init__(
        self, files: Iterable[HubFile], send: Callable[[Progress], None]
    ) -> None:
        self._done = dict.fromkeys((file.path for file in files), 0)
        self._send = send
        self._stage: Stage = "downloading"
        self._told: Progress | None = None
        self._lock = threading.Lock()

    def stage(self, stage: Stage, *, anew: Iterable[HubFile] = ()) -> None:
        """Tell that ``stage`` begins, and that ``anew`` begin anew."""
        with self._lock:
            self._stage = stage
            self._done.update((file.path, 0) for file in anew)
        self.tell()

    def set(self, file: HubFile, size: int) -> None:
        """Take that ``size`` bytes of ``file`` are done."""
        self._done[file.path] = size

    def tell(self) -> None:
        """Report, if there is anything new."""
        with self._lock:
            now = Progress(stage=self._stage, done=sum(self._done.values()))
            if now != self._told:
                self._told = now
                self._send(now)


@contextmanager
def metering(
    files: Iterable[HubFile], send: Callable[[Progress], None]
) -> Iterator[Meter]:
    """Have a meter report now and then.

    A thread of its own does: what came last before a connection stands still must be
    told, too.
    """
    meter, end = Meter(files, send), threading.Event()

    def run() -> None:
        while not end.wait(PERIOD):
            meter.tell()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield meter
    finally:
        end.set()
        thread.join()
        meter.tell()
