"""Events on their way to the server: those of a few steps go together."""

from llm_ext.core.events import (
    EngineEvent,
    Failed,
    Finished,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    joined,
)
from llm_ext.engine.engine import Published as Events


class Bundle:
    """What happened and was not told yet, by who tells it every ``interval`` seconds.

    To tell of a token takes the server and whoever reads it a millisecond, on the
    processors that compute the next one, and the server has one thread for all streams.
    So the tokens of plain steps are told together: those of a model that is slower than
    the interval still come one by one. Whatever else happens, such as a beginning or an
    end, is told at once, with all that was drawn before it. An interval of 0 joins
    nothing. Pure.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._events: dict[int, list[EngineEvent]] = {}
        self._begun: set[int] = set()  # requests with a part of an answer
        self._urgent = False
        self._told = 0.0

    def add(self, events: Events) -> None:
        """Add what happened; text that goes on is one event with what it goes on."""
        for number, event in events:
            self._urgent |= self._is_urgent(number, event)
            before = self._events.setdefault(number, [])
            both = joined(before[-1], event) if before and self._interval else None
            if both is None:
                before.append(event)
            else:
                before[-1] = both

    def is_due(self, now: float, *, calm: bool) -> bool:
        """Whether it is to be told at ``now``.

        ``calm`` is whether a plain step follows; any other may take long.
        """
        return self._urgent or not calm or now - self._told >= self._interval

    def take(self, now: float) -> Events:
        """Return what was not told, in order for each request, as told at ``now``."""
        events, self._events = self._events, {}
        self._urgent = False
        self._told = now
        return [(number, event) for number, those in events.items() for event in those]

    def _is_urgent(self, number: int, event: EngineEvent) -> bool:
        """Whether it is anything but more of an answer."""
        if isinstance(event, (TextDelta, ReasoningDelta, ToolCallDelta)):
            goes_on = number in self._begun
            self._begun.add(number)
            return not goes_on
        if isinstance(event, (Finished, Failed)):
            self._begun.discard(number)
        return True
