"""What the person at the terminal sees: steps, their time, and one clear error."""

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TextIO

ROOT = Path(__file__).resolve().parent.parent
LOGS = ROOT / "build" / "logs"

_TAIL = 30
_CLEAR_LINE = "\r\x1b[K"
_COLUMNS = 79


class Problem(Exception):  # noqa: N818  # the person reads it as "problem", not "error"
    """What stops the work, in words that say what to do next."""


class Step:
    """One line about what is being done, completed by the time that it took.

    On a terminal a note replaces the line's end; elsewhere it is a line of its own.
    """

    def __init__(
        self,
        title: str,
        *,
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.title = title
        self._stream = sys.stdout if stream is None else stream
        self._clock = clock
        self._started = clock()
        self._noted = False

    @property
    def live(self) -> bool:
        """Whether a note can replace the one before."""
        return self._stream.isatty()

    @property
    def elapsed(self) -> float:
        """Seconds since the step began."""
        return self._clock() - self._started

    def note(self, text: str) -> None:
        """Say how far the step is."""
        if self.live:
            line = f"{self.title} ... {text}"
            self._write(_CLEAR_LINE + line[:_COLUMNS])
        else:
            self._write(f"{'' if self._noted else chr(10)}  {text}\n")
        self._noted = True

    def __enter__(self) -> "Step":  # noqa: PYI034  # typing.Self needs 3.11
        self._write(f"{self.title} ... ")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        word = "" if kind is None else "stopped after "
        if self.live:
            self._write(_CLEAR_LINE + f"{self.title} ... ")
        elif self._noted:
            self._write("  " if word else "  done in ")
        self._write(f"{word}{duration(self.elapsed)}\n")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def duration(seconds: float) -> str:
    """Return a time as a person says it: ``3.2 s`` or ``6 min 10 s``."""
    minute = 60
    if seconds < minute:
        return f"{seconds:.1f} s"
    return f"{int(seconds) // minute} min {int(seconds) % minute} s"


def run(
    command: Sequence[str | Path],
    *,
    log: str,
    environ: Mapping[str, str],
    watch: Callable[[str], None] | None = None,
) -> None:
    """Run a command in the repository's root; what it prints goes to a log file.

    Args:
        command: The program and its arguments.
        log: The log's name; the file is ``build/logs/<log>.log``.
        environ: The command's environment variables.
        watch: Called with each line that the command prints, and with an empty text
            in each second without one.

    Raises:
        Problem: The command failed; the message ends with its last lines.
    """
    LOGS.mkdir(parents=True, exist_ok=True)
    path = LOGS / f"{log}.log"
    tail: deque[str] = deque(maxlen=_TAIL)
    with (
        path.open("w", encoding="utf-8") as file,
        subprocess.Popen(
            [str(part) for part in command],
            cwd=ROOT,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            start_new_session=True,
        ) as process,
        _whole_group(process),
    ):
        for line in _lines(process.stdout or ()):
            if line:
                file.write(line)
                tail.append(line.rstrip())
            if watch is not None:
                watch(line)
    if process.returncode:
        last = "\n".join(f"  {line}" for line in tail)
        raise Problem(
            f"This command failed:\n  {' '.join(map(str, command))}\n"
            f"Its last lines are:\n{last}\n"
            f"All of them are in {path.relative_to(ROOT)}."
        )


@contextmanager
def _whole_group(process: subprocess.Popen[str]) -> Iterator[None]:
    """End a process with all that it started, if the work on it is broken off.

    pip does not end the compilers that it has started.
    """
    try:
        yield
    except BaseException:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        raise


def _lines(stream: Iterable[str]) -> Iterator[str]:
    """Give a stream's lines, and an empty text in each second without one."""
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()

    def read() -> None:
        for line in stream:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            line = lines.get(timeout=1)
        except queue.Empty:
            yield ""
            continue
        if line is None:
            return
        yield line


def latest(step: Step) -> Callable[[str], None]:
    """Return a watcher that shows a command's latest line on a terminal."""

    def watch(line: str) -> None:
        if step.live and line.strip():
            step.note(line.strip())

    return watch
