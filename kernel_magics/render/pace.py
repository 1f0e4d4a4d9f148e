"""How often something that grows is drawn anew."""

import time
from collections.abc import Callable

_LONG = 100_000
"""Characters that take a browser about a second to render."""


class Pace:
    """Says when the next drawing is due.

    Args:
        per_second: At most so many drawings a second, of a short text.
        clock: Seconds of a steady clock.
    """

    def __init__(
        self, per_second: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._pause = 1 / per_second
        self._clock = clock
        self._next = 0.0

    def due(self, length: int = 0) -> bool:
        """Whether to draw now; the more characters there are, the longer the pause."""
        now = self._clock()
        if now < self._next:
            return False
        self._next = now + self._pause + length / _LONG
        return True
