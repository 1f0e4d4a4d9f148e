"""The processes that run downloads, and what they say."""

import asyncio
import logging
import sys
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Protocol

from llm_ext.ipc.child import Child

from .messages import Order, Report, decode_report, encode

COMMAND = (sys.executable, "-m", "llm_ext.downloads")

GRACE = 3.0
"""Seconds that a process has to end by itself before it is killed."""

_DEFAULT_ENVIRONMENT = {
    # Otherwise the hub is told which other packages are installed here.
    "HF_HUB_DISABLE_TELEMETRY": "1",
}
"""Variables of a process that the user's own override."""

_log = logging.getLogger(__name__)


class Launcher(Protocol):
    """Starts processes."""

    def __call__(
        self, *, on_frame: Callable[[bytes], None], on_exit: Callable[[int], None]
    ) -> Child:
        """Start one; see :class:`~llm_ext.ipc.child.Child`."""


class ChildProcess(Child):
    """A process that runs one download."""

    def __init__(
        self,
        *,
        on_frame: Callable[[bytes], None],
        on_exit: Callable[[int], None],
        command: Sequence[str] = COMMAND,
    ) -> None:
        super().__init__(
            command,
            environment=_DEFAULT_ENVIRONMENT,
            on_frame=on_frame,
            on_exit=on_exit,
            on_line=self._note,
        )

    def _note(self, line: str) -> None:
        _log.warning("download process %d: %s", self.pid, line)


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
