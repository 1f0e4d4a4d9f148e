"""How far a compilation is, read from what the build tool prints."""

import re
import time
from collections.abc import Callable

_NINJA = re.compile(r"^\s*\[(\d+)/(\d+)\]")
_MAKE = re.compile(r"^\s*\[\s*(\d{1,3})%\]")

# CMake's own trial compilations have fewer steps, and come before the real one.
_FEWEST_STEPS = 10


def fraction(line: str) -> float | None:
    """Return the part that is done, from 0 to 1, if the line tells."""
    if ninja := _NINJA.match(line):
        step, steps = int(ninja[1]), int(ninja[2])
        return min(step / steps, 1) if steps >= _FEWEST_STEPS else None
    if make := _MAKE.match(line):
        return min(int(make[1]) / 100, 1)
    return None


class Meter:
    """Decides when progress is worth a word, and says it.

    Args:
        live: Whether every change is shown, as on a terminal; otherwise one in every
            10 %, or whatever there is after 30 seconds without any.
        clock: The time in seconds.
    """

    PART = 0.1
    PAUSE = 30.0

    def __init__(
        self, *, live: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._live = live
        self._clock = clock
        self._started = self._said_at = clock()
        self._done = 0.0
        self._said = 0.0

    def feed(self, line: str) -> str | None:
        """Take one line of the build's output; return what to show, if anything."""
        done = fraction(line)
        if done is not None:
            self._done = max(self._done, done)
        now = self._clock()
        if not self._due(now):
            return None
        self._said, self._said_at = self._done, now
        return f"{self._done:.0%}, {(now - self._started) / 60:.1f} min"

    def _due(self, now: float) -> bool:
        if self._live:
            return self._done > self._said or now - self._said_at >= 1
        further = self._done - self._said >= self.PART - 1e-9
        finished = self._done >= 1 > self._said
        return further or finished or now - self._said_at >= self.PAUSE
