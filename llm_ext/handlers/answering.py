"""From a stream of events to a response, whatever the dialect."""

import asyncio
import math
from collections.abc import Callable, Iterable
from contextlib import closing
from itertools import chain
from typing import Protocol, TypeAlias, TypeVar

from tornado.iostream import StreamClosedError

from llm_ext.core.events import Accepted, Event, Failed, Finished, Scores, Vectors
from llm_ext.pool.stream import EventStream

from .base import LLMHandler
from .streaming import EventWriter, next_event

_T = TypeVar("_T", Vectors, Scores)

Tell: TypeAlias = Callable[[Event], Iterable[bytes]]
"""Makes what a client sees of an event."""


class Reply(Protocol):
    """Writes the answer to one call in a dialect."""

    def stream(self, event: Event) -> Iterable[bytes]:
        """Return the server-sent events that say ``event``."""

    def whole(self, events: Iterable[Event]) -> bytes:
        """Return the answer in one piece; ``events`` end with Finished."""


async def answer(
    handler: LLMHandler, stream: EventStream, reply: Reply, *, streaming: bool
) -> None:
    """Answer as server-sent events, or whole; the stream is closed in the end.

    Raises:
        LLMError: The request failed before anything was sent.
    """
    with closing(stream):
        if streaming:
            await send_events(handler, stream, reply.stream)
            return
        events = await all_events(stream)
        if events and isinstance(events[-1], Finished):
            handler.finish(reply.whole(events))


async def checked(stream: EventStream) -> list[Event]:
    """Return the events up to the word that the request is accepted.

    Where that takes longer than the stream's patience, what has come is returned.

    Raises:
        LLMError: It is not accepted; says why.
    """
    seen: list[Event] = []
    loop = asyncio.get_running_loop()
    wait = math.inf if stream.patience is None else stream.patience
    end = loop.time() + wait
    while event := await _soon(stream, end - loop.time()):
        if isinstance(event, Failed):
            raise event.error()
        seen.append(event)
        if isinstance(event, Accepted):
            break
    return seen


async def _soon(stream: EventStream, seconds: float) -> Event | None:
    """Return the next event; None if there is none more, or it does not come soon."""
    if math.isinf(seconds):
        return await stream.next()
    coming = asyncio.ensure_future(stream.next())
    try:
        await asyncio.wait({coming}, timeout=max(0.0, seconds))
    finally:
        if not coming.done():
            coming.cancel()  # the event, if it comes, stays in the stream
    return coming.result() if coming.done() and not coming.cancelled() else None


async def all_events(stream: EventStream) -> list[Event]:
    """Return the events of a request, up to its end or until the client has gone.

    Raises:
        LLMError: The request failed.
    """
    events: list[Event] = []
    async for event in stream:
        if isinstance(event, Failed):
            raise event.error()
        events.append(event)
    return events


async def one_answer(stream: EventStream, kind: type[_T]) -> tuple[_T, Finished] | None:
    """Return the one event of ``kind``, and the end; None if the client went away.

    Raises:
        LLMError: The request failed.
    """
    answer: _T | None = None
    for event in await all_events(stream):
        if isinstance(event, kind):
            answer = event
        if isinstance(event, Finished) and answer is not None:
            return answer, event
    return None


async def send_events(handler: LLMHandler, stream: EventStream, tell: Tell) -> None:
    """Stream an answer as server-sent events.

    A cold stream opens at once and carries the load. Otherwise the worker's checks
    come first, so that what they find is an HTTP status.
    """
    first = [] if stream.cold else await checked(stream)
    await send(EventWriter(handler), handler, stream, tell, first=first)


async def send(
    writer: EventWriter,
    handler: LLMHandler,
    stream: EventStream,
    tell: Tell,
    *,
    first: Iterable[Event],
) -> None:
    """Stream ``first`` and what follows it, up to the end or until the client goes."""
    try:
        await writer.open()
        for event in first:
            await writer.write(tell(event))
        while (news := await next_event(stream, writer)) is not None:
            # What has come meanwhile goes along: so a busy server catches up.
            told = [tell(one) for one in (news, *stream.there())]
            await writer.write(chain.from_iterable(told))
    except StreamClosedError:
        return
    handler.finish(set_content_type=writer.media_type)
