"""When the parts of one request happened, in seconds of one steady clock."""

from llm_ext.core.events import (
    Accepted,
    Event,
    Finished,
    PromptProgress,
    Ready,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
)


class Timing:
    """Filled as events pass; what has not happened is None.

    Attributes:
        asked: When the request came.
        ready: When its model was loaded; None where it was when the request came.
        accepted: When the worker had it.
        started: When a part of its prompt was first seen to be computed.
        first: When the first piece of an answer came: text, reasoning or a call.
        last: When the last piece came.
        ended: When it was complete.
        gaps: Seconds between one piece of an answer and the next of the same answer.
    """

    def __init__(self, now: float) -> None:
        self.asked = now
        self.ready: float | None = None
        self.accepted: float | None = None
        self.started: float | None = None
        self.first: float | None = None
        self.last: float | None = None
        self.ended: float | None = None
        self.gaps: list[float] = []
        self._last_of: dict[int, float] = {}

    def note(self, event: Event, now: float) -> None:
        """Take notice of an event that happened at ``now``."""
        match event:
            case Ready():
                self.ready = now
            case Accepted():
                self.accepted = now
            case PromptProgress():
                self.started = self.started or now
            case TextDelta() | ReasoningDelta() | ToolCallStarted() | ToolCallDelta():
                self._piece(event.choice, now)
            case Finished():
                self.ended = now

    def _piece(self, choice: int, now: float) -> None:
        self.started = self.started or now
        self.first = self.first or now
        before = self._last_of.get(choice)
        if before is not None:
            self.gaps.append(now - before)
        self.last = self._last_of[choice] = now
