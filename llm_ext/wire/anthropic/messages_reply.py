"""``v1/messages``: what clients get, whole or as events."""

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from llm_ext.core.events import (
    Accepted,
    ChoiceEnded,
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
from llm_ext.core.whole_answer import WholeAnswer
from llm_ext.wire import progress, sse

from .blocks import (
    NOTHING,
    SIGNATURE,
    Addition,
    Block,
    InputAddition,
    SignatureAddition,
    TextAddition,
    TextBlock,
    ThinkingAddition,
    ThinkingBlock,
    ToolUseBlock,
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


class MessagesReply:
    """Makes the answer to one call from its events."""

    def __init__(self, call: MessagesCall, *, reply_id: str, model: str) -> None:
        self._call = call
        self._id = f"msg_{reply_id}"
        self._model = model
        self._blocks = 0
        self._open: Block | None = None
        self._end = ChoiceEnded(choice=0, reason="stop")

    def stream(self, event: Event) -> Iterator[bytes]:
        """Yield the server-sent events that say ``event``."""
        self._note(event)
        match event:
            case TextDelta() | ReasoningDelta() | ToolCallStarted() | ToolCallDelta():
                yield from self._grow(event)
            case ToolCallBroken():
                # What was sent of it stays; what it was comes as text.
                yield from self._close()
            case ChoiceEnded():
                self._end = event
                yield from self._close()
            case Finished():
                yield _sent(MessageDelta(delta=self._ending(), usage=usage(event)))
                yield _sent(MessageStop())
            case Failed():
                yield sse.event(_json(error_reply(event.error())), name="error")
            case Accepted():
                counts = Usage(input_tokens=event.prompt_tokens, output_tokens=0)
                yield _sent(MessageStart(message=self._message([], counts)))
            case _:
                # The first is for people, the second for clients' patience.
                yield sse.comment(progress.words(event))
                yield _sent(Ping())

    def whole(self, events: Iterable[Event]) -> bytes:
        """Return the answer in one piece, as JSON; ``events`` end with Finished."""
        answer = WholeAnswer()
        counts = Usage(input_tokens=0, output_tokens=0)
        for event in events:
            self._note(event)
            match event:
                case ChoiceEnded():
                    self._end = event
                case Finished():
                    counts = usage(event)
                case (
                    TextDelta()
                    | ReasoningDelta()
                    | ToolCallStarted()
                    | ToolCallDelta()
                    | ToolCallBroken()
                ):
                    answer.add(event)
        message = self._message(self._content(answer), counts)
        ending = self._ending()
        return _json(
            msgspec.structs.replace(
                message,
                stop_reason=ending.stop_reason,
                stop_sequence=ending.stop_sequence,
            )
        )

    def _note(self, event: Event) -> None:
        if isinstance(event, Rerouted):
            self._model = event.model

    def _message(self, content: list[Block], counts: Usage) -> Message:
        return Message(id=self._id, model=self._model, content=content, usage=counts)

    def _content(self, answer: WholeAnswer) -> list[Block]:
        blocks: list[Block] = []
        if answer.reasoning and self._call.thinking:
            thought = ThinkingBlock(thinking=answer.reasoning, signature=SIGNATURE)
            blocks.append(thought)
        if answer.content:
            blocks.append(TextBlock(text=answer.content))
        for call in answer.tool_calls:
            given = msgspec.Raw(call.arguments.encode()) if call.arguments else NOTHING
            blocks.append(ToolUseBlock(id=call.id, name=call.name, input=given))
        return blocks

    def _ending(self) -> Ending:
        """Return why the answer ended; Anthropic tells a stop string from an end."""
        found = self._end.stop
        reason = _STOP_REASONS[self._end.reason] if found is None else "stop_sequence"
        return Ending(stop_reason=reason, stop_sequence=found)

    def _grow(
        self, event: TextDelta | ReasoningDelta | ToolCallStarted | ToolCallDelta
    ) -> Iterator[bytes]:
        match event:
            case TextDelta():
                yield from self._continue(TextBlock(), TextAddition(text=event.text))
            case ReasoningDelta() if self._call.thinking:
                addition = ThinkingAddition(thinking=event.text)
                yield from self._continue(ThinkingBlock(), addition)
            case ReasoningDelta():
                yield _sent(Ping())
            case ToolCallStarted():
                yield from self._begin(
                    ToolUseBlock(id=event.id, name=event.name, input=NOTHING)
                )
            case ToolCallDelta():
                yield self._added(InputAddition(partial_json=event.arguments))

    def _continue(self, kind: Block, addition: Addition) -> Iterator[bytes]:
        """Go on with the open block; begin one if that is of another kind."""
        if type(self._open) is not type(kind):
            yield from self._begin(kind)
        yield self._added(addition)

    def _begin(self, block: Block) -> Iterator[bytes]:
        yield from self._close()
        self._open = block
        yield _sent(BlockStart(index=self._blocks, content_block=block))

    def _close(self) -> Iterator[bytes]:
        if self._open is None:
            return
        if isinstance(self._open, ThinkingBlock):
            yield self._added(SignatureAddition(signature=SIGNATURE))
        yield _sent(BlockStop(index=self._blocks))
        self._open = None
        self._blocks += 1

    def _added(self, addition: Addition) -> bytes:
        return _sent(BlockDelta(index=self._blocks, delta=addition))


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
