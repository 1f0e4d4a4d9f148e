"""The events of one request, or of one load, on their way to whoever asked."""

import asyncio
import time
from collections.abc import Callable

from llm_ext.core.events import Event, Failed, Finished, Rerouted
from llm_ext.core.provider_status import LOCAL
from llm_ext.core.requests import Request

from .timing import Timing


class EventStream:
    """Iterate over it in ``with closing(...)``; leaving that early cancels the request.

    A stream without a request watches a load: it ends with ``Ready`` or ``Failed``.

    Attributes:
        model: The id of the model; that of another once it is rerouted.
        provider: Who answers.
        request: What is to be answered; None for a load.
        cold: Whether the model was not ready when the stream was opened.
        user: Who asks.
        timing: When what happened.
        on_usage: Told how many tokens it took, once that is known.
        patience: Seconds within which it is clear whether the request is accepted;
            None where that is waited for.
    """

    def __init__(
        self,
        model: str,
        request: Request | None,
        *,
        cold: bool,
        on_close: Callable[[], None],
        user: str = "",
    ) -> None:
        self.model = model
        self.provider = LOCAL
        self.request = request
        self.cold = cold
        self.user = user
        self.timing = Timing(time.monotonic())
        self.on_usage: Callable[[int], None] | None = None
        self.patience: float | None = None
        self._on_close = on_close
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()
        self._ended = False
        self._closed = False

    def push(self, event: Event) -> None:
        """Add an event; whatever comes after the last one is dropped."""
        if not self._ended:
            self.timing.note(event, time.monotonic())
            self._events.put_nowait(event)
            self._ended = isinstance(event, (Finished, Failed))

    def reroute(self, model: str, provider: str, reason: str) -> None:
        """Say that another model answers than was asked for."""
        self.model = model
        self.provider = provider
        self.push(Rerouted(model=model, reason=reason))

    def charge(self, tokens: int) -> None:
        """Tell how many tokens it took."""
        if self.on_usage is not None:
            self.on_usage(tokens)

    @property
    def ended(self) -> bool:
        """Whether there will be no more events."""
        return self._ended

    def end(self) -> None:
        """Say that the event pushed last was the last one."""
        self._ended = True

    async def next(self) -> Event | None:
        """Return the next event; None after the last, and once it is closed."""
        if self._closed or (self._ended and self._events.empty()):
            return None
        return await self._events.get()

    def there(self) -> list[Event]:
        """Take the events that have come already; empty if there are none."""
        found: list[Event] = []
        while not self._closed and not self._events.empty():
            event = self._events.get_nowait()
            if event is not None:
                found.append(event)
        return found

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
