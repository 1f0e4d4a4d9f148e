"""What a parser makes of an answer: deltas, and what belongs to them."""

from collections import deque
from collections.abc import Callable, Mapping

from llm_ext.core.events import (
    Delta,
    ReasoningDelta,
    TextDelta,
    TokenLogprob,
    ToolCallBroken,
    ToolCallDelta,
    ToolCallStarted,
    joined,
)
from llm_ext.core.tools import Tool

from .source import Mismatch, Source


class Output:
    """Collects the deltas of one answer.

    Attributes:
        tools: What may be called, by name.
        many: Whether there may be several calls.
        thoughts: Whether thoughts are told apart from content.
        completed: Calls that are complete.
        committed: Where in the source the last complete call ends.
    """

    def __init__(
        self,
        source: Source,
        *,
        tools: Mapping[str, Tool],
        many: bool,
        thoughts: bool,
        choice: int,
        new_id: Callable[[], str],
    ) -> None:
        self.tools = tools
        self.many = many
        self.thoughts = thoughts
        self.completed = 0
        self.committed = 0
        self._source = source
        self._choice = choice
        self._new_id = new_id
        self._deltas: list[Delta] = []
        self._logprobs: deque[tuple[int, TokenLogprob]] = deque()
        self._calls = 0
        self._open = False

    @property
    def full(self) -> bool:
        """Whether no further call is wanted."""
        return not self.many and self.completed > 0

    def expect_logprob(self, start: int, logprob: TokenLogprob) -> None:
        """Take the log-probability of a token that starts at a place of the source."""
        self._logprobs.append((start, logprob))

    def take(self) -> list[Delta]:
        """Return the deltas since the last call."""
        deltas, self._deltas = self._deltas, []
        return deltas

    def content(self, start: int, end: int) -> None:
        """Show a part of the source as text."""
        if start == end:
            return
        text = self._source.between(start, end)
        self._add(TextDelta(text, self._choice, self._told(start, end)))

    def reasoning(self, text: str) -> None:
        """Tell a thought."""
        if text:
            self._add(ReasoningDelta(text, self._choice))

    def start_call(self, name: str) -> None:
        """Begin a call; ``Mismatch`` if there is no such tool."""
        if name not in self.tools:
            raise Mismatch
        self._open = True
        self._add(ToolCallStarted(self._calls, self._new_id(), name, self._choice))
        self._calls += 1

    def arguments(self, text: str) -> None:
        """Go on with the arguments of the call that is open."""
        if text:
            self._add(ToolCallDelta(self._calls - 1, text, self._choice))

    def complete_call(self) -> None:
        """End the call that is open, here in the source."""
        self._open = False
        self.completed += 1
        self.commit()

    def commit(self) -> None:
        """Take what was read up to here as a part of the last complete call."""
        self.committed = self._source.position

    def break_call(self) -> None:
        """Take back the call that is open, if there is one."""
        if self._open:
            self._open = False
            self._add(ToolCallBroken(self._calls - 1, self._choice))

    def _add(self, delta: Delta) -> None:
        both = joined(self._deltas[-1], delta) if self._deltas else None
        if both is None:
            self._deltas.append(delta)
        else:
            self._deltas[-1] = both

    def _told(self, start: int, end: int) -> tuple[TokenLogprob, ...]:
        """Return the log-probabilities of tokens that start between two places.

        Those before are of tokens that are no content.
        """
        told = []
        while self._logprobs and self._logprobs[0][0] < end:
            at, logprob = self._logprobs.popleft()
            if at >= start:
                told.append(logprob)
        return tuple(told)
