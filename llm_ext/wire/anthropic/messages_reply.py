"""``v1/messages``: what clients get, whole or as events."""

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from llm_ext.core.events import (
    Accepted,
    ChoiceEnded,
    Delta,
    Event,
    Failed,
    Finished,
    FinishReason,
    ReasoningDelta,
    Rerouted,
    TextDelta,
    ToolCallBroken,
    ToolCallDelta,
    ToolCallStarted,
    Usage as TokenCounts,
)
from llm_ext.wire import progress, sse

from .blocks import (
    NOTHING,
    SIGNATURE,
    Addition,
    Block,
    SignatureAddition,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    addition,
    complete,
)
from .errors import ErrorReply, reply as error_reply
from .messages_request import MessagesCall

StopReason = Literal["end_turn", "max_tokens", "stop_sequence", "tool_use"]

_STOP_REASONS: dict[FinishReason, StopReason] = {
    "stop": "end_turn",
    "cancelled": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
}


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Token counts; those of the prompt that were computed before are counted apart."""

    input_tokens: int
    output_tokens: int
    cache_creation_input_tokens: int = 0
    cache_read_input_tokens: int = 0


class TokenCount(msgspec.Struct, frozen=True, kw_only=True):
    """What ``v1/messages/count_tokens`` answers."""

    input_tokens: int


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A whole answer, or the beginning of one."""

    id: str
    model: str
    content: list[Block]
    usage: Usage
    stop_reason: StopReason | None = None
    stop_sequence: str | None = None
    type: Literal["message"] = "message"
    role: Literal["assistant"] = "assistant"


class _StreamEvent(msgspec.Struct, frozen=True, tag_field="type", kw_only=True):
    pass


class MessageStart(_StreamEvent, frozen=True, tag="message_start"):
    """The first event; the message is empty."""

    message: Message


class Ping(_StreamEvent, frozen=True, tag="ping"):
    """Something goes on, but there is nothing to show."""


class BlockStart(_StreamEvent, frozen=True, tag="content_block_start"):
    """A block begins, empty."""

    index: int
    content_block: Block


class BlockDelta(_StreamEvent, frozen=True, tag="content_block_delta"):
    """A block grows."""

    index: int
    delta: Addition


class BlockStop(_StreamEvent, frozen=True, tag="content_block_stop"):
    """A block is complete."""

    index: int


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """Why the answer ended."""

    stop_reason: StopReason
    stop_sequence: str | None


class MessageDelta(_StreamEvent, frozen=True, tag="message_delta"):
    """The answer is complete; the counts take the place of the first ones."""

    delta: Ending
    usage: Usage


class MessageStop(_StreamEvent, frozen=True, tag="message_stop"):
    """The last event."""


_OF_THE_ANSWER = (Accepted, Delta, ChoiceEnded, Finished)


