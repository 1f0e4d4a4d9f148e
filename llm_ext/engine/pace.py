"""How much a step beside streams may compute, from how long steps have taken."""

MOST = 128
"""Elements a step: full prompt speed on a CPU."""

TILE = 64
"""Elements for which llama.cpp computes attention together on a CPU. With somewhat
fewer it does so one by one: a step takes no less time then, and twice as much where
thousands of elements were read before."""

LEAST = 16
"""So few that a step costs little more than a plain one; with fewer the prompt would
take many times as long and no stream would gain by it."""

BEARABLE = 25.0
"""Plain decode steps that people bear a step beside a stream to take."""

TARGET = 18.0
"""Plain decode steps that it should take: what varies has to fit in between."""

_WEIGHT = 0.25
"""Of the newest plain step in their average."""

_CHANGE = 1.5
"""The budget grows and shrinks by no more than this factor a step."""


class Pace:
    """The budget of steps in which somebody streams.

    Streams wait while a prompt's chunk is computed, and the prompt waits longer the
    smaller its chunks are. How the two compare differs from machine to machine, so the
    budget is led to the size at which a step takes as long as TARGET plain ones, or to
    a whole TILE where that can be borne. Pure: it is told the times.

    Attributes:
        budget: Most elements in the next step beside a stream, with the stream's.
    """

    def __init__(self) -> None:
        self.budget = TILE
        self._plain = 0.0

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
            self._note_plain(seconds)
        elif self._plain and seconds > 0:
            share = TARGET * self._plain / seconds
            # One that computed less than it might says only whether even that was much.
            if size >= self.budget or share < 1:
                low, high = self.budget / _CHANGE, self.budget * _CHANGE
                wanted = min(high, max(low, size * share))
                if TILE * TARGET / BEARABLE < wanted < TILE:
                    wanted = TILE
                self.budget = max(LEAST, min(MOST, round(wanted)))

    def _note_plain(self, seconds: float) -> None:
        weight = _WEIGHT if self._plain else 1.0
        self._plain += weight * (seconds - self._plain)
