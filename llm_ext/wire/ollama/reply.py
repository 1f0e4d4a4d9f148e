"""What clients get of an answer: JSON documents, or all of it in one."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

import msgspec

from llm_ext.core.events import (
    ChoiceEnded,
    Event,
    Failed,
    Finished,
    ReasoningDelta,
    Rerouted,
    TextDelta,
    TokenLogprob,
    ToolCallBroken,
    ToolCallDelta,
    ToolCallStarted,
)
from llm_ext.core.messages import ToolCall
from llm_ext.core.whole_answer import WholeAnswer
from llm_ext.pool.timing import Timing
from llm_ext.wire.openai.chat_reply import Likely, likely_token

from .call import Call, DoneReason
from .context import Turn, encode
from .errors import reply as error_reply
from .statistics import statistics


class Logprob(Likely, frozen=True, kw_only=True, omit_defaults=True):
    """A token of the answer, with the likeliest ones in its place."""

    top_logprobs: list[Likely] = msgspec.field(default_factory=list)


class CalledFunction(msgspec.Struct, frozen=True, kw_only=True):
    """What is called; ``index`` counts the calls of the answer."""

    index: int
    name: str
    arguments: dict[str, Any]


class CalledTool(msgspec.Struct, frozen=True, kw_only=True):
    """A call of a tool."""

    id: str
    function: CalledFunction


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An answer, or a part of it, of ``api/chat``."""

    role: str
    content: str
    thinking: str | None = None
    tool_calls: list[CalledTool] | None = None


class Document(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An answer, or a part of it.

    It is a ``message`` of ``api/chat``, and a ``response`` of ``api/generate``, which
    has thoughts beside it.
    """

    model: str
    created_at: datetime
    message: Message | None = None
    response: str | None = None
    thinking: str | None = None
    logprobs: list[Logprob] | None = None
    done: bool
    done_reason: DoneReason | None = None
    context: list[int] | None = None


class Reply:
    """Writes the answer to one call."""

    def __init__(
        self,
        call: Call,
        *,
        chat: bool,
        timing: Timing,
        now: Callable[[], datetime],
    ) -> None:
        """Write an answer.

        Args:
            call: What is answered.
            chat: Whether it came to ``api/chat``.
            timing: When what happened to it; filled meanwhile.
            now: Tells the time, in UTC.
        """
        self._call = call
        self._chat = chat
        self._timing = timing
        self._now = now
        self._model = call.model
        self._part = WholeAnswer()
        self._content = ""
        self._calls = 0
        self._reason: DoneReason = "stop"

    def stream(self, event: Event) -> Iterator[bytes]:
        """Yield the documents that say ``event``; progress has none.

        A call of a tool comes in one document, once it is complete.
        """
        self._note(event)
        match event:
            case TextDelta() | ReasoningDelta():
                yield from self._finished_part()
                self._part.add(event)
                yield from self._finished_part()
            case ToolCallStarted():
                yield from self._finished_part()
                self._part.add(event)
            case ToolCallDelta() | ToolCallBroken():
                self._part.add(event)
            case ChoiceEnded():
                yield from self._finished_part()
                self._reason = "length" if event.reason == "length" else "stop"
            case Finished():
                yield self._last(event, WholeAnswer())
            case Failed():
                yield msgspec.json.encode(error_reply(event.error()))

    def whole(self, events: Iterable[Event]) -> bytes:
        """Return the answer in one document; ``events`` end with Finished."""
        answer = WholeAnswer()
        end: Finished | None = None
        for event in events:
            self._note(event)
            match event:
                case (
                    TextDelta()
                    | ReasoningDelta()
                    | ToolCallStarted()
                    | ToolCallDelta()
                    | ToolCallBroken()
                ):
                    answer.add(event)
                case ChoiceEnded():
                    self._reason = "length" if event.reason == "length" else "stop"
                case Finished():
                    end = event
        if end is None:
            raise ValueError("the answer has no end")
        return self._last(end, answer)

    def loaded(self, reason: DoneReason) -> bytes:
        """Return the document that says that the model was loaded, or unloaded."""
        return msgspec.json.encode(self._document(WholeAnswer(), reason=reason))

    def _note(self, event: Event) -> None:
        if isinstance(event, Rerouted):
            self._model = event.model

    def _finished_part(self) -> Iterator[bytes]:
        part, self._part = self._part, WholeAnswer()
        if part.content or part.reasoning or part.tool_calls:
            yield msgspec.json.encode(self._document(part))

    def _last(self, end: Finished, answer: WholeAnswer) -> bytes:
        document = self._document(answer, reason=self._reason)
        told = statistics(end, self._timing)
        return msgspec.json.encode(
            msgspec.to_builtins(document) | msgspec.to_builtins(told)
        )

    def _document(
        self, answer: WholeAnswer, *, reason: DoneReason | None = None
    ) -> Document:
        self._content += answer.content
        thinking = answer.reasoning or None
        calls = [self._called(call) for call in answer.tool_calls]
        return Document(
            model=self._model,
            created_at=self._now(),
            message=Message(
                role="assistant",
                content=answer.content,
                thinking=thinking,
                tool_calls=calls or None,
            )
            if self._chat
            else None,
            response=None if self._chat else answer.content,
            thinking=None if self._chat else thinking,
            logprobs=[_logprob(token) for token in answer.logprobs] or None,
            done=reason is not None,
            done_reason=reason,
            context=self._context(reason),
        )

    def _called(self, call: ToolCall) -> CalledTool:
        index = self._calls
        self._calls += 1
        function = CalledFunction(
            index=index,
            name=call.name,
            arguments=msgspec.json.decode(call.arguments, type=dict[str, Any]),
        )
        return CalledTool(id=call.id, function=function)

    def _context(self, reason: DoneReason | None) -> list[int] | None:
        turns = self._call.turns
        if turns is None or reason not in ("stop", "length"):
            return None
        return encode([*turns, Turn("assistant", self._content)])


def _logprob(told: TokenLogprob) -> Logprob:
    return Logprob(**msgspec.structs.asdict(likely_token(told)))
