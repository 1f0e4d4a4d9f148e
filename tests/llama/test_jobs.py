"""Jobs between the engine's steps: what they compute, and what they refuse."""

from collections.abc import Iterator, Sequence
from contextlib import closing

import numpy as np
import pytest

from llm_ext.core.events import Failed, Finished, Vectors
from llm_ext.core.requests import EmbedRequest
from llm_ext.engine.engine import Engine
from llm_ext.errors import InvalidRequestError
from llm_ext.ipc.messages import Published
from llm_ext.llama.model import Model
from llm_ext.llama.pooled_context import PooledContext
from llm_ext.llama.vectors import Vector
from llm_ext.worker.engine_thread import EngineThread
from llm_ext.worker.job_inputs import JobInputs, JobPreparation
from llm_ext.worker.jobs import Jobs
from tests.fakes.backend import FakeBackend
from tests.models.builder import write_model
from tests.models.encoder import write_tiny
from tests.models.opened import all_opened
from tests.stepping import sequence

CELLS = 1024


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Model]]:
    """A model that reads only forward and writes text, and one that reads both ways."""
    folder = tmp_path_factory.mktemp("jobs")
    files = {
        "forward": write_model(folder / "llama.gguf"),
        "both-ways": write_tiny(folder / "bert.gguf"),
    }
    with all_opened(files) as loaded:
        yield loaded


@pytest.fixture
def forward(models: dict[str, Model]) -> Model:
    return models["forward"]


@pytest.fixture
def both_ways(models: dict[str, Model]) -> Model:
    return models["both-ways"]


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """The lengths of the texts in each decode."""
    sizes: list[list[int]] = []
    compute = PooledContext.compute

    def seen(
        self: PooledContext, texts: Sequence[Sequence[int]], *, start: int
    ) -> list[Vector]:
        sizes.append([len(text) for text in texts])
        return compute(self, texts, start=start)

    monkeypatch.setattr(PooledContext, "compute", seen)
    return sizes


class Place:
    """An engine on a fake backend beside the jobs of a real model."""

    def __init__(self, jobs: Jobs) -> None:
        backend = FakeBackend(n_cells=10**4, n_batch=512)
        self.engine = Engine(backend, n_slots=2)
        self.jobs = jobs
        self.reports: list[Published] = []
        self.thread = EngineThread(self.engine, jobs, self.reports.append, interval=0)

    def finish(self) -> list[int]:
        """Step until the jobs are done; return what each step left to them."""
        left: list[int] = []
        while not left or not self.jobs.idle:
            self.thread.step()
            left.append(self.engine.scheduler.spare)
        return left


def job(number: int, *lengths: int) -> JobInputs:
    return JobInputs(request_id=number, inputs=[[7] * length for length in lengths])


def test_a_job_computes_no_more_beside_a_stream_than_a_prompt_may(
    forward: Model, computed: list[list[int]]
) -> None:
    """Also right behind the step in which the stream drew its first token."""
    with closing(Jobs(forward, cells=CELLS, threads=1)) as jobs:
        place = Place(jobs)
        place.thread.submit([sequence(1, prompt=100, answer=5000)])
        place.thread.submit(job(2, 700, 40, 5, 5))
        left = place.finish()
    assert all(
        sum(lengths) <= most for lengths, most in zip(computed, left, strict=True)
    )
    assert max(left) <= 128
    assert sum(map(sum, computed)) == 750


def test_a_job_and_a_prompt_share_what_a_stream_can_bear(forward: Model) -> None:
    with closing(Jobs(forward, cells=CELLS, threads=1)) as jobs:
        place = Place(jobs)
        place.thread.submit([sequence(1, prompt=4, answer=5000)])
        place.thread.step()
        place.thread.submit([sequence(2, prompt=5000, answer=1)])
        place.thread.submit(job(3, 100))
        assert set(place.finish()) == {16}


def test_an_input_that_is_read_both_ways_is_alone_beside_a_stream(
    both_ways: Model, computed: list[list[int]]
) -> None:
    """It cannot be cut; but nobody else's tokens are computed with it."""
    with closing(Jobs(both_ways, cells=CELLS, threads=1)) as jobs:
        place = Place(jobs)
        place.thread.submit([sequence(1, prompt=4, answer=5000)])
        place.thread.step()
        place.thread.submit(job(2, 200, 200, 8, 8))
        place.finish()
    assert computed == [[200], [200], [8, 8]]


def test_a_job_without_a_stream_fills_its_decodes(
    forward: Model, computed: list[list[int]]
) -> None:
    with closing(Jobs(forward, cells=CELLS, threads=1)) as jobs:
        place = Place(jobs)
        place.thread.submit(job(2, 700, 40, 5))
        place.finish()
    assert computed == [[512], [188], [40, 5]]


def test_dimensions_that_there_are_not_are_refused_before_the_job_begins(
    both_ways: Model,
) -> None:
    """And so before anything is tokenised or computed."""
    request = EmbedRequest(model="m", inputs=("a",), dimensions=33)
    preparation = JobPreparation(both_ways, limit=CELLS)
    with pytest.raises(InvalidRequestError, match="have 32 components") as refusal:
        preparation.inputs(1, request)
    assert refusal.value.param == "dimensions"


def test_vectors_are_cut_and_have_length_one(both_ways: Model) -> None:
    request = EmbedRequest(model="m", inputs=((7, 8, 9),), dimensions=8)
    prepared = JobPreparation(both_ways, limit=CELLS).inputs(1, request)
    with closing(Jobs(both_ways, cells=CELLS, threads=1)) as jobs:
        jobs.submit(prepared)
        (answer,) = [e for _, e in jobs.step(512) if isinstance(e, Vectors)]
    (vector,) = (np.frombuffer(one, "<f4") for one in answer.vectors)
    assert vector.shape == (8,)
    assert np.linalg.norm(vector) == pytest.approx(1)


def test_a_long_text_is_cut_where_that_was_asked(forward: Model) -> None:
    texts = ((7,) * 20, (7,) * 3)
    request = EmbedRequest(model="m", inputs=texts, truncate=True)
    prepared = JobPreparation(forward, limit=10).inputs(1, request)
    assert [len(tokens) for tokens in prepared.inputs] == [10, 3]


def test_a_job_is_refused_at_once_or_can_be_cancelled(forward: Model) -> None:
    with closing(Jobs(forward, cells=CELLS, threads=1)) as jobs:
        ((_, refused),) = jobs.submit(JobInputs(request_id=1, inputs=[[7]], ranks=True))
        assert isinstance(refused, Failed)
        assert refused.code == "not_supported"
        jobs.submit(job(2, 700))
        jobs.step(512)
        ((number, end),) = jobs.cancel(2)
        assert (number, jobs.idle) == (2, True)
        assert isinstance(end, Finished)
        assert end.reason == "cancelled"
