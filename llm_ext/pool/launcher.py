"""Starts worker processes."""

import sys
from collections import deque
from collections.abc import Callable
from typing import Protocol

from llm_ext.ipc.child import Child

LOG_LINES = 200
"""Lines of a worker's log that are kept."""

DEFAULT_ENVIRONMENT = {
    # llama.cpp's OpenMP threads spin while they wait for each other. On processors
    # that others use too (this server, a kernel), spinning takes the time that the
    # awaited thread needs: a short spin and then sleep is many times faster there.
    "GOMP_SPINCOUNT": "2000",
    # When it aborts, llama.cpp first starts a debugger to print where: that takes a
    # second, if it is allowed at all, and pushes the reason out of the log.
    "GGML_NO_BACKTRACE": "1",
}
"""Variables of a worker that the user's own override."""


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


class ChildProcess(Child):
    """A worker's process; it runs ``module``, by default a worker's."""

    def __init__(
        self,
        *,
        on_frame: Callable[[bytes], None],
        on_exit: Callable[[int], None],
        module: str = "llm_ext.worker",
    ) -> None:
        self._log: deque[str] = deque(maxlen=LOG_LINES)
        super().__init__(
            (sys.executable, "-m", module),
            environment=DEFAULT_ENVIRONMENT,
            on_frame=on_frame,
            on_exit=on_exit,
            on_line=self._log.append,
        )

    @property
    def log(self) -> list[str]:
        """See Worker."""
        return list(self._log)
