"""How much of prompts a step may compute, from how long steps have taken."""

MOST = 128
"""Prompt elements a step: full prompt speed on a CPU."""

FIRST = 56
"""Prompt elements beside a stream, before anything was measured."""

LEAST = 16
"""So few that a step costs little more than a plain one; with fewer the prompt would
take many times as long and no stream would gain by it."""

TARGET = 18.0
"""Plain decode steps that a step beside a stream should take. People bear 25; what
varies from step to step has to fit in between."""

_WEIGHT = 0.25
"""Of the newest plain step in their average."""

_CHANGE = 1.5
"""The budget grows and shrinks by no more than this factor a step."""


class Pace:
    """The prompt budget of steps in which somebody streams.

    Streams wait while a prompt's chunk is computed, and the prompt waits longer the
    smaller its chunks are. How the two compare differs from machine to machine, so the
    budget is led to the size at which a step takes as long as TARGET plain ones. Pure:
    it is told the times.

    Attributes:
        budget: Most prompt elements in the next step beside a stream.
    """

    def __init__(self) -> None:
        self.budget = FIRST
        self._plain = 0.0

    def note(self, *, prompt: int, seconds: float) -> None:
        """Learn from a step beside a stream that computed ``prompt`` elements too."""
        if not prompt:
            self._note_plain(seconds)
        elif self._plain and seconds > 0:
            share = TARGET * self._plain / seconds
            # One that computed less than it might says only whether even that was much.
            if prompt == self.budget or share < 1:
                low, high = self.budget / _CHANGE, self.budget * _CHANGE
                wanted = min(high, max(low, prompt * share))
                self.budget = max(LEAST, min(MOST, round(wanted)))

    def _note_plain(self, seconds: float) -> None:
        weight = _WEIGHT if self._plain else 1.0
        self._plain += weight * (seconds - self._plain)
