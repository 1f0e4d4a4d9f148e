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

TARGET = 18.0
"""Plain decode steps that a step beside a stream may take while it grows: what varies
has to fit in between."""

BEARABLE = 35.0
"""Plain decode steps that people bear it to take, if the prompt gets on by it."""

_WEIGHT = 0.25
"""Of the newest plain step in their average."""

_CHANGE = 1.5
"""The budget grows and shrinks by no more than this factor a step, above a tile."""

_GAIN = 2.0
"""A few elements must be computed so many times faster than a tile, or else they are
not worth the steps that they take."""


class Pace:
    """The budget of steps in which somebody streams.

    Streams wait while a prompt's chunk is computed, and the prompt waits longer the
    smaller its chunks are. How the two compare differs from machine to machine, so the
    budget is a TILE, or larger where that takes no longer than TARGET plain steps. It
    is LEAST where a tile takes longer than is BEARABLE, if LEAST helps. Pure: it is
    told the times.

    Attributes:
        budget: Most elements in the next step beside a stream, with the stream's.
    """

    def __init__(self) -> None:
        self.budget = TILE
        self._plain = 0.0
        self._tile = 0.0  # seconds of the last one that was more than is bearable
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
            self._note_plain(seconds)
        elif self._plain and seconds > 0:
            self._note_mixed(size, seconds)

    def _note_plain(self, seconds: float) -> None:
        weight = _WEIGHT if self._plain else 1.0
        self._plain += weight * (seconds - self._plain)
        self._in_vain = False  # the next prompt is another

    def _note_mixed(self, size: int, seconds: float) -> None:
        steps = seconds / self._plain
        few = self.budget < TILE
        in_vain = few and seconds * _GAIN > self._tile
        if few:
            doubted = in_vain or steps * TILE < BEARABLE * size
        else:
            slow = steps > BEARABLE and self.budget == TILE
            doubted = slow and not self._in_vain
        if doubted and self._doubted:  # twice: once may be a hiccup
            self.budget = TILE if few else LEAST
            self._tile = self._tile if few else seconds
            self._in_vain = in_vain
        elif not (few or doubted) and (size >= self.budget or steps > TARGET):
            # One that computed less than it might says only whether that was much.
            low, high = self.budget / _CHANGE, self.budget * _CHANGE
            wanted = min(high, max(low, size * TARGET / steps))
            self.budget = max(TILE, min(MOST, round(wanted)))
        self._doubted = doubted and not self._doubted
