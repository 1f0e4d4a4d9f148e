"""Server-sent events over a Tornado handler."""

import asyncio
from collections.abc import Iterable

from tornado.web import RequestHandler

from llm_ext.core.events import Event
from llm_ext.pool.stream import EventStream
from llm_ext.wire import sse

HEARTBEAT = 15.0
"""Seconds of silence after which a comment is sent: proxies cut idle connections."""


class EventWriter:
    """Writes events, and waits for slow clients rather than collect for them."""

    def __init__(self, handler: RequestHandler) -> None:
        self._handler = handler

    async def open(self) -> None:
        """Send the headers now, so that the client knows that work has begun."""
        self._handler.set_header("Content-Type", sse.MEDIA_TYPE)
        self._handler.set_header("Cache-Control", "no-cache")
        # nginx, in front of many hubs, would collect the whole answer first.
        self._handler.set_header("X-Accel-Buffering", "no")
        await self._handler.flush()

    async def write(self, chunks: Iterable[bytes]) -> None:
        """Send ``chunks``; StreamClosedError if the client has gone."""
        for chunk in chunks:
            self._handler.write(chunk)
        await self._handler.flush()


async def next_event(stream: EventStream, writer: EventWriter) -> Event | None:
    """Return the stream's next event, with heartbeats while it takes long."""
    waiting = asyncio.ensure_future(stream.next())
    try:
        while True:
            done, _ = await asyncio.wait({waiting}, timeout=HEARTBEAT)
            if done:
                return waiting.result()
            await writer.write([sse.comment("ping")])
    except BaseException:
        waiting.cancel()
        raise
