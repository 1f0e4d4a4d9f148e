"""Server-sent events over a Tornado handler."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

from tornado.iostream import StreamClosedError

from llm_ext.core.events import Event
from llm_ext.pool.stream import EventStream
from llm_ext.wire import ndjson, sse

from .base import LLMHandler

_T = TypeVar("_T")

HEARTBEAT = 15.0
"""Seconds of silence after which a comment is sent: proxies cut idle connections."""


class EventWriter:
    """Writes events, and waits for slow clients rather than collect for them.

    Attributes:
        client_left: Done when the client has gone.
        media_type: What is written.
    """

    media_type = sse.MEDIA_TYPE

    def __init__(self, handler: LLMHandler) -> None:
        self._handler = handler
        self.client_left = asyncio.get_running_loop().create_future()
        handler.when_gone(self._leave)

    def _leave(self) -> None:
        if not self.client_left.done():
            self.client_left.set_result(None)

    async def open(self) -> None:
        """Send the headers now, so that the client knows that work has begun."""
        self._handler.set_header("Content-Type", self.media_type)
        self._handler.set_header("Cache-Control", "no-cache")
        # nginx, in front of many hubs, would collect the whole answer first.
        self._handler.set_header("X-Accel-Buffering", "no")
        await self._handler.flush()

    async def write(self, chunks: Iterable[bytes]) -> None:
        """Send ``chunks``; StreamClosedError if the client has gone."""
        for chunk in chunks:
            self._handler.write(chunk)
        await self._handler.flush()

    async def beat(self) -> None:
        """Send what clients skip; StreamClosedError if the client has gone."""
        await self.write([sse.comment("ping")])


class LineWriter(EventWriter):
    """Writes JSON documents, one a line. There is nothing that clients would skip."""

    media_type = ndjson.MEDIA_TYPE

    async def write(self, chunks: Iterable[bytes]) -> None:
        """Send documents; StreamClosedError if the client has gone."""
        await super().write(map(ndjson.line, chunks))

    async def beat(self) -> None:
        """Send nothing."""


async def next_event(stream: EventStream, writer: EventWriter) -> Event | None:
    """Return the stream's next event, with heartbeats while it takes long."""
    return await with_heartbeats(stream.next(), writer)


async def with_heartbeats(
    awaitable: Coroutine[Any, Any, _T], writer: EventWriter
) -> _T:
    """Return what ``awaitable`` does, with heartbeats while it takes long.

    Raises:
        StreamClosedError: The client has gone.
    """
    waiting = asyncio.ensure_future(awaitable)
    left = writer.client_left
    try:
        while True:
            await asyncio.wait(
                {waiting, left},
                timeout=HEARTBEAT,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if waiting.done():
                return waiting.result()
            if left.done():
                raise StreamClosedError
            await writer.beat()
    finally:
        waiting.cancel()
