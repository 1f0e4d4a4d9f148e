"""What Prometheus is told."""

import asyncio
import re
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from llm_ext.core.changes import WorkerChanged
from llm_ext.core.events import (
    Accepted,
    EngineEvent,
    Failed,
    Finished,
    Ready,
    TextDelta,
    Timings,
    Usage,
)
from llm_ext.core.messages import ChatMessage
from llm_ext.core.requests import ChatRequest
from llm_ext.core.sampling import SamplingOptions
from llm_ext.core.settings import Limits, Settings
from llm_ext.core.worker_status import WorkerStatus
from llm_ext.errors import EngineError, QueueFullError
from llm_ext.ipc.messages import EngineStatus, Published
from llm_ext.metrics.collector import Metrics
from llm_ext.metrics.tally import RECENT, Histogram, Speed, Tally
from llm_ext.pool.stream import EventStream
from llm_ext.pool.timing import Timing
from llm_ext.services import Services, build
from tests.fakes.needs import FakeNeeds
from tests.fakes.worker import FakeLauncher

END = Finished(
    reason="stop",
    usage=Usage(prompt_tokens=10, completion_tokens=4, cached_tokens=3),
    timings=Timings(prompt=2, answer=8),
)
Labels = dict[str, str]


def shown() -> dict[str, list[tuple[Labels, float]]]:
    """Return what this process's metrics say now, read as Prometheus reads it."""
    text = generate_latest(REGISTRY).decode()
    found: dict[str, list[tuple[Labels, float]]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append((sample.labels, sample.value))
    return found


def value(name: str, **labels: str) -> float:
    """Return the one value with these labels."""
    (found,) = [
        number
        for given, number in shown()[name]
        if all(given.get(label) == text for label, text in labels.items())
    ]
    return found


Scenario = Callable[[Services, FakeLauncher], Coroutine[Any, Any, None]]


@pytest.fixture
def play(models: Path, tmp_path: Path) -> Callable[[Scenario], None]:
    """Run a scenario on services whose workers the test plays."""

    async def main(scenario: Scenario) -> None:
        launcher = FakeLauncher()
        settings = Settings(
            model_folders=(models,), data_folder=tmp_path, limits=Limits(waiting=2)
        )
        services = build(settings, launch=launcher, needs=FakeNeeds())
        await services.start()
        try:
            await scenario(services, launcher)
        finally:
            services.metrics.stop()

    return lambda scenario: asyncio.run(main(scenario))


async def ask(services: Services, model: str = "hello") -> EventStream:
    request = ChatRequest(
        model=model,
        messages=(ChatMessage(role="user", content="Hi"),),
        sampling=SamplingOptions(),
    )
    stream = await services.router.generate(request)
    await settle()
    return stream


async def settle() -> None:
    """Let everything happen that is due."""
    for _ in range(20):
        await asyncio.sleep(0)


def test_requests_are_counted_by_model(play: Callable[[Scenario], None]) -> None:
    """In llama-server's names, and in vLLM's."""

    async def scenario(services: Services, launcher: FakeLauncher) -> None:
        await ask(services)
        (worker,) = launcher.workers
        worker.become_ready()
        told: list[EngineEvent] = [
            Accepted(prompt_tokens=10),
            TextDelta("a"),
            TextDelta("b"),
            END,
        ]
        status = EngineStatus(
            slots=4, steps=8, slot_steps=12, cells=64, held_cells=16, swapped=9
        )
        worker.report(Published([(1, event) for event in told], status))
        hello = {"model": "hello"}
        assert value("llamacpp:prompt_tokens_total", **hello) == 7
        assert value("llamacpp:prompt_tokens_cached_total", **hello) == 3
        assert value("llamacpp:tokens_predicted_total", **hello) == 4
        assert value("llamacpp:n_tokens_max", **hello) == 14
        assert value("llamacpp:n_decode_total", **hello) == 8
        assert value("llamacpp:n_busy_slots_per_decode", **hello) == 1.5
        assert value("llm_ext:kv_cache_usage_perc", **hello) == 0.25
        assert value("llm_ext:kv_cache_swapped_tokens", **hello) == 9
        assert value("llamacpp:prompt_seconds_total", **hello) == 2
        assert value("llamacpp:prompt_tokens_seconds", **hello) == 3.5
        assert value("llamacpp:tokens_predicted_seconds_total", **hello) == 8
        assert value("llamacpp:predicted_tokens_seconds", **hello) == 0.5
        assert value("llm_ext:prompt_tokens_total", **hello) == 10
        assert value("llm_ext:generation_tokens_total", **hello) == 4
        assert value("llm_ext:prefix_cache_queries_total", **hello) == 10
        assert value("llm_ext:prefix_cache_hits_total", **hello) == 3
        assert value("llm_ext:request_success_total", **hello) == 1
        for name in (
            "time_to_first_token",
            "inter_token_latency",
            "e2e_request_latency",
            "request_queue_time",
            "request_prefill_time",
            "request_decode_time",
            "model_load",
        ):
            assert value(f"llm_ext:{name}_seconds_count", **hello) == 1, name
        assert value("llm_ext:model_memory_bytes", **hello, device="CPU") == 1

    play(scenario)


def test_what_goes_on_is_read_when_it_is_asked_for(
    play: Callable[[Scenario], None],
) -> None:
    """Also for models that nobody has used yet."""

    async def scenario(services: Services, launcher: FakeLauncher) -> None:
        await ask(services)
        await ask(services)
        assert value("llm_ext:num_requests_waiting", model="hello") == 2
        assert value("llamacpp:requests_deferred", model="hello") == 2
        launcher.workers[0].become_ready()
        launcher.workers[0].report(Published([], EngineStatus(slots=1, busy=1)))
        assert value("llm_ext:num_requests_running", model="hello") == 1
        assert value("llm_ext:num_requests_waiting", model="hello") == 1
        assert value("llamacpp:requests_processing", model="hello") == 1
        assert value("llm_ext:num_requests_running", model="babble") == 0

    play(scenario)


def test_failures_refusals_and_deaths_are_counted_by_code(
    play: Callable[[Scenario], None],
) -> None:
    """What was never taken on counts too; a name that is no model's does not."""

    async def scenario(services: Services, launcher: FakeLauncher) -> None:
        for _ in range(6):
            await ask(services)
        with pytest.raises(QueueFullError):
            await ask(services)
        (worker,) = launcher.workers
        worker.become_ready()
        error = Failed.of(EngineError("llama.cpp failed"))
        worker.report(Published([(1, error)], EngineStatus(slots=4)))
        worker.die(-9)
        await settle()

        def failures(code: str) -> float:
            return value("llm_ext:request_failure_total", model="hello", code=code)

        assert failures("queue_full") == 1
        assert failures("engine_error") == 1
        assert failures("worker_died") == 5
        assert value("llm_ext:worker_deaths_total", model="hello") == 1
        with pytest.raises(LookupError):
            shown()["llm_ext:request_success_total"]

    play(scenario)


def test_a_request_given_up_counts_but_its_times_do_not(
    play: Callable[[Scenario], None],
) -> None:
    """They are its client's doing."""

    async def scenario(services: Services, launcher: FakeLauncher) -> None:
        (await ask(services)).close()
        (await ask(services)).close()
        await ask(services)
        (worker,) = launcher.workers
        worker.become_ready()
        (number,) = worker.requests
        usage = Usage(prompt_tokens=2, completion_tokens=1)
        end = Finished(reason="cancelled", usage=usage)
        worker.report(
            Published(
                [(number, Accepted(prompt_tokens=2)), (number, end)], EngineStatus()
            )
        )
        ((labels, count),) = shown()["llm_ext:request_success_total"]
        assert labels == {"model": "hello", "finished_reason": "cancelled"}
        assert count == 1
        assert value("llm_ext:e2e_request_latency_seconds_count", model="hello") == 0
        assert value("llm_ext:generation_tokens_total", model="hello") == 1

    play(scenario)


def test_labels_are_ids_of_models_whatever_clients_call_them(
    play: Callable[[Scenario], None],
) -> None:
    """A worker's own name, another spelling and an alias are one model."""

    async def scenario(services: Services, launcher: FakeLauncher) -> None:
        await ask(services)
        await ask(services, "hello@w1")
        await ask(services, "Hello.gguf")
        launcher.workers[0].become_ready()
        ends: list[Any] = [(number, END) for number in (1, 2, 3)]
        launcher.workers[0].report(Published(ends, EngineStatus()))
        assert value("llm_ext:request_success_total") == 3
        ids = {status.id for status in await services.router.models()}
        for name, samples in shown().items():
            if name.startswith(("llm_ext:", "llamacpp:")):
                assert {labels["model"] for labels, _ in samples} <= ids, name

    play(scenario)


def test_a_load_counts_from_the_start_of_its_process() -> None:
    """What it waited for room is not its own."""
    now = [0.0]
    metrics = Metrics(lambda: now[0])

    def tell(at: float, state: str, pid: int | None) -> None:
        now[0] = at
        fields = {"id": "w1", "model": "m", "state": state, "pid": pid, "since": None}
        metrics.note(WorkerChanged(worker=WorkerStatus(**fields)))  # type: ignore[arg-type]  # the test's own

    tell(0, "loading", None)
    tell(100, "loading", 4711)
    tell(101, "loading", 4711)
    tell(103, "busy", 4711)
    tell(104, "ready", 4711)
    metrics.start(tuple)
    try:
        assert value("llm_ext:model_load_seconds_sum", model="m") == 3
        assert value("llm_ext:model_load_seconds_count", model="m") == 1
    finally:
        metrics.stop()


def test_the_last_server_of_a_process_is_the_one_that_is_shown() -> None:
    """Tests start many; a server that stops late does not take a newer one away."""
    first, second = Metrics(), Metrics()
    for metrics in (first, second):
        metrics.refused("old" if metrics is first else "new", EngineError("no"))
        metrics.start(tuple)
    first.stop()
    labels = [labels["model"] for labels, _ in shown()["llm_ext:request_failure_total"]]
    assert labels == ["new"]
    second.stop()
    assert "llm_ext:request_failure_total" not in shown()


def test_the_wait_is_what_the_load_and_the_worker_do_not_account_for() -> None:
    """However late the request was taken up, and whatever clocks say."""
    tally = Tally()
    timing = Timing(100)
    timing.note(Ready(), 130)
    timing.note(TextDelta("a"), 150)
    timing.note(END, 160)
    tally.answered(timing, END)
    assert tally.spans.whole.sum == 60
    assert tally.spans.first.sum == 50
    assert tally.spans.queue.sum == 30 - 2 - 8
    short = Timing(200)
    short.note(END, 201)
    tally.answered(short, END)
    assert tally.spans.queue.sum == 20
    assert tally.spans.first.sum == 50


def test_what_has_no_answer_has_no_speed() -> None:
    """Vectors and ranks are read only."""
    tally = Tally()
    timing = Timing(0)
    end = Finished(reason="stop", usage=Usage(prompt_tokens=5, completion_tokens=0))
    timing.note(end, 3)
    tally.answered(timing, end)
    assert tally.prompt_tokens == 5
    assert tally.spans.whole.sum == 3
    assert tally.reading.seconds == 0


def test_a_histogram_counts_what_is_at_most_each_bound() -> None:
    """As Prometheus defines it, with everything under the last."""
    histogram = Histogram((1.0, 2.0))
    histogram.add([0.5, 1.0, 1.5, 9.0])
    histogram.add([2.0])
    assert histogram.buckets == [("1.0", 2.0), ("2.0", 4.0), ("+Inf", 5.0)]
    assert histogram.sum == 14


def test_speeds_are_of_the_last_requests() -> None:
    """A slow morning is no longer seen in the afternoon."""
    speed = Speed()
    assert speed.tokens_per_second == 0
    for _ in range(RECENT):
        speed.add(1, 1.0)
    assert speed.tokens_per_second == 1
    for _ in range(RECENT):
        speed.add(10, 1.0)
    assert speed.tokens_per_second == 10
    assert speed.seconds == 2 * RECENT


def test_every_metric_is_documented(play: Callable[[Scenario], None]) -> None:
    """And docs/monitoring.md names none that there is not."""

    async def scenario(services: Services, launcher: FakeLauncher) -> None:
        del launcher
        services.metrics.refused("hello", EngineError("no"))
        text = generate_latest(REGISTRY).decode()
        names = set(
            re.findall(r"^# TYPE ((?:llm_ext|llamacpp):\w+)", text, re.MULTILINE)
        )
        page = Path(__file__).parents[2] / "docs" / "monitoring.md"
        documented = re.findall(r"`((?:llm_ext|llamacpp):\w+)", page.read_text())
        assert set(documented) == names
        assert len(documented) == len(names)

    play(scenario)
