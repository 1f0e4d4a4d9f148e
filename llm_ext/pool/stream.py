"""The events of one request, or of one load, on their way to whoever asked."""

import asyncio
from collections.abc import Callable

from llm_ext.core.events import Event, Failed, Finished
from llm_ext.core.requests import Request


class EventStream:
    """Iterate over it in ``with closing(...)``; leaving that early cancels the request.

    A stream without a request watches a load: it ends with ``Ready`` or ``Failed``.

    Attributes:
        model: The id of the model.
        request: What is to be answered; None for a load.
        cold: Whether the model was not ready when the stream was opened.
    """

    def __init__(
        self,
        model: str,
        request: Request | None,
        *,
        cold: bool,
        on_close: Callable[[], None],
    ) -> None:
        self.model = model
        self.request = request
        self.cold = cold
        self._on_close = on_close
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()
        self._ended = False
        self._closed = False

    def push(self, event: Event) -> None:
        """Add an event; whatever comes after the last one is dropped."""
        if not self._ended:
            self._events.put_nowait(event)
            self._ended = isinstance(event, (Finished, Failed))

    def end(self) -> None:
        """Say that the event pushed last was the last one."""
        self._ended = True

    async def next(self) -> Event | None:
        """Return the next event; None after the last, and once it is closed."""
        if self._closed or (self._ended and self._events.empty()):
            return None
        return await self._events.get()

    def close(self) -> None:
        """Say that nobody listens any more. Calling it again does nothing."""
        if not self._closed:
            self._closed = True
            self._events.put_nowait(None)  # wakes whoever waits in next()
            self._on_close()

    def __aiter__(self) -> "EventStream":
        return self

    async def __anext__(self) -> Event:
        event = await self.next()
        if event is None:
            raise StopAsyncIteration
        return event
