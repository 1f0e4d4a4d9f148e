"""``v1/responses``: what clients get, whole or as events."""

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from typing import TypeVar

import msgspec

from llm_ext.core.events import (
    Accepted,
    ChoiceEnded,
    Event,
    Failed,
    Finished,
    Loading,
    PromptProgress,
    Queued,
    Ready,
    ReasoningDelta,
    Rerouted,
    TextDelta,
    ToolCallBroken,
    ToolCallDelta,
    ToolCallStarted,
)
from llm_ext.core.messages import ChatMessage
from llm_ext.wire import progress, sse

from .growing import Growing, GrowingCall, GrowingMessage, GrowingThought
from .ids import item_id, response_id
from .items import written
from .output import OutputItem, Status, likely_tokens, usage
from .response import (
    Completed,
    Created,
    FailedEvent,
    Incomplete,
    IncompleteDetails,
    InProgress,
    Problem,
    Response,
    StreamEvent,
)
from .response_request import Reasoning, ResponseCall, TextFormat, TextOptions

_PROGRESS = (Loading, Ready, Rerouted, Queued, PromptProgress)

_Prose = TypeVar("_Prose", GrowingMessage, GrowingThought)


class ResponseReply:
    """Makes the answer to one call from its events.

    Attributes:
        response: The answer as far as it has come.
    """

    def __init__(
        self,
        call: ResponseCall,
        *,
        reply_id: str,
        model: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Begin an answer; ``clock`` tells seconds since 1970."""
        self.response = _empty(call, reply_id=reply_id, model=model, now=int(clock()))
        self._call = call
        self._reply_id = reply_id
        self._clock = clock
        self._sent = 0
        self._items: list[OutputItem] = []
        self._open: Growing | None = None
        self._cut_off = False

    @property
    def turns(self) -> tuple[ChatMessage, ...]:
        """The turns that the answer is, to go on from."""
        return written(self.response.output)

    def stream(self, event: Event) -> Iterator[bytes]:
        """Yield the server-sent events that say ``event``."""
        self._note(event)
        if not self._sent:
            yield self._event(Created(response=self.response))
        if isinstance(event, _PROGRESS):
            yield sse.comment(progress.words(event))
            return
        for told in self._told(event):
            yield self._event(told)

    def whole(self, events: Iterable[Event]) -> bytes:
        """Return the answer in one piece, as JSON; ``events`` end with Finished."""
        for event in events:
            self._note(event)
            for _ in self._told(event):
                pass  # what is told is kept, too
        return msgspec.json.encode(self.response)

    def _note(self, event: Event) -> None:
        if isinstance(event, Rerouted):
            self._change(model=event.model)

    def _told(self, event: Event) -> Iterator[StreamEvent]:
        """Take note of an event, and yield those that tell of it."""
        match event:
            case Accepted():
                yield InProgress(response=self.response)
            case TextDelta():
                message = yield from self._continued(GrowingMessage)
                yield message.grow(event.text, likely_tokens(event.logprobs))
            case ReasoningDelta():
                thought = yield from self._continued(GrowingThought)
                yield thought.grow(event.text)
            case ToolCallStarted() | ToolCallDelta() | ToolCallBroken():
                yield from self._called(event)
            case ChoiceEnded():
                self._cut_off = event.reason == "length"
                yield from self._close("incomplete" if self._cut_off else "completed")
            case Finished():
                yield self._finished(event)
            case Failed():
                yield self._failed(event)

    def _called(
        self, event: ToolCallStarted | ToolCallDelta | ToolCallBroken
    ) -> Iterator[StreamEvent]:
        match event:
            case ToolCallStarted():
                yield from self._close("completed")
                call = GrowingCall(
                    len(self._items),
                    self._next_id(GrowingCall.prefix),
                    call_id=event.id,
                    name=event.name,
                )
                yield from self._begin(call)
            case ToolCallDelta():
                if isinstance(self._open, GrowingCall):
                    yield self._open.grow(event.arguments)
            case ToolCallBroken():
                yield from self._close("incomplete")
                # What clients have seen keeps its place; others never hear of it.
                if not self._call.stream:
                    self._items.pop()

    def _continued(self, kind: type[_Prose]) -> Generator[StreamEvent, None, _Prose]:
        """Return the open item, if it is of this kind, or begin one."""
        if isinstance(self._open, kind):
            return self._open
        yield from self._close("completed")
        prose = kind(len(self._items), self._next_id(kind.prefix))
        yield from self._begin(prose)
        return prose

    def _begin(self, item: Growing) -> Iterator[StreamEvent]:
        self._open = item
        yield from item.begin()

    def _close(self, status: Status) -> Iterator[StreamEvent]:
        if self._open is None:
            return
        yield from self._open.end(status)
        self._items.append(self._open.item(status))
        self._open = None

    def _finished(self, end: Finished) -> StreamEvent:
        self._change(
            status="incomplete" if self._cut_off else "completed",
            incomplete_details=IncompleteDetails() if self._cut_off else None,
            completed_at=None if self._cut_off else int(self._clock()),
            output=list(self._items),
            usage=usage(end.usage),
        )
        if self._cut_off:
            return Incomplete(response=self.response)
        return Completed(response=self.response)

    def _failed(self, event: Failed) -> StreamEvent:
        self._change(
            status="failed",
            error=Problem(code=event.code, message=event.message),
            output=list(self._items),
        )
        return FailedEvent(response=self.response)

    def _change(self, **fields: object) -> None:
        self.response = msgspec.structs.replace(self.response, **fields)

    def _next_id(self, prefix: str) -> str:
        return item_id(prefix, self._reply_id, len(self._items))

    def _event(self, event: StreamEvent) -> bytes:
        numbered = msgspec.structs.replace(event, sequence_number=self._sent)
        self._sent += 1
        name = str(event.__struct_config__.tag)
        return sse.event(msgspec.json.encode(numbered), name=name)


def _empty(call: ResponseCall, *, reply_id: str, model: str, now: int) -> Response:
    """Return an answer that has not begun, with what it repeats of the request."""
    body = call.body
    text = body.text or TextOptions()
    return Response(
        id=response_id(reply_id),
        created_at=now,
        model=model,
        status="in_progress",
        output=[],
        instructions=body.instructions,
        max_output_tokens=body.max_output_tokens,
        metadata=body.metadata or {},
        parallel_tool_calls=body.parallel_tool_calls is not False,
        previous_response_id=body.previous_response_id,
        reasoning=body.reasoning or Reasoning(),
        store=call.store,
        temperature=body.temperature,
        text=TextOptions(
            format=text.format or TextFormat(type="text"), verbosity=text.verbosity
        ),
        tool_choice=body.tool_choice or "auto",
        tools=list(call.offered),
        top_logprobs=body.top_logprobs or 0,
        top_p=body.top_p,
    )
