"""The state machine of one model, with a worker that does what the test says."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime, timezone
from functools import wraps
from pathlib import Path
from typing import Any

import msgspec
import pytest

from llm_ext.catalog.entry import ModelEntry
from llm_ext.core.events import (
    Accepted,
    Event,
    Failed,
    Finished,
    Loading,
    Ready,
    TextDelta,
    Usage,
)
from llm_ext.core.messages import ChatMessage
from llm_ext.core.requests import ChatRequest
from llm_ext.core.sampling import SamplingOptions
from llm_ext.core.settings import Settings
from llm_ext.errors import (
    ChatTemplateTimeError,
    InvalidRequestError,
    ModelBusyError,
    WorkerDiedError,
)
from llm_ext.ipc.messages import EngineStatus, Load, LoadFailed, Progress, Published
from llm_ext.pool.placement import default_model
from llm_ext.pool.process import ModelProcess
from llm_ext.pool.stream import EventStream
from tests.fakes.owner import FakeOwner
from tests.fakes.worker import FakeLauncher

REQUEST = ChatRequest(
    model="m",
    messages=(ChatMessage(role="user", content="Hi"),),
    sampling=SamplingOptions(),
)
END = Finished(reason="stop", usage=Usage(prompt_tokens=1, completion_tokens=1))


def on_a_loop(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    @wraps(test)
    def run() -> None:
        asyncio.run(test())

    return run


def new_process(
    *, problem: str | None = None, stall: float = 300
) -> tuple[ModelProcess, FakeLauncher]:
    entry = ModelEntry(
        id="m",
        name="M",
        path=Path("/m.gguf"),
        size=1,
        modified=datetime.now(timezone.utc),
        problem=problem,
    )
    launcher = FakeLauncher()
    settings = Settings(model_folders=(), data_folder=Path(), load_stall_timeout=stall)
    return ModelProcess(entry, settings, launcher, FakeOwner()), launcher


def published(*events: tuple[int, Any], steps: int = 1) -> Published:
    return Published(events=list(events), status=EngineStatus(steps=steps, slots=4))


async def all_events(stream: EventStream) -> list[Event]:
    return [event async for event in stream]


@on_a_loop
async def test_the_first_request_loads_the_model_and_is_told_how_far_it_is() -> None:
    process, launcher = new_process()
    stream = process.open(REQUEST)
    (worker,) = launcher.workers
    worker.report(Progress(stage="reading", fraction=0.5))
    assert process.status().state == "loading"
    worker.become_ready()
    worker.report(published((1, Accepted(prompt_tokens=1)), (1, TextDelta(text="a"))))
    assert process.status().state == "busy"
    worker.report(published((1, END)))

    events = await all_events(stream)

    assert stream.cold
    assert [type(event) for event in events] == [
        Loading,
        Loading,
        Ready,
        Accepted,
        TextDelta,
        Finished,
    ]
    assert isinstance(worker.commands[0], Load)
    assert process.status().state == "ready"
    assert process.requests == 0


@on_a_loop
async def test_requests_that_come_during_the_load_share_it() -> None:
    process, launcher = new_process()
    process.open(REQUEST)
    late = process.open(REQUEST)
    launcher.workers[0].become_ready()

    assert len(launcher.workers) == 1
    assert launcher.workers[0].requests == [1, 2]
    assert isinstance(await late.next(), Loading)


@on_a_loop
async def test_a_warm_request_is_sent_at_once() -> None:
    process, launcher = new_process()
    process.open(None)
    launcher.workers[0].become_ready()
    stream = process.open(REQUEST)

    assert not stream.cold
    assert launcher.workers[0].requests == [2]


@on_a_loop
async def test_a_request_that_cannot_be_sent_fails_alone() -> None:
    """Whether it came before the worker was ready or after; the others are answered."""
    unsendable = msgspec.structs.replace(REQUEST, template_options={"x": 10**25})
    process, launcher = new_process()
    before, good = process.open(unsendable), process.open(REQUEST)
    (worker,) = launcher.workers
    worker.become_ready()
    after = process.open(unsendable)

    for stream in (before, after):
        last = (await all_events(stream))[-1]
        assert isinstance(last, Failed)
        assert isinstance(last.error(), InvalidRequestError)
    assert worker.requests == [2]
    assert process.requests == 1
    worker.report(published((2, END)))
    assert (await all_events(good))[-1] == END
    assert process.requests == 0
    assert process.idle


@on_a_loop
async def test_who_comes_while_a_worker_ends_by_itself_waits_for_the_next() -> None:
    """It has said so: the others that it has are told, and nobody else fails."""
    process, launcher = new_process()
    first, second = process.open(REQUEST), process.open(REQUEST)
    (worker,) = launcher.workers
    worker.become_ready()
    error = ChatTemplateTimeError(seconds=5)
    worker.report(published((1, Failed.of(error))))
    late = process.open(REQUEST)
    worker.die(1)

    assert isinstance((await all_events(first))[-1], Failed)
    last = (await all_events(second))[-1]
    assert isinstance(last, Failed)
    assert isinstance(last.error(), WorkerDiedError)
    assert process.status().state == "loading"
    (_, other) = launcher.workers
    other.become_ready()
    assert other.requests == [3]
    other.report(published((3, END)))
    assert (await all_events(late))[-1] == END


@on_a_loop
async def test_who_waits_for_a_draining_model_outlives_its_worker() -> None:
    """It was never sent there: it gets the next one, and so does a load."""
    process, launcher = new_process()
    running = process.open(REQUEST)
    (worker,) = launcher.workers
    worker.become_ready()
    process.drain(draining=True)
    waiting, load = process.open(REQUEST), process.open(None)
    worker.die(-9)

    assert isinstance((await all_events(running))[-1], Failed)
    (_, other) = launcher.workers
    other.become_ready()
    assert other.requests == [2]
    other.report(published((2, END)))
    assert (await all_events(waiting))[-1] == END
    assert (await all_events(load))[-1] == Ready()


@on_a_loop
async def test_a_load_of_a_draining_model_outlives_who_asked_and_its_worker() -> None:
    process, launcher = new_process()
    process.open(REQUEST)
    launcher.workers[0].become_ready()
    process.drain(draining=True)
    process.open(None).close()
    launcher.workers[0].die(-9)

    assert process.status().state == "loading"


@on_a_loop
async def test_a_watch_ends_when_the_model_is_ready() -> None:
    process, launcher = new_process()
    cold = process.open(None)
    launcher.workers[0].become_ready()
    warm = process.open(None)

    assert isinstance((await all_events(cold))[-1], Ready)
    assert await all_events(warm) == [Ready()]
    assert process.requests == 0


@on_a_loop
async def test_a_load_outlives_who_asked_for_it() -> None:
    process, launcher = new_process()
    process.open(REQUEST).close()
    launcher.workers[0].become_ready()

    assert process.status().state == "ready"
    assert launcher.workers[0].requests == []


@on_a_loop
async def test_leaving_a_running_request_cancels_it() -> None:
    process, launcher = new_process()
    stream = process.open(REQUEST)
    launcher.workers[0].become_ready()
    stream.close()
    stream.close()

    assert launcher.workers[0].cancelled == [1]
    assert await stream.next() is None


@on_a_loop
async def test_whoever_waits_for_an_event_is_woken_by_the_close() -> None:
    process, _ = new_process()
    stream = process.open(REQUEST)
    assert isinstance(await stream.next(), Loading)
    waiting = asyncio.ensure_future(stream.next())
    await asyncio.sleep(0)
    stream.close()

    assert await waiting is None


@on_a_loop
async def test_a_refused_load_tells_everyone_why_and_the_next_request_tries_again() -> (
    None
):
    process, launcher = new_process()
    streams = [process.open(REQUEST), process.open(None)]
    launcher.workers[0].report(LoadFailed(code="model_load_failed", message="Why."))
    launcher.workers[0].die(1)

    for stream in streams:
        last = (await all_events(stream))[-1]
        assert last == Failed(code="model_load_failed", message="Why.")
    status = process.status()
    assert status.state == "failed"
    assert status.error is not None
    assert status.error.message == "Why."
    process.open(REQUEST)
    assert len(launcher.workers) == 2
    assert process.status().state == "loading"


@on_a_loop
async def test_a_file_that_is_no_model_starts_no_process() -> None:
    process, launcher = new_process(problem="It is no model.")
    (event,) = await all_events(process.open(REQUEST))

    assert event == Failed(code="model_unreadable", message="It is no model.")
    assert launcher.workers == []


@pytest.mark.parametrize("status", [-11, -4, 0xC0000005])
def test_a_crash_in_the_load_is_met_with_another_load(status: int) -> None:
    """With weights as they are in the file; a second crash is told, and the last."""

    async def run() -> None:
        process, launcher = new_process()
        stream = process.open(REQUEST)
        launcher.workers[0].die(status)
        assert process.status().state == "loading"
        launcher.workers[1].die(status)

        assert isinstance((await all_events(stream))[-1], Failed)
        assert process.status().state == "failed"
        loads = [worker.commands[0] for worker in launcher.workers]
        assert [load.repack for load in loads if isinstance(load, Load)] == [
            True,
            False,
        ]

    asyncio.run(run())


@on_a_loop
async def test_a_model_that_crashed_in_its_load_is_not_repacked_later() -> None:
    process, launcher = new_process()
    process.open(REQUEST)
    launcher.workers[0].die(-11)
    launcher.workers[1].become_ready()
    launcher.workers[1].die(-11)
    process.open(REQUEST)
    last = launcher.workers[-1].commands[0]
    assert isinstance(last, Load)
    assert not last.repack


@on_a_loop
async def test_a_worker_that_is_killed_in_its_load_is_not_started_again() -> None:
    process, launcher = new_process()
    stream = process.open(REQUEST)
    launcher.workers[0].die(-9)
    assert isinstance((await all_events(stream))[-1], Failed)
    assert len(launcher.workers) == 1


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (-9, "SIGKILL, mostly by the system for lack of memory"),
        (-6, "llama.cpp aborted"),
        (-11, "llama.cpp crashed"),
        (-4, "another processor"),
        (-1, "killed by SIGHUP"),
        (-99, "killed by signal 99"),
        (3, "exit status 3. Its last words: boom The next"),
    ],
)
def test_a_death_fails_its_requests_with_the_cause(status: int, words: str) -> None:
    async def run() -> None:
        process, launcher = new_process()
        stream = process.open(REQUEST)
        launcher.workers[0].become_ready()
        launcher.workers[0].log += ["before", "boom", ""]
        launcher.workers[0].die(status)

        last = (await all_events(stream))[-1]
        assert isinstance(last, Failed)
        assert last.code == "worker_died"
        assert words in last.message
        assert process.status().state == "failed"

    asyncio.run(run())


@on_a_loop
async def test_unload_waits_until_the_process_has_gone() -> None:
    process, launcher = new_process()
    process.open(None)
    launcher.workers[0].become_ready()
    unloading = asyncio.ensure_future(process.unload(force=False))
    await asyncio.sleep(0)
    assert launcher.workers[0].closed
    assert process.status().state == "unloading"
    assert not unloading.done()
    launcher.workers[0].die(0)
    await unloading

    assert process.status().state == "unloaded"
    await process.unload(force=False)


@on_a_loop
async def test_a_busy_model_is_unloaded_by_force_only() -> None:
    process, launcher = new_process()
    stream = process.open(REQUEST)
    launcher.workers[0].become_ready()
    with pytest.raises(ModelBusyError):
        await process.unload(force=False)
    unloading = asyncio.ensure_future(process.unload(force=True))
    await asyncio.sleep(0)
    launcher.workers[0].die(0)
    await unloading

    last = (await all_events(stream))[-1]
    assert isinstance(last, Failed)
    assert last.code == "model_unloaded"


@on_a_loop
async def test_a_request_during_the_unload_starts_the_model_again() -> None:
    process, launcher = new_process()
    process.open(None)
    launcher.workers[0].become_ready()
    unloading = asyncio.ensure_future(process.unload(force=False))
    await asyncio.sleep(0)
    process.open(REQUEST)
    assert len(launcher.workers) == 1
    launcher.workers[0].die(0)
    await unloading

    assert len(launcher.workers) == 2
    launcher.workers[1].become_ready()
    assert launcher.workers[1].requests == [2]


@on_a_loop
async def test_a_load_without_progress_is_given_up() -> None:
    process, launcher = new_process(stall=0.01)
    stream = process.open(REQUEST)
    (worker,) = launcher.workers
    await asyncio.wait_for(worker.end_by_force.wait(), timeout=10)
    worker.die(-9)

    last = (await all_events(stream))[-1]
    assert isinstance(last, Failed)
    assert last.code == "model_load_failed"
    assert "no progress for 0.01 seconds" in last.message


@on_a_loop
async def test_unloading_while_it_loads_abandons_the_load() -> None:
    process, launcher = new_process()
    watch = process.open(None)
    unloading = asyncio.ensure_future(process.unload(force=False))
    await asyncio.sleep(0)
    launcher.workers[0].report(Progress(stage="loading", fraction=0.9))
    launcher.workers[0].become_ready()
    assert process.status().state == "unloading"
    launcher.workers[0].die(0)
    await unloading

    last = (await all_events(watch))[-1]
    assert isinstance(last, Failed)
    assert process.status().state == "unloaded"


@on_a_loop
async def test_the_status_shows_what_the_worker_says_of_the_model() -> None:
    process, launcher = new_process()
    process.open(None)
    status = process.status()
    assert (status.description, status.context_length) == (None, None)
    assert status.memory_kind is None
    launcher.workers[0].become_ready()
    status = process.status()
    assert (status.description, status.context_length) == ("fake", 64)
    assert status.memory_kind == "hybrid"


@on_a_loop
async def test_the_status_shows_the_engines_own_counts() -> None:
    process, launcher = new_process()
    process.open(None)
    launcher.workers[0].become_ready()
    launcher.workers[0].report(
        Published(
            events=[],
            status=EngineStatus(
                steps=9, slots=4, busy=1, waiting=2, cancelled=3, cancel_steps=1
            ),
        )
    )
    status = process.status()
    assert status.slots is not None
    assert (status.slots.total, status.slots.busy, status.slots.waiting) == (4, 1, 2)
    assert status.engine is not None
    assert (status.engine.steps, status.engine.cancelled) == (9, 3)


@pytest.mark.parametrize(
    ("configured", "ready", "own", "expected"),
    [
        ("c", ["r"], ["o"], "c"),
        ("", ["r"], ["o"], "r"),
        ("", ["r", "s"], ["o"], "o"),
        ("", [], ["o"], "o"),
        ("", [], [], "b"),
    ],
)
def test_the_default_model(
    configured: str, ready: list[str], own: list[str], expected: str
) -> None:
    found = default_model(configured=configured, ready=ready, own=own, bundled=["b"])
    assert found == expected


def test_no_model_is_no_default() -> None:
    assert default_model(configured="", ready=[], own=[], bundled=[]) is None