class MessagesReply:
    """Makes the answer to one call from its events."""

    def __init__(self, call: MessagesCall, *, reply_id: str, model: str) -> None:
        self._call = call
        self._id = f"msg_{reply_id}"
        self._model = model
        self._content: list[Block] = []
        self._begun = 0
        self._open: Block | None = None
        self._grown: list[str] = []
        self._end = ChoiceEnded(choice=0, reason="stop")

    def stream(self, event: Event) -> Iterator[bytes]:
        """Yield the server-sent events that say ``event``."""
        self._note(event)
        if isinstance(event, Failed):
            yield sse.event(_json(error_reply(event.error())), name="error")
        elif isinstance(event, _OF_THE_ANSWER):
            yield from map(_sent, self._told(event))
        else:
            # The first is for people, the second for clients' patience.
            yield sse.comment(progress.words(event))
            yield _sent(Ping())

    def whole(self, events: Iterable[Event]) -> bytes:
        """Return the answer in one piece, as JSON; ``events`` end with Finished."""
        end: Finished | None = None
        for event in events:
            self._note(event)
            for _ in self._told(event):
                pass  # what is told is kept, too
            if isinstance(event, Finished):
                end = event
        if end is None:
            raise ValueError("the answer has no end")
        ending = self._ending()
        return _json(
            msgspec.structs.replace(
                self._message(self._content, usage(end)),
                stop_reason=ending.stop_reason,
                stop_sequence=ending.stop_sequence,
            )
        )

    def _note(self, event: Event) -> None:
        if isinstance(event, Rerouted):
            self._model = event.model

    def _told(self, event: Event) -> Iterator[_StreamEvent]:
        """Take note of an event of the answer, and yield those that tell of it."""
        match event:
            case Accepted():
                counts = Usage(input_tokens=event.prompt_tokens, output_tokens=0)
                yield MessageStart(message=self._message([], counts))
            case TextDelta():
                yield from self._continue(TextBlock(), event.text)
            case ReasoningDelta() if self._call.thinking:
                yield from self._continue(ThinkingBlock(), event.text)
            case ReasoningDelta():
                yield Ping()
            case ToolCallStarted() | ToolCallDelta() | ToolCallBroken():
                yield from self._called(event)
            case ChoiceEnded():
                self._end = event
                yield from self._close()
            case Finished():
                yield MessageDelta(delta=self._ending(), usage=usage(event))
                yield MessageStop()

    def _called(
        self, event: ToolCallStarted | ToolCallDelta | ToolCallBroken
    ) -> Iterator[_StreamEvent]:
        match event:
            case ToolCallStarted():
                yield from self._begin(
                    ToolUseBlock(id=event.id, name=event.name, input=NOTHING)
                )
            case ToolCallDelta():
                yield from self._more(event.arguments)
            case ToolCallBroken():
                # What was sent of it stays; what it was comes as text.
                yield from self._close()
                self._content.pop()

    def _message(self, content: list[Block], counts: Usage) -> Message:
        return Message(id=self._id, model=self._model, content=content, usage=counts)

    def _ending(self) -> Ending:
        """Return why the answer ended; Anthropic tells a stop string from an end."""
        found = self._end.stop
        reason = _STOP_REASONS[self._end.reason] if found is None else "stop_sequence"
        return Ending(stop_reason=reason, stop_sequence=found)

    def _continue(self, kind: Block, text: str) -> Iterator[_StreamEvent]:
        """Go on with the open block; begin one if that is of another kind."""
        if type(self._open) is not type(kind):
            yield from self._begin(kind)
        yield from self._more(text)

    def _begin(self, block: Block) -> Iterator[_StreamEvent]:
        yield from self._close()
        self._open = block
        yield BlockStart(index=self._begun, content_block=block)

    def _more(self, text: str) -> Iterator[_StreamEvent]:
        if self._open is not None:
            self._grown.append(text)
            yield self._added(addition(self._open, text))

    def _close(self) -> Iterator[_StreamEvent]:
        if self._open is None:
            return
        if isinstance(self._open, ThinkingBlock):
            yield self._added(SignatureAddition(signature=SIGNATURE))
        yield BlockStop(index=self._begun)
        self._content.append(complete(self._open, "".join(self._grown)))
        self._open = None
        self._grown.clear()
        self._begun += 1

    def _added(self, more: Addition) -> BlockDelta:
        return BlockDelta(index=self._begun, delta=more)


def usage(end: Finished) -> Usage:
    """Return token counts in Anthropic's shape."""
    counts: TokenCounts = end.usage
    return Usage(
        input_tokens=counts.prompt_tokens - counts.cached_tokens,
        output_tokens=counts.completion_tokens,
        cache_read_input_tokens=counts.cached_tokens,
    )


def _sent(event: _StreamEvent) -> bytes:
    return sse.event(_json(event), name=str(event.__struct_config__.tag))


def _json(value: _StreamEvent | Message | ErrorReply) -> bytes:
    return msgspec.json.encode(value)
