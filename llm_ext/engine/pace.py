"""How much a step beside streams may compute, from how long steps have taken."""

MOST = 128
"""Elements a step: full prompt speed on a CPU."""

TILE = 64
"""Elements for which llama.cpp computes attention together on a CPU. With somewhat
fewer it does so one by one: a step takes no less time then, and twice as much where
thousands of elements were read before."""

LEAST = 16
"""So few that a step costs little more than a plain one; with fewer the prompt would
take many times as long and no stream would gain by it. What lies between this and a
tile is worse than either."""

BEARABLE = 25.0
"""Plain decode steps that people bear a step beside a stream to take."""

TOLERABLE = 35.0
"""Plain decode steps that they bear where a prompt would take far longer otherwise."""

_MARGIN = 0.7
"""The part of what is bearable that a larger step is expected to take: times vary."""

_GAIN = 2.0
"""A few elements must be computed so many times faster than a tile, or else they are
not worth the steps that they take."""

_WEIGHT = 0.25
"""Of the newest plain step in their average."""


class Pace:
    """The budget of steps in which somebody streams.

    Streams wait while a prompt's chunk is computed, and the prompt waits longer the
    smaller its chunks are. How the two compare differs from machine to machine, and as
    a prompt gets long. So the budget is a TILE; MOST where that is bearable; LEAST
    where a tile is not tolerable, and LEAST helps. Pure: it is told the times.

    Attributes:
        budget: Most elements in the next step beside a stream, with the stream's.
    """

    def __init__(self) -> None:
        self.budget = TILE
        self._plain = 0.0
        self._tile = 0.0  # seconds of the last one that was not tolerable
        self._in_vain = False  # whether LEAST was seen to help too little
        self._doubted = False  # whether the last step spoke against the budget

    def prompts(self, *, streams: int, left: int, burst: bool) -> int:
        """Return how much of prompts the next step may compute.

        Beside ``streams`` elements, while ``left`` are left of all prompts. Where these
        fill no tile, a few at a time take no longer in all. Those of a ``burst`` are
        read at full speed: see the scheduler.
        """
        if self.budget >= TILE > streams + left:
            return LEAST
        budget = MOST if burst else self.budget
        return max(LEAST, budget - streams)

    def note(self, *, size: int, prompt: int, seconds: float) -> None:
        """Learn from a step beside a stream.

        It computed ``size`` elements, of which ``prompt`` were of prompts.
        """
        if not prompt:
            weight = _WEIGHT if self._plain else 1.0
            self._plain += weight * (seconds - self._plain)
            self._in_vain = False  # the next prompt is another
        elif self._plain and seconds > 0:
            doubted = self._is_wrong(size, seconds)
            if doubted and self._doubted:  # once may be a hiccup
                self._change(seconds)
            self._doubted = doubted and not self._doubted

    def _is_wrong(self, size: int, seconds: float) -> bool:
        """Whether a step speaks for another budget."""
        steps = seconds / self._plain
        if self.budget == MOST:
            return steps > BEARABLE
        if self.budget == TILE:
            return self._is_quick(size, steps) or (
                steps > TOLERABLE and not self._in_vain
            )
        return seconds * _GAIN > self._tile or steps * TILE < TOLERABLE * size

    def _is_quick(self, size: int, steps: float) -> bool:
        """Whether a tile is so quick that more would be bearable, too."""
        return size >= TILE and steps * MOST / TILE < BEARABLE * _MARGIN

    def _change(self, seconds: float) -> None:
        """Take another budget, after a step that took so long."""
        if self.budget != TILE:
            self._in_vain = self.budget < TILE and seconds * _GAIN > self._tile
            self.budget = TILE
        elif seconds / self._plain > TOLERABLE:
            self._tile = seconds
            self.budget = LEAST
        else:
            self.budget = MOST
