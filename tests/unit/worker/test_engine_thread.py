"""The loop that steps the engine, on a fake backend and without jobs."""

from collections.abc import Sequence as Items

from llm_ext.core.events import (
    Delta,
    Failed,
    Finished,
    FinishReason,
    TextDelta,
    TokenLogprob,
)
from llm_ext.core.sampling import SamplingParams
from llm_ext.engine.engine import Engine
from llm_ext.engine.reader import PlainReader
from llm_ext.engine.sequence import Sequence
from llm_ext.ipc.codec import encode
from llm_ext.ipc.messages import Published
from llm_ext.worker.engine_thread import EngineThread
from tests.fakes.backend import FakeBackend
from tests.stepping import sequence

STEP = 0.03
"""Seconds a step takes."""


class NoJobs:
    """Jobs of which there are none."""

    idle = True

    def cancel(self, _number: int) -> list[object]:
        return []


class Place:
    """An engine thread, stepped by hand, and what was sent."""

    def __init__(self) -> None:
        self.engine = Engine(FakeBackend(n_cells=100, n_batch=32), n_slots=2)
        self.sent: list[Published] = []
        jobs = NoJobs()
        self.thread = EngineThread(
            self.engine,
            jobs,  # type: ignore[arg-type]  # enough of them
            self._send,
            interval=0.07,
            clock=lambda: self.engine.steps * STEP,
        )

    def _send(self, report: Published) -> None:
        encode(report)
        self.sent.append(report)

    def finish(self) -> None:
        while not self.engine.idle or not self.sent:
            self.thread.step()

    def ends(self) -> dict[int, Finished | Failed]:
        """Return how each request ended; it did so once."""
        found: dict[int, Finished | Failed] = {}
        for report in self.sent:
            for number, event in report.events:
                if isinstance(event, (Finished, Failed)):
                    assert number not in found
                    found[number] = event
        return found


class HalfReader(PlainReader):
    """Makes half a character of everything, at once or in the end."""

    def __init__(self, *, at_end: bool) -> None:
        super().__init__(0)
        self._at_end = at_end

    def feed(
        self,
        text: str,
        logprobs: Items[TokenLogprob] = (),
        starts: Items[int] = (),
    ) -> list[Delta]:
        if self._at_end:
            return super().feed(text, logprobs, starts)
        return [TextDelta("\ud83d", 0)]

    def finish(self, reason: FinishReason) -> tuple[list[Delta], FinishReason]:
        return [TextDelta("\ud83d", 0)], reason


def unsendable(number: int, *, at_end: bool) -> Sequence:
    return Sequence(
        request_id=number,
        prompt=[1, 2, 3],
        params=SamplingParams(),
        limit=8,
        reader=HalfReader(at_end=at_end),
    )


def test_tokens_of_a_few_steps_are_told_together() -> None:
    """The first comes alone, and all are told before another's prompt is read."""
    place = Place()
    place.thread.submit([sequence(1, 4, 14)])
    while place.engine.steps < 9:
        place.thread.step()
    place.thread.submit([sequence(2, 40, 1)])
    place.finish()
    steps = [report.status.steps for report in place.sent]
    assert steps == [0, 1, 4, 7, 9, 10, 11, 12, 14]


def test_an_answer_that_cannot_be_sent_fails_alone() -> None:
    """Another one, in the same steps, goes on."""
    place = Place()
    place.thread.submit([unsendable(1, at_end=False)])
    place.thread.submit([sequence(2, 4, 20)])
    place.finish()
    ends = place.ends()
    failed = ends[1]
    assert isinstance(failed, Failed)
    assert "cannot be sent" in failed.message
    assert isinstance(ends[2], Finished)
    assert ends[2].usage.completion_tokens == 20


def test_an_answer_fails_once_also_where_its_end_comes_with_what_fails() -> None:
    place = Place()
    place.thread.submit([unsendable(1, at_end=True)])
    place.finish()
    assert isinstance(place.ends()[1], Failed)
