"""How soon a worker that died is started again: pure."""

MAX_DEATHS = 3
"""Deaths in a row after which a model is left alone until somebody loads it by name."""

_DELAYS = (0.0, 1.0, 5.0)
"""Seconds to wait after the first death, the second, and so on."""


class Restarts:
    """Counts the deaths of one model's workers since one of them answered a request."""

    def __init__(self) -> None:
        self.deaths = 0
        self._not_before = 0.0

    @property
    def given_up(self) -> bool:
        """Whether it died so often that requests no longer start it."""
        return self.deaths >= MAX_DEATHS

    def died(self, now: float) -> None:
        """Note a death at ``now``, in seconds of any steady clock."""
        self.deaths += 1
        delay = _DELAYS[min(self.deaths, len(_DELAYS)) - 1]
        self._not_before = now + delay

    def forget(self) -> None:
        """Begin anew: it worked, or somebody wants it tried again."""
        self.deaths = 0
        self._not_before = 0.0

    def delay(self, now: float) -> float:
        """Return the seconds to wait before it may start again."""
        return max(0.0, self._not_before - now)
