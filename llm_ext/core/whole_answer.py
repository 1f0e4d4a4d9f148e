"""A whole answer, put together from its deltas."""

from .events import (
    Delta,
    ReasoningDelta,
    TextDelta,
    TokenLogprob,
    ToolCallBroken,
    ToolCallDelta,
    ToolCallStarted,
)
from .messages import ToolCall


class WholeAnswer:
    """What one answer has come to so far.

    Attributes:
        content: What it says.
        reasoning: What was thought.
        logprobs: Of the tokens of the content, where they were asked for.
    """

    def __init__(self) -> None:
        self.content = ""
        self.reasoning = ""
        self.logprobs: list[TokenLogprob] = []
        self._calls: dict[int, ToolCallStarted] = {}
        self._arguments: dict[int, str] = {}

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls, without those that came to nothing."""
        return tuple(
            ToolCall(id=call.id, name=call.name, arguments=self._arguments[index])
            for index, call in self._calls.items()
        )

    def add(self, delta: Delta) -> None:
        """Go on with a delta of this answer."""
        match delta:
            case TextDelta():
                self.content += delta.text
                self.logprobs += delta.logprobs
            case ReasoningDelta():
                self.reasoning += delta.text
            case ToolCallStarted():
                self._calls[delta.index] = delta
                self._arguments[delta.index] = ""
            case ToolCallDelta():
                self._arguments[delta.index] += delta.arguments
            case ToolCallBroken():
                del self._calls[delta.index]
