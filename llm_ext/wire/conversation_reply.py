"""``conversations/{id}/reply``: the stream, and what is stored of it."""

from typing import Any

import msgspec

from llm_ext.core.conversation import CalledFunction, Draft, Message, ToolCall
from llm_ext.core.events import (
    ChoiceEnded,
    Delta,
    Event,
    Failed,
    Finished,
    ReasoningDelta,
    Rerouted,
    TextDelta,
)
from llm_ext.core.tools import is_object
from llm_ext.core.whole_answer import WholeAnswer

from . import sse
from .openai.chat_reply import ChatReply, usage
from .openai.chat_request import ChatCall
from .openai.timings import timings


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """The first event.

    Attributes:
        message: The question as it was stored; None where there was none.
        parent: The message that the answer follows.
        answer: The id of the answer to come.
    """

    message: Message | None
    parent: str | None
    answer: str


class ConversationReply:
    """Makes chunks of events, and in the end the message to store."""

    def __init__(
        self,
        call: ChatCall,
        *,
        answer: str,
        model: str,
        now: int,
        begun: Draft | None = None,
    ) -> None:
        self._model = model
        self._chat = ChatReply(call, reply_id=answer, model=model, now=now)
        self._whole = WholeAnswer()
        self._begun = begun
        self._end: Finished | Failed | None = None
        self._reason: str | None = None

    def opening(self, opening: Opening) -> list[bytes]:
        """Return the first events; what was begun before is told again."""
        chunks = [sse.event(msgspec.json.encode(opening), name="message")]
        if self._begun is not None and self._begun.reasoning:
            chunks += self.tell(ReasoningDelta(text=self._begun.reasoning))
        if self._begun is not None and self._begun.content:
            chunks += self.tell(TextDelta(text=self._begun.content))
        return chunks

    def tell(self, event: Event) -> list[bytes]:
        """Return what readers see of an event."""
        if isinstance(event, Delta):
            self._whole.add(event)
        elif isinstance(event, ChoiceEnded):
            self._reason = event.reason
        elif isinstance(event, (Finished, Failed)):
            self._end = event
        elif isinstance(event, Rerouted):
            self._model = event.model
        return list(self._chat.stream(event))

    def draft(self) -> Draft | None:
        """Return the message to store; None where nothing came before it failed."""
        calls = tuple(
            ToolCall(
                id=call.id,
                function=CalledFunction(name=call.name, arguments=call.arguments),
            )
            for call in self._whole.tool_calls
            if is_object(call.arguments)
        )
        whole, end = self._whole, self._end
        if isinstance(end, Failed) and not (whole.content or whole.reasoning or calls):
            return None
        return Draft(
            role="assistant",
            content=whole.content,
            reasoning=whole.reasoning,
            tool_calls=calls,
            model=self._model,
            finish_reason="error" if isinstance(end, Failed) else self._reason,
            **(_statistics(end) if isinstance(end, Finished) else {}),
        )


def _statistics(end: Finished) -> dict[str, Any]:
    """Return what is stored of an answer beside what it says."""
    counts: dict[str, Any] = {"usage": msgspec.to_builtins(usage(end.usage))}
    speed = timings(end)
    if speed is not msgspec.UNSET:
        counts["timings"] = msgspec.to_builtins(speed)
    return counts
