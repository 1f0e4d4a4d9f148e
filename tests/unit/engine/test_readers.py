"""Answers that are read on their way out, and how long they took."""

from collections.abc import Sequence as Items

from llm_ext.core.events import (
    ChoiceEnded,
    Delta,
    EngineEvent,
    Finished,
    FinishReason,
    ReasoningDelta,
    Timings,
    TokenLogprob,
)
from llm_ext.engine.engine import Engine
from tests.fakes.backend import FakeBackend
from tests.stepping import sequence


class CountingReader:
    """Takes every token for a thought, and has had enough after ``most``."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.reasoning_tokens = 0

    @property
    def done(self) -> bool:
        return self.reasoning_tokens == self._most

    def feed(
        self,
        text: str,
        logprobs: Items[TokenLogprob] = (),
        starts: Items[int] = (),
    ) -> list[Delta]:
        assert len(logprobs) == len(starts)
        if not text:
            return []
        self.reasoning_tokens += 1
        return [ReasoningDelta(text=text)]

    def finish(self, reason: FinishReason) -> tuple[list[Delta], FinishReason]:
        last: list[Delta] = [ReasoningDelta(text="end")]
        return last, "tool_calls" if reason == "stop" else reason


def run(engine: Engine, reader: CountingReader, answer: int) -> list[EngineEvent]:
    asked = sequence(1, 20, answer)
    asked.read_by = reader
    events = engine.submit(asked)
    while not engine.idle:
        events += engine.step()
    return [event for _, event in events]


def backend() -> FakeBackend:
    return FakeBackend(n_cells=64, n_batch=8, n_seq_ids=4)


def test_a_reader_makes_the_deltas_and_ends_the_answer() -> None:
    """When it has had enough; and it says why the answer ended."""
    events = run(Engine(backend(), n_slots=1), CountingReader(3), 10)
    texts = [event.text for event in events if isinstance(event, ReasoningDelta)]
    assert len(texts) == 4
    assert texts[-1] == "end"
    ended, finished = events[-2:]
    assert isinstance(ended, ChoiceEnded)
    assert isinstance(finished, Finished)
    assert ended.reason == finished.reason == "tool_calls"
    assert finished.usage.reasoning_tokens == 3


def test_a_reader_is_told_of_the_limit() -> None:
    events = run(Engine(backend(), n_slots=1), CountingReader(30), 5)
    finished = events[-1]
    assert isinstance(finished, Finished)
    assert finished.reason == "length"


def test_a_request_is_timed_from_its_first_step() -> None:
    """To the first draw, and from there to the end; each step takes half a second."""
    engine = Engine(backend(), n_slots=1, clock=lambda: 100 + engine.steps / 2)
    finished = run(engine, CountingReader(3), 10)[-1]
    assert isinstance(finished, Finished)
    assert finished.timings == Timings(prompt=1.5, answer=2.0)


def test_what_was_never_begun_has_no_timings() -> None:
    engine = Engine(backend(), n_slots=1)
    engine.submit(sequence(1, 20, 5))
    finished = engine.cancel(1)[-1][1]
    assert isinstance(finished, Finished)
    assert finished.timings is None
