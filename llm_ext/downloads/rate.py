"""How fast a download is, of late. Pure."""

import math

_MEMORY = 5.0
"""Seconds after which a measurement counts about a third of what it did."""


class Rate:
    """A mean of bytes a second that forgets."""

    def __init__(self) -> None:
        self._last: tuple[float, int] | None = None
        self.value: float | None = None

    def add(self, now: float, done: int) -> None:
        """Take that ``done`` bytes were there at ``now``, in seconds."""
        before, self._last = self._last, (now, done)
        if before is None:
            return
        seconds, count = now - before[0], done - before[1]
        if count < 0:  # begun again
            self.value = None
        elif seconds > 0:
            latest = count / seconds
            weight = 1.0 if self.value is None else 1 - math.exp(-seconds / _MEMORY)
            self.value = (self.value or 0.0) + weight * (latest - (self.value or 0.0))

    def seconds_left(self, total: int) -> float | None:
        """Return how long it takes until ``total`` at this rate; None if for ever."""
        if self._last is None or not self.value or self.value < 1:
            return None
        return max(0, total - self._last[1]) / self.value

    def reset(self) -> None:
        """Forget all: what follows is of another kind."""
        self._last = self.value = None
