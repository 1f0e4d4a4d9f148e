"""Starts the processes that run downloads, and carries what they say to the loop."""

import asyncio
import contextlib
import logging
import os
import subprocess
import sys
import threading
from collections.abc import AsyncGenerator, Callable, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol, TypeVar

from llm_ext.ipc.channel import ChannelError, read_frame, write_frame

from .messages import Order, Report, decode_report, encode

COMMAND = (sys.executable, "-m", "llm_ext.downloads")

GRACE = 3.0
"""Seconds that a process has to end by itself before it is killed."""

_DEFAULT_ENVIRONMENT = {
    # Otherwise the hub is told which other packages are installed here.
    "HF_HUB_DISABLE_TELEMETRY": "1",
}
"""Variables of a process that the user's own override."""

_HOME = Path(__file__).parents[2]

_log = logging.getLogger(__name__)

_T = TypeVar("_T")


class Child(Protocol):
    """A process that runs one download, seen from the loop."""

    @property
    def pid(self) -> int:
        """Its process id."""

    def send(self, frame: bytes) -> None:
        """Send a short frame. Lost if the process has gone."""

    def close(self) -> None:
        """Close its pipe, upon which it ends."""

    def kill(self) -> None:
        """End it by force."""


class Launcher(Protocol):
    """Starts processes."""

    def __call__(
        self, *, on_frame: Callable[[bytes], None], on_exit: Callable[[int], None]
    ) -> Child:
        """Start one.

        Both functions are called on the loop: ``on_frame`` for each frame that it
        sends, then ``on_exit`` once, with its exit status (negative: the signal).
        """


class ChildProcess:
    """A child of this process, with one thread for each pipe that it writes to."""

    def __init__(
        self,
        *,
        on_frame: Callable[[bytes], None],
        on_exit: Callable[[int], None],
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_frame = on_frame
        self._on_exit = on_exit
        # A session of its own: Ctrl-C in the server's terminal is not for it.
        self._process = subprocess.Popen(  # noqa: S603  # our own module
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            # "-m" puts the current folder on the module path: never the user's own,
            # where a notebook's neighbour may be called queue.py.
            cwd=_HOME,
            env={**_DEFAULT_ENVIRONMENT, **os.environ},
        )
        log = threading.Thread(target=self._drain_log, daemon=True)
        log.start()
        threading.Thread(target=self._read, args=(log,), daemon=True).start()

    @property
    def pid(self) -> int:
        """See Child."""
        return self._process.pid

    def send(self, frame: bytes) -> None:
        """See Child. The few frames there are fit into the pipe: it never blocks."""
        # The process may have gone; the reading thread tells the loop.
        with contextlib.suppress(OSError, ValueError):
            write_frame(_open(self._process.stdin), frame)

    def close(self) -> None:
        """See Child."""
        with contextlib.suppress(OSError):
            _open(self._process.stdin).close()

    def kill(self) -> None:
        """See Child."""
        self._process.kill()

    def _read(self, log: threading.Thread) -> None:
        with _open(self._process.stdout) as pipe, contextlib.suppress(ChannelError):
            while (frame := read_frame(pipe)) is not None:
                self._tell(self._on_frame, frame)
        status = self._process.wait()
        log.join()
        self._tell(self._on_exit, status)

    def _drain_log(self) -> None:
        with _open(self._process.stderr) as pipe:
            for line in pipe:
                text = line.decode(errors="replace").rstrip()
                _log.warning("download process %d: %s", self.pid, text)

    def _tell(self, function: Callable[[_T], None], value: _T) -> None:
        # The loop may be closed already when the whole server ends.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function, value)


class Run:
    """One process from its first order to its end."""

    def __init__(self, launch: Launcher) -> None:
        self._frames: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._status: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._child = launch(on_frame=self._frames.put_nowait, on_exit=self._exited)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._child.pid

    @property
    def status(self) -> int | None:
        """Its exit status; None while it runs."""
        return self._status.result() if self._status.done() else None

    def send(self, order: Order) -> None:
        """Give the process an order."""
        self._child.send(encode(order))

    async def reports(self, *, silence: float) -> AsyncGenerator[Report | None, None]:
        """Yield what it says, up to its end; None after ``silence`` seconds without."""
        while True:
            try:
                frame = await asyncio.wait_for(self._frames.get(), silence)
            except asyncio.TimeoutError:
                yield None
                continue
            if frame is None:
                return
            yield decode_report(frame)

    async def end(self) -> None:
        """Make the process end, and return when it has."""
        self._child.close()
        done, _ = await asyncio.wait({self._status}, timeout=GRACE)
        if not done:
            self._child.kill()
            await asyncio.wait({self._status})

    def _exited(self, status: int) -> None:
        self._status.set_result(status)
        self._frames.put_nowait(None)


def _open(pipe: object) -> BinaryIO:
    if pipe is None:
        raise ValueError("the process was started without this pipe")
    return pipe  # type: ignore[return-value]  # Popen's pipes are binary files
