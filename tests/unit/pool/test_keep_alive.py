"""How long a model stays without requests, and what its worker's deaths lead to."""

from datetime import datetime, timezone
from pathlib import Path

import pytest

from llm_ext.catalog.entry import ModelEntry
from llm_ext.core.events import Failed, Finished, Loading, Usage
from llm_ext.core.messages import ChatMessage
from llm_ext.core.requests import ChatRequest
from llm_ext.core.sampling import SamplingOptions
from llm_ext.core.settings import ModelSettings, Settings
from llm_ext.ipc.messages import EngineStatus, Progress, Published
from llm_ext.pool.process import ModelProcess
from llm_ext.pool.restarts import MAX_DEATHS
from tests.fakes.clock import FakeTimeLoop, in_fake_time
from tests.fakes.owner import FakeOwner
from tests.fakes.worker import FakeLauncher

REQUEST = ChatRequest(
    model="m",
    messages=(ChatMessage(role="user", content="Hi"),),
    sampling=SamplingOptions(),
)
END = Finished(reason="stop", usage=Usage(prompt_tokens=1, completion_tokens=1))


def new_process(
    *, keep_alive: float = 60, own: float | None = None
) -> tuple[ModelProcess, FakeLauncher, FakeOwner]:
    entry = ModelEntry(
        id="m",
        name="M",
        path=Path("/m.gguf"),
        size=1,
        modified=datetime.now(timezone.utc),
    )
    models = {} if own is None else {"m": ModelSettings(keep_alive=own)}
    settings = Settings(
        model_folders=(), data_folder=Path(), keep_alive=keep_alive, models=models
    )
    launcher, owner = FakeLauncher(), FakeOwner()
    return ModelProcess(entry, settings, launcher, owner), launcher, owner


def answer(launcher: FakeLauncher, number: int) -> None:
    status = EngineStatus(slots=4)
    launcher.workers[-1].report(Published(events=[(number, END)], status=status))


def unloads(launcher: FakeLauncher) -> bool:
    return launcher.workers[-1].closed


@in_fake_time
async def test_an_idle_model_goes_after_its_keep_alive(loop: FakeTimeLoop) -> None:
    """The time begins with the end of the last request."""
    process, launcher, _ = new_process(keep_alive=60)
    process.open(REQUEST)
    launcher.workers[0].become_ready()
    await loop.advance(100)
    assert not unloads(launcher)
    assert process.status().expires_at is None
    answer(launcher, 1)
    await loop.advance(59)
    assert not unloads(launcher)
    assert process.status().expires_at is not None
    await loop.advance(2)
    assert unloads(launcher)
    launcher.workers[0].die(0)
    assert process.status().state == "unloaded"


@in_fake_time
async def test_a_request_begins_the_time_anew(loop: FakeTimeLoop) -> None:
    """However often it comes."""
    process, launcher, _ = new_process(keep_alive=60)
    process.open(None)
    launcher.workers[0].become_ready()
    for number in range(2, 6):
        await loop.advance(50)
        process.open(REQUEST)
        answer(launcher, number)
    assert not unloads(launcher)
    await loop.advance(61)
    assert unloads(launcher)


@pytest.mark.parametrize(
    ("default", "own", "asked", "seconds"),
    [
        (60.0, None, None, 60.0),
        (60.0, 30.0, None, 30.0),
        (60.0, 30.0, 10.0, 10.0),
        (60.0, -1.0, 0.0, 0.0),
        (0.0, None, None, 0.0),
    ],
)
def test_the_nearest_keep_alive_holds(
    default: float, own: float | None, asked: float | None, seconds: float
) -> None:
    """A request's before a model's before the server's; 0 is at once."""

    @in_fake_time
    async def scenario(loop: FakeTimeLoop) -> None:
        process, launcher, _ = new_process(keep_alive=default, own=own)
        process.open(REQUEST, keep_alive=asked)
        launcher.workers[0].become_ready()
        answer(launcher, 1)
        if seconds:
            await loop.advance(seconds - 1)
            assert not unloads(launcher)
        await loop.advance(1)
        assert unloads(launcher)

    scenario()


@pytest.mark.parametrize("seconds", [-1.0, -300.0, 1e300])
def test_for_ever(seconds: float) -> None:
    """A negative time never ends, and a huge one does no harm."""

    @in_fake_time
    async def scenario(loop: FakeTimeLoop) -> None:
        process, launcher, _ = new_process()
        process.open(REQUEST, keep_alive=seconds)
        launcher.workers[0].become_ready()
        answer(launcher, 1)
        await loop.advance(1e7)
        assert not unloads(launcher)

    scenario()


