"""Starts worker processes, and carries frames between their pipes and the loop."""

import asyncio
import contextlib
import os
import queue
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Protocol, TypeVar

from llm_ext.ipc.channel import ChannelError, read_frame, write_frame

LOG_LINES = 200
"""Lines of a worker's log that are kept."""

DEFAULT_ENVIRONMENT = {
    # llama.cpp's OpenMP threads spin while they wait for each other. On processors
    # that others use too (this server, a kernel), spinning takes the time that the
    # awaited thread needs: a short spin and then sleep is many times faster there.
    "GOMP_SPINCOUNT": "1000",
    # When it aborts, llama.cpp first starts a debugger to print where: that takes a
    # second, if it is allowed at all, and pushes the reason out of the log.
    "GGML_NO_BACKTRACE": "1",
}
"""Variables of a worker that the user's own override."""

_HOME = Path(__file__).parents[2]

_T = TypeVar("_T")


class Worker(Protocol):
    """A running worker process, seen from the loop."""

    @property
    def pid(self) -> int:
        """Its process id."""

    @property
    def log(self) -> list[str]:
        """The last lines that it, or llama.cpp in it, printed."""

    def send(self, frame: bytes) -> None:
        """Queue a frame for it. Never blocks; lost if the process has gone."""

    def close(self) -> None:
        """Close its pipe, upon which it ends."""

    def kill(self) -> None:
        """End it by force."""


class Launcher(Protocol):
    """Starts workers."""

    def __call__(
        self, *, on_frame: Callable[[bytes], None], on_exit: Callable[[int], None]
    ) -> Worker:
        """Start one.

        Both functions are called on the loop: ``on_frame`` for each frame that it
        sends, then ``on_exit`` once, with its exit status (negative: the signal).

        Raises:
            OSError: The system has no more processes, files or memory to give.
        """


class ChildProcess:
    """A child of this process, with one thread for each of its pipes.

    It runs ``module``, by default a worker's.
    """

    def __init__(
        self,
        *,
        on_frame: Callable[[bytes], None],
        on_exit: Callable[[int], None],
        module: str = "llm_ext.worker",
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_frame = on_frame
        self._on_exit = on_exit
        self._outgoing: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._log: deque[str] = deque(maxlen=LOG_LINES)
        # A session of its own: Ctrl-C in the server's terminal is not for the worker.
        self._process = subprocess.Popen(  # noqa: S603  # our own module
            [sys.executable, "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            # "-m" puts the current folder on the module path: never the user's own,
            # where a notebook's neighbour may be called queue.py.
            cwd=_HOME,
            env={**DEFAULT_ENVIRONMENT, **os.environ},
        )
        log = threading.Thread(target=self._drain_log, daemon=True)
        try:
            log.start()
            threading.Thread(target=self._write, daemon=True).start()
            threading.Thread(target=self._read, args=(log,), daemon=True).start()
        except RuntimeError as error:  # the system has no more threads to give
            self.close()
            self.kill()
            with self._process:  # closes its pipes and waits for it
                raise OSError(str(error)) from error

    @property
    def pid(self) -> int:
        """See Worker."""
        return self._process.pid

    @property
    def log(self) -> list[str]:
        """See Worker."""
        return list(self._log)

    def send(self, frame: bytes) -> None:
        """See Worker."""
        self._outgoing.put(frame)

    def close(self) -> None:
        """See Worker."""
        self._outgoing.put(None)

    def kill(self) -> None:
        """See Worker."""
        self._process.kill()

    def _write(self) -> None:
        pipe = _open(self._process.stdin)
        # The worker may have gone; the reading thread tells the loop.
        with contextlib.suppress(OSError), pipe:
            while (frame := self._outgoing.get()) is not None:
                write_frame(pipe, frame)

    def _read(self, log: threading.Thread) -> None:
        pipe = _open(self._process.stdout)
        with pipe, contextlib.suppress(ChannelError):
            while (frame := read_frame(pipe)) is not None:
                self._tell(self._on_frame, frame)
        self.close()
        status = self._process.wait()
        log.join()
        self._tell(self._on_exit, status)

    def _drain_log(self) -> None:
        with _open(self._process.stderr) as pipe:
            for line in pipe:
                self._log.append(line.decode(errors="replace").rstrip())

    def _tell(self, function: Callable[[_T], None], value: _T) -> None:
        # The loop may be closed already when the whole server ends.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function, value)


def _open(pipe: object) -> BinaryIO:
    if pipe is None:
        raise ValueError("the worker was started without this pipe")
    return pipe  # type: ignore[return-value]  # Popen's pipes are binary files
