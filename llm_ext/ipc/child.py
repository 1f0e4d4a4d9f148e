"""A process of ours beside this one, whose frames come and go on the event loop."""

import asyncio
import contextlib
import os
import queue
import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import BinaryIO, TypeVar

from .channel import ChannelError, read_frame, write_frame

_HOME = Path(__file__).parents[2]

_T = TypeVar("_T")


class Child:
    """A child of this process, with one thread for each of its pipes."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        on_frame: Callable[[bytes], None],
        on_exit: Callable[[int], None],
        on_line: Callable[[str], None],
    ) -> None:
        """Start it.

        Args:
            command: What to run.
            environment: Variables that the user's own override.
            on_frame: Called on the loop for each frame that it sends.
            on_exit: Called on the loop once, with its exit status (negative: the
                signal), after its last frame and its last line.
            on_line: Called on a thread of its own for each line that it prints where
                errors are told.

        Raises:
            OSError: The system has no more processes, files, threads or memory to give.
        """
        self._loop = asyncio.get_running_loop()
        self._on_frame = on_frame
        self._on_exit = on_exit
        self._on_line = on_line
        self._outgoing: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
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
            env={**environment, **os.environ},
        )
        lines = threading.Thread(target=self._read_lines, daemon=True)
        try:
            lines.start()
            threading.Thread(target=self._write, daemon=True).start()
            threading.Thread(target=self._read, args=(lines,), daemon=True).start()
        except RuntimeError as error:  # the system has no more threads to give
            self.close()
            self.kill()
            with self._process:  # closes its pipes and waits for it
                raise OSError(str(error)) from error

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def send(self, frame: bytes) -> None:
        """Queue a frame for it. Never blocks; lost if the process has gone."""
        self._outgoing.put(frame)

    def close(self) -> None:
        """Close its pipe, upon which it ends."""
        self._outgoing.put(None)

    def kill(self) -> None:
        """End it by force."""
        self._process.kill()

    def _write(self) -> None:
        pipe = _open(self._process.stdin)
        # The process may have gone; the reading thread tells the loop.
        with contextlib.suppress(OSError), pipe:
            while (frame := self._outgoing.get()) is not None:
                write_frame(pipe, frame)

    def _read(self, lines: threading.Thread) -> None:
        with _open(self._process.stdout) as pipe, contextlib.suppress(ChannelError):
            while (frame := read_frame(pipe)) is not None:
                self._tell(self._on_frame, frame)
        self.close()
        status = self._process.wait()
        lines.join()
        self._tell(self._on_exit, status)

    def _read_lines(self) -> None:
        with _open(self._process.stderr) as pipe:
            for line in pipe:
                self._on_line(line.decode(errors="replace").rstrip())

    def _tell(self, function: Callable[[_T], None], value: _T) -> None:
        # The loop may be closed already when the whole server ends.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function, value)


def _open(pipe: object) -> BinaryIO:
    if pipe is None:
        raise ValueError("the process was started without this pipe")
    return pipe  # type: ignore[return-value]  # Popen's pipes are binary files