@in_fake_time
async def test_a_pinned_model_stays_until_it_is_unpinned(loop: FakeTimeLoop) -> None:
    """Unpinning starts the clock."""
    process, launcher, _ = new_process(keep_alive=60)
    process.pin(pinned=True)
    process.open(None)
    launcher.workers[0].become_ready()
    await loop.advance(1000)
    assert not unloads(launcher)
    process.pin(pinned=False)
    await loop.advance(61)
    assert unloads(launcher)


@in_fake_time
async def test_a_slow_load_is_given_up_only_once_it_stands_still(
    loop: FakeTimeLoop,
) -> None:
    """However long all of it takes."""
    process, launcher, _ = new_process()
    stream = process.open(None)
    (worker,) = launcher.workers
    for percent in range(100):
        await loop.advance(299)
        worker.report(Progress(stage="reading", fraction=percent / 100))
    assert process.status().state == "loading"
    assert not worker.end_by_force.is_set()
    await loop.advance(301)
    assert worker.end_by_force.is_set()
    worker.die(-9)
    last = [event async for event in stream][-1]
    assert isinstance(last, Failed)
    assert "no progress for 300 seconds" in last.message


@in_fake_time
async def test_deaths_in_a_row_delay_and_then_end_restarts(loop: FakeTimeLoop) -> None:
    """The first restart is at once, the next ones later, and then there is none."""
    process, launcher, _ = new_process()
    for death in range(MAX_DEATHS):
        stream = process.open(REQUEST)
        if death > 1:
            assert len(launcher.workers) == death
            assert isinstance(await stream.next(), Loading)
        await loop.advance(5)
        assert len(launcher.workers) == death + 1
        launcher.workers[-1].become_ready()
        launcher.workers[-1].die(-11)
        assert process.status().state == "failed"
    events = [event async for event in process.open(REQUEST)]
    assert isinstance(events[-1], Failed)
    assert f"number {MAX_DEATHS} in a row" in events[-1].message
    assert len(launcher.workers) == MAX_DEATHS
    process.open(None)
    assert len(launcher.workers) == MAX_DEATHS + 1


@in_fake_time
async def test_an_answer_forgets_the_deaths_before_it(loop: FakeTimeLoop) -> None:
    """They were not in a row."""
    process, launcher, _ = new_process()
    for number in range(1, 2 * MAX_DEATHS):
        process.open(REQUEST)
        launcher.workers[-1].become_ready()
        answer(launcher, number)
        launcher.workers[-1].die(-11)
        await loop.advance(1)
    assert len(launcher.workers) == 2 * MAX_DEATHS - 1


@in_fake_time
async def test_a_pinned_model_comes_back_by_itself(loop: FakeTimeLoop) -> None:
    """But not for ever."""
    process, launcher, _ = new_process()
    process.pin(pinned=True)
    process.open(None)
    for death in range(1, MAX_DEATHS + 1):
        launcher.workers[-1].become_ready()
        launcher.workers[-1].die(-9)
        await loop.advance(6)
        assert len(launcher.workers) == min(death + 1, MAX_DEATHS)
    assert process.status().state == "failed"


@in_fake_time
async def test_who_waits_for_room_can_leave_the_queue(loop: FakeTimeLoop) -> None:
    """Then nothing is loaded for it; a load by name goes on."""
    process, launcher, owner = new_process()
    owner.room = False
    stream = process.open(REQUEST)
    assert process.status().state == "loading"
    stream.close()
    assert process.status().state == "unloaded"
    process.open(None).close()
    await loop.advance(1)
    assert process.state == "waiting"
    assert launcher.workers == []


@in_fake_time
async def test_a_drained_model_serves_whom_it_let_wait(loop: FakeTimeLoop) -> None:
    """New requests wait while it drains, and go on if that was in vain."""
    process, launcher, _ = new_process()
    process.open(REQUEST)
    launcher.workers[0].become_ready()
    process.drain(draining=True)
    process.open(REQUEST)
    assert launcher.workers[0].requests == [1]
    process.drain(draining=False)
    assert launcher.workers[0].requests == [1, 2]
    await loop.advance(0)


@in_fake_time
async def test_the_owner_sees_every_state(loop: FakeTimeLoop) -> None:
    """Of the model and of its worker."""
    process, launcher, owner = new_process(keep_alive=0)
    process.open(REQUEST)
    launcher.workers[0].become_ready()
    answer(launcher, 1)
    await loop.advance(0)
    launcher.workers[0].die(0)
    states = list(dict.fromkeys(owner.states))
    assert states == ["loading", "busy", "ready", "unloading", "unloaded"]
    workers = list(dict.fromkeys(worker.state for worker in owner.workers))
    assert workers == ["loading", "busy", "ready", "unloading", "ended"]
    assert owner.ends == [END]
