"""Answers that outlive their readers."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from functools import wraps
from typing import ParamSpec

import pytest

from llm_ext.core.events import (
    Accepted,
    ChoiceEnded,
    Event,
    Failed,
    Finished,
    Loading,
    TextDelta,
    Usage,
)
from llm_ext.errors import ConversationBusyError, StoreError, WorkerDiedError
from llm_ext.pool.stream import EventStream
from llm_ext.replies import Answer, Replies
from tests.waiting import until

_P = ParamSpec("_P")

USAGE = Usage(prompt_tokens=3, completion_tokens=2)
END: list[Event] = [
    ChoiceEnded(choice=0, reason="stop"),
    Finished(reason="stop", usage=USAGE),
]


class Asked:
    """A stream that the test pushes into, and whether it was cancelled."""

    def __init__(self) -> None:
        self._closed = asyncio.Event()
        self.stream = EventStream("m", None, cold=False, on_close=self._cancel)

    def _cancel(self) -> None:
        self._closed.set()

    @property
    def cancelled(self) -> bool:
        """Whether the stream was closed."""
        return self._closed.is_set()

    def push(self, *events: Event) -> None:
        for event in events:
            self.stream.push(event)


def tell(event: Event) -> Iterable[bytes]:
    match event:
        case TextDelta():
            yield event.text.encode()
        case Failed():
            yield f"<{event.code}>".encode()
        case Finished():
            yield f"<{event.reason} {event.usage.total_tokens}>".encode()


def on_a_loop(test: Callable[_P, Awaitable[None]]) -> Callable[_P, None]:
    @wraps(test)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> None:
        async def main() -> None:
            await asyncio.wait_for(test(*args, **kwargs), 10)

        asyncio.run(main())

    return run


async def all_of(answer: Answer) -> bytes:
    said = b""
    seen = 0
    while chunks := await answer.after(seen):
        seen += len(chunks)
        said += b"".join(chunks)
    return said


@pytest.mark.parametrize("when", range(6))
@on_a_loop
async def test_a_reader_that_comes_late_misses_nothing(when: int) -> None:
    """At any moment: what was said, then what comes."""
    asked = Asked()
    answer = Answer(asked.stream, tell, opening=[b"<begin>"])
    events = [Accepted(prompt_tokens=3), TextDelta(text="a"), TextDelta(text="b"), *END]
    reader = None
    for number, event in enumerate([*events, None]):
        if number == when:
            reader = asyncio.create_task(all_of(answer))
        if event is not None:
            asked.push(event)
        await asyncio.sleep(0)
    assert reader is not None
    assert await reader == b"<begin>ab<stop 5>"
    assert (answer.ended, answer.failed) == (True, False)
    assert await all_of(answer) == b"<begin>ab<stop 5>"


@on_a_loop
async def test_it_goes_on_when_its_reader_goes() -> None:
    """Nothing is cancelled, and the next reader gets all of it."""
    asked = Asked()
    answer = Answer(asked.stream, tell)
    reader = asyncio.create_task(all_of(answer))
    asked.push(TextDelta(text="a"))
    await asyncio.sleep(0)
    reader.cancel()
    await asyncio.gather(reader, return_exceptions=True)
    assert not asked.cancelled
    asked.push(TextDelta(text="b"), *END)
    assert await all_of(answer) == b"ab<stop 5>"


@on_a_loop
async def test_what_is_there_of_a_stopped_answer_is_kept() -> None:
    """It ends as a cancelled one; the engine is told, and readers see the end."""
    asked, kept = Asked(), asyncio.Event()

    async def keep() -> None:
        kept.set()

    answer = Answer(asked.stream, tell, keep=keep)
    asked.push(Accepted(prompt_tokens=3), TextDelta(text="a"))
    assert await answer.after(0) == [b"a"]
    answer.stop()
    answer.stop()
    await answer.wait()
    assert asked.cancelled
    assert kept.is_set()
    assert await all_of(answer) == b"a<cancelled 4>"


@on_a_loop
async def test_the_end_is_seen_when_the_answer_is_kept() -> None:
    """A reader that saw the end finds the answer in the store."""
    asked, keeping, may_go_on = Asked(), asyncio.Event(), asyncio.Event()

    async def keep() -> None:
        keeping.set()
        await may_go_on.wait()

    answer = Answer(asked.stream, tell, keep=keep)
    reader = asyncio.create_task(all_of(answer))
    asked.push(*END)
    await keeping.wait()
    assert not reader.done()
    assert not answer.ended
    may_go_on.set()
    assert await reader == b"<stop 5>"


@on_a_loop
async def test_an_answer_that_cannot_be_kept_says_so() -> None:
    asked = Asked()

    async def keep() -> None:
        raise StoreError("file", "the disk is full")

    answer = Answer(asked.stream, tell, keep=keep)
    asked.push(TextDelta(text="a"), *END)
    assert await all_of(answer) == b"a<store_error>"
    assert answer.failed


@on_a_loop
async def test_a_failed_answer_is_kept_as_far_as_it_came() -> None:
    asked, kept = Asked(), asyncio.Event()

    async def keep() -> None:
        kept.set()

    answer = Answer(asked.stream, tell, keep=keep)
    asked.push(TextDelta(text="a"), Failed.of(WorkerDiedError("It died.")))
    assert await all_of(answer) == b"a<worker_died>"
    assert answer.failed
    assert kept.is_set()


@on_a_loop
async def test_a_bug_does_not_leave_readers_waiting() -> None:
    """They are told, and the log has the trace."""
    asked = Asked()

    def broken(event: Event) -> Iterable[bytes]:
        if isinstance(event, Loading):
            raise ZeroDivisionError
        return tell(event)

    answer = Answer(asked.stream, broken)
    asked.push(Loading(stage="reading", fraction=0.5))
    assert await all_of(answer) == b"<error>"
    assert answer.failed
    assert asked.cancelled


@on_a_loop
async def test_without_readers_it_loses_patience() -> None:
    """Only where that is asked for, and only while there is none."""
    patient, impatient = Asked(), Asked()
    forever = Answer(patient.stream, tell)
    answer = Answer(impatient.stream, tell, patience=0.02)
    with answer.reading(), forever.reading():
        await asyncio.sleep(0.06)  # longer than its patience
        assert (impatient.cancelled, patient.cancelled) == (False, False)
    await answer.wait()
    assert (impatient.cancelled, patient.cancelled) == (True, False)
    forever.stop()
    await forever.wait()


@on_a_loop
async def test_one_answer_runs_under_a_key() -> None:
    """A second is refused until the first has ended; another key is free."""
    replies, asked = Replies(), Asked()
    taken = ConversationBusyError()
    with replies.reserve(("a",), taken):
        with pytest.raises(ConversationBusyError), replies.reserve(("a",), taken):
            pass
        with replies.reserve(("b",), taken):
            pass
        answer = Answer(asked.stream, tell)
        replies.begin(("a",), answer)
    assert replies.find(("a",)) is answer
    assert replies.find(("b",)) is None
    with pytest.raises(ConversationBusyError), replies.reserve(("a",), taken):
        pass
    asked.push(*END)
    await answer.wait()
    with replies.reserve(("a",), taken):
        assert replies.find(("a",)) is answer
    await replies.stop()


@on_a_loop
async def test_ended_answers_are_forgotten_in_time() -> None:
    """After a while, or when there are too many; the oldest first."""
    replies = Replies(kept_for=60, most_kept=2)
    answers = []
    for name in "abc":
        asked = Asked()
        answers.append(Answer(asked.stream, tell))
        replies.begin((name,), answers[-1])
        asked.push(*END)
        await answers[-1].wait()
        await asyncio.sleep(0)
    await until(lambda: replies.find(("a",)) is None)
    assert [replies.find((name,)) for name in "bc"] == answers[1:]
    await replies.stop()

    replies, asked = Replies(kept_for=0.01), Asked()
    replies.begin(("a",), Answer(asked.stream, tell))
    asked.push(*END)
    await until(lambda: replies.find(("a",)) is None)
    await replies.stop()


@on_a_loop
async def test_stopping_the_server_keeps_every_answer() -> None:
    """It returns when all are kept."""
    replies = Replies()
    kept: list[int] = []

    async def keep() -> None:
        await asyncio.sleep(0)
        kept.append(1)

    for name in "ab":
        asked = Asked()
        replies.begin((name,), Answer(asked.stream, tell, keep=keep))
        asked.push(TextDelta(text=name))
    await replies.stop()
    assert len(kept) == 2
    assert replies.find(("a",)) is None
