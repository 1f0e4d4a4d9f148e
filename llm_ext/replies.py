"""Answers that outlive their readers: written once, read by whoever attaches.

::

    EventStream ──► Answer ──► chunks ──► reader, reader, ...
                      │
                      └─► kept, before the last chunk is read

A reader gets all chunks from the first on, then the new ones as they come. When it goes
away the answer goes on.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from typing import TypeAlias

from llm_ext.core.events import (
    Accepted,
    ChoiceEnded,
    Delta,
    Event,
    Failed,
    Finished,
    Usage,
)
from llm_ext.errors import LLMError
from llm_ext.pool.stream import EventStream

KEPT_FOR = 300.0
"""Seconds for which an answer that has ended can still be read."""

MOST_KEPT = 64
"""Ended answers that are kept at once; the oldest go first."""

Key: TypeAlias = tuple[str, ...]
"""Who owns an answer, and what it answers."""

Tell: TypeAlias = Callable[[Event], Iterable[bytes]]
"""Makes what readers see of an event."""

Keep: TypeAlias = Callable[[], Awaitable[None]]
"""Stores a finished answer. May raise LLMError, which readers are told."""

_log = logging.getLogger(__name__)


class Answer:
    """One answer and what is there of it.

    Args:
        stream: Where its events come from.
        tell: Makes chunks of them.
        opening: Chunks before those.
        first: Events that were taken from the stream already.
        keep: Stores the answer, when all of it is told.
        patience: Seconds without a reader after which it is stopped; None is never.
        request: See the attribute.

    Attributes:
        ended: Whether there will be nothing more.
        failed: Whether it ended with an error.
        request: What it answers, as its owner wrote it; tells two requests apart.
    """

    def __init__(
        self,
        stream: EventStream,
        tell: Tell,
        *,
        opening: Iterable[bytes] = (),
        first: Iterable[Event] = (),
        keep: Keep | None = None,
        patience: float | None = None,
        request: bytes = b"",
    ) -> None:
        self.ended = False
        self.failed = False
        self.request = request
        self._stream = stream
        self._tell = tell
        self._keep = keep
        self._patience = patience
        self._chunks = list(opening)
        self._tally = _Tally()
        for event in first:
            self._tally.note(event)
            self._chunks += tell(event)
        self._news = asyncio.Event()
        self._readers = 0
        self._timer: asyncio.TimerHandle | None = None
        self._task = asyncio.create_task(self._write())

    async def after(self, seen: int) -> list[bytes]:
        """Return the chunks after the first ``seen``; waits for some, empty at the end.

        Raises:
            asyncio.CancelledError: The reader went away; the answer goes on.
        """
        while len(self._chunks) <= seen and not self.ended:
            await self._news.wait()
        return self._chunks[seen:]

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Be a reader meanwhile: an answer may lose patience when it has none."""
        self._readers += 1
        self._disarm()
        try:
            yield
        finally:
            self._readers -= 1
            self._arm()

    def stop(self) -> None:
        """End it now; what is there of it is kept. Calling it again does nothing."""
        self._stream.close()

    async def wait(self) -> None:
        """Return when it has ended and is kept."""
        await asyncio.wait({self._task})

    async def _write(self) -> None:
        try:
            with closing(self._stream):
                await self._follow()
        except Exception:  # noqa: BLE001  # readers must be told, whatever it is
            _log.exception("an answer could not be written")
            error = LLMError("The server failed to write this answer; see its log.")
            self._chunks += self._tell(Failed.of(error))
            self.failed = True
        finally:
            self.ended = True
            self._disarm()
            self._news.set()

    async def _follow(self) -> None:
        async for event in self._stream:
            self._tally.note(event)
            if isinstance(event, (Finished, Failed)):
                self.failed = isinstance(event, Failed)
                await self._finish([event])
                return
            self._publish(self._tell(event))
        await self._finish(self._tally.cancelled())

    async def _finish(self, events: Iterable[Event]) -> None:
        """Keep the answer, then let readers see that it has ended."""
        chunks = [chunk for event in events for chunk in self._tell(event)]
        try:
            if self._keep is not None:
                await self._keep()
        except LLMError as error:
            chunks = list(self._tell(Failed.of(error)))
            self.failed = True
        self._publish(chunks)

    def _publish(self, chunks: Iterable[bytes]) -> None:
        self._chunks += chunks
        self._news.set()
        self._news = asyncio.Event()

    def _arm(self) -> None:
        if self._patience is not None and not self._readers and not self.ended:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._patience, self.stop)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Replies:
    """Owns the answers that run, and for a while those that ended.

    All methods run on the event loop.
    """

    def __init__(
        self, *, kept_for: float = KEPT_FOR, most_kept: int = MOST_KEPT
    ) -> None:
        self._kept_for = kept_for
        self._most_kept = most_kept
        self._answers: dict[Key, Answer] = {}
        self._reserved: set[Key] = set()
        self._timers: dict[Key, asyncio.TimerHandle] = {}
        self._watching: set[asyncio.Task[None]] = set()

    @contextmanager
    def reserve(self, key: Key, taken: LLMError) -> Iterator[None]:
        """Let nobody else begin an answer under ``key`` meanwhile.

        Raises:
            LLMError: ``taken``: one runs, or somebody else is about to begin one.
        """
        running = self._answers.get(key)
        if key in self._reserved or (running is not None and not running.ended):
            raise taken
        self._reserved.add(key)
        try:
            yield
        finally:
            self._reserved.remove(key)

    def begin(self, key: Key, answer: Answer) -> None:
        """Take over an answer that was just begun; an ended one gives way to it."""
        self._forget(key)
        self._answers[key] = answer
        watch = asyncio.create_task(self._watch(key, answer))
        self._watching.add(watch)
        watch.add_done_callback(self._watching.discard)

    def find(self, key: Key) -> Answer | None:
        """Return the answer that runs, or ended not long ago."""
        return self._answers.get(key)

    async def stop(self) -> None:
        """End all answers, and return when they are kept."""
        answers = list(self._answers.values())
        for answer in answers:
            answer.stop()
        await asyncio.gather(*[answer.wait() for answer in answers])
        await asyncio.gather(*self._watching)
        for key in list(self._answers):
            self._forget(key)

    async def _watch(self, key: Key, answer: Answer) -> None:
        await answer.wait()
        if self._answers.get(key) is not answer:
            return
        loop = asyncio.get_running_loop()
        self._timers[key] = loop.call_later(self._kept_for, self._forget, key)
        while len(self._timers) > self._most_kept:
            self._forget(next(iter(self._timers)))

    def _forget(self, key: Key) -> None:
        self._answers.pop(key, None)
        timer = self._timers.pop(key, None)
        if timer is not None:
            timer.cancel()


class _Tally:
    """What has come so far, to end an answer properly that is stopped."""

    def __init__(self) -> None:
        self._prompt = 0
        self._pieces = 0
        self._open: dict[int, None] = {0: None}

    def note(self, event: Event) -> None:
        if isinstance(event, Accepted):
            self._prompt = event.prompt_tokens
        elif isinstance(event, ChoiceEnded):
            self._open.pop(event.choice, None)
        elif isinstance(event, Delta):
            self._pieces += 1
            self._open[event.choice] = None

    def cancelled(self) -> list[Event]:
        """Return the events of an end; a piece of text counts as one token."""
        usage = Usage(prompt_tokens=self._prompt, completion_tokens=self._pieces)
        ends = [ChoiceEnded(choice=choice, reason="cancelled") for choice in self._open]
        return [*ends, Finished(reason="cancelled", usage=usage)]
