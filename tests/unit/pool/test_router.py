"""The pool as a whole, with workers that do what the test says."""

import asyncio
import shutil
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from llm_ext.catalog.entry import ModelEntry
from llm_ext.core.changes import Change, ModelChanged, WorkerChanged
from llm_ext.core.device import CPU, Device, MemoryEstimate, MemoryUse
from llm_ext.core.events import Event, Failed, Finished, Loading, Ready, Usage
from llm_ext.core.load_options import LoadOptions
from llm_ext.core.messages import ChatMessage
from llm_ext.core.requests import ChatRequest
from llm_ext.core.sampling import SamplingOptions
from llm_ext.core.settings import Limits, ProviderSettings, Settings
from llm_ext.errors import (
    ModelBusyError,
    ModelLoadError,
    ModelNotLoadedError,
    RateLimitedError,
    ServerStoppingError,
    WorkerNotFoundError,
)
from llm_ext.ipc.messages import EngineStatus, Load, Published
from llm_ext.pool import seating
from llm_ext.pool.memory import MainMemory, main_memory
from llm_ext.pool.stream import EventStream
from llm_ext.services import Services, build
from tests.fakes.needs import FakeNeeds
from tests.fakes.worker import FakeLauncher, FakeWorker

END = Finished(reason="stop", usage=Usage(prompt_tokens=3, completion_tokens=4))
ALL = main_memory().total
"""Bytes; half of it fits once below the default memory_fraction, but not twice."""

Scenario = Callable[["Pool"], Coroutine[Any, Any, None]]


class Pool:
    """Services whose workers the test plays."""

    def __init__(self, services: Services, launcher: FakeLauncher) -> None:
        self.router = services.router
        self.feed = services.feed
        self._launcher = launcher

    async def ask(self, model: str, **options: Any) -> EventStream:  # noqa: ANN401  # generate's
        request = ChatRequest(
            model=model,
            messages=(ChatMessage(role="user", content="Hi"),),
            sampling=SamplingOptions(),
        )
        stream = await self.router.generate(request, **options)
        await self.settle()
        return stream

    async def load(self, model: str, **options: Any) -> EventStream:  # noqa: ANN401  # load's
        stream = await self.router.load(model, **options)
        await self.settle()
        return stream

    async def settle(self) -> None:
        """Let everything happen that is due."""
        for _ in range(20):
            await asyncio.sleep(0)

    @property
    def workers(self) -> list[tuple[str, FakeWorker]]:
        """Workers that run, each with the name of its file, in order."""
        found = []
        for worker in self._launcher.workers:
            (load,) = [c for c in worker.commands if isinstance(c, Load)]
            found.append((Path(load.path).stem, worker))
        return found

    def worker(self, model: str) -> FakeWorker:
        """Return the last worker of a model."""
        return [worker for name, worker in self.workers if name == model][-1]

    async def ready(self, model: str) -> None:
        self.worker(model).become_ready()
        await self.settle()

    async def answer(self, model: str) -> None:
        """Answer all that the model's worker was asked."""
        worker = self.worker(model)
        events = [(number, END) for number in worker.requests]
        worker.report(Published(events=list(events), status=EngineStatus(slots=4)))
        await self.settle()

    async def end(self, model: str) -> None:
        """Let a worker that was told to end do so."""
        worker = self.worker(model)
        assert worker.closed, f"{model} was not told to end"
        worker.die(0)
        await self.settle()

    async def state(self, model: str) -> str:
        return (await self.router.model(model)).state

    @property
    def changes(self) -> list[Change]:
        return [numbered.change for numbered in self.feed.since(self.feed.start) or []]


@pytest.fixture
def play(models: Path, tmp_path: Path) -> Callable[..., None]:
    """Run a scenario on a pool with these settings, needs and models."""

    def run(
        scenario: Scenario,
        needs: FakeNeeds | None = None,
        launcher: FakeLauncher | None = None,
        **options: Any,  # noqa: ANN401  # Settings'
    ) -> None:
        launcher = launcher or FakeLauncher()

        async def main() -> None:
            given = {"model_folders": (models,), "data_folder": tmp_path, **options}
            settings = Settings(**given)
            services = build(settings, launch=launcher, needs=needs or FakeNeeds())
            await services.start()
            await scenario(Pool(services, launcher))

        asyncio.run(main())

    return run


@pytest.fixture
def hub(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model in Hugging Face's cache."""
    repository = tmp_path / "hub" / "models--Owner--Name-GGUF"
    (repository / "refs").mkdir(parents=True)
    (repository / "refs" / "main").write_text("1")
    (repository / "snapshots" / "1").mkdir(parents=True)
    shutil.copy(models / "hello.gguf", repository / "snapshots/1/cached-Q8_0.gguf")
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))


async def events_of(stream: EventStream) -> list[Event]:
    async def collect() -> list[Event]:
        return [event async for event in stream]

    return await asyncio.wait_for(collect(), 5)


@pytest.mark.parametrize(
    ("configured", "expected"),
    [
        ("Hello.gguf", "hello"),
        ("local/hello", "hello"),
        ("best", "babble"),
        ("hf:Owner/Name-GGUF:Q8_0", "cached-q8-0"),
        ("lab/hello", "lab/hello"),
        ("lab", "hello"),
        ("hf:Owner/Other-GGUF:Q8_0", "hf:Owner/Other-GGUF:Q8_0"),
        ("Nobody's", "Nobody's"),
    ],
)
@pytest.mark.usefixtures("hub")
def test_the_configured_default_is_named_as_any_model(
    play: Callable[..., None], configured: str, expected: str
) -> None:
    """What is of a provider, or of nobody, stays as it was written."""

    async def scenario(pool: Pool) -> None:
        assert await pool.router.default() == expected

    play(
        scenario,
        model_sources=("huggingface",),
        default_model=configured,
        aliases={"best": "babble", "lab": "hello"},
        providers={"lab": ProviderSettings(url="http://localhost:1/v1")},
    )


def test_models_load_side_by_side_where_memory_allows(
    play: Callable[..., None],
) -> None:
    """A guess is enough where there is plenty of room."""
    needs = FakeNeeds()

    async def scenario(pool: Pool) -> None:
        await pool.ask("hello")
        await pool.ask("babble")
        assert [name for name, _ in pool.workers] == ["hello", "babble"]
        assert needs.measured == []

    play(scenario, needs)


def test_the_least_recently_used_idle_model_makes_room(
    play: Callable[..., None],
) -> None:
    """It is told to end first, and the new one starts when it has gone."""
    needs = FakeNeeds({"hello": ALL // 3, "babble": ALL // 3, "encoder": ALL // 3})

    async def scenario(pool: Pool) -> None:
        for model in ("hello", "babble"):
            await pool.ask(model)
            await pool.ready(model)
            await pool.answer(model)
        stream = await pool.ask("encoder")
        assert await pool.state("encoder") == "loading"
        assert len(pool.workers) == 2
        assert await pool.state("babble") == "ready"
        await pool.end("hello")
        assert len(pool.workers) == 3
        await pool.ready("encoder")
        await pool.answer("encoder")
        first, *_, last = await events_of(stream)
        assert first == Loading(stage="waiting", fraction=0)
        assert last == END
        assert await pool.state("hello") == "unloaded"

    play(scenario, needs)


def test_a_busy_model_answers_first_and_new_requests_wait_their_turn(
    play: Callable[..., None],
) -> None:
    """With a limit of one, two models take turns, and nobody gets an error."""

    async def scenario(pool: Pool) -> None:
        first = await pool.ask("hello")
        await pool.ready("hello")
        other = await pool.ask("babble")
        late = await pool.ask("hello")
        assert pool.worker("hello").requests == [1]
        assert not pool.worker("hello").closed
        await pool.answer("hello")
        assert (await events_of(first))[-1] == END
        await pool.end("hello")
        await pool.ready("babble")
        await pool.answer("babble")
        assert (await events_of(other))[-1] == END
        await pool.end("babble")
        await pool.ready("hello")
        await pool.answer("hello")
        assert (await events_of(late))[-1] == END
        assert len(pool.workers) == 3

    play(scenario, max_loaded_models=1)


def test_who_gives_up_waiting_for_room_lets_others_go_on(
    play: Callable[..., None],
) -> None:
    """The busy model no longer has to make room."""

    async def scenario(pool: Pool) -> None:
        await pool.ask("hello")
        await pool.ready("hello")
        other = await pool.ask("babble")
        await pool.ask("hello")
        other.close()
        await pool.settle()
        assert pool.worker("hello").requests == [1, 2]
        assert await pool.state("babble") == "unloaded"

    play(scenario, max_loaded_models=1)


def test_what_is_large_is_not_passed_for_ever(play: Callable[..., None]) -> None:
    """A later model starts before one that waits only where both have room."""
    needs = FakeNeeds({"hello": ALL // 2, "babble": ALL // 2, "encoder": ALL // 2})

    async def scenario(pool: Pool) -> None:
        await pool.ask("hello")
        await pool.ready("hello")
        await pool.ask("babble")
        await pool.ask("encoder")
        await pool.ask("ranker")
        assert [name for name, _ in pool.workers] == ["hello", "ranker"]
        await pool.ready("ranker")
        await pool.answer("ranker")
        await pool.answer("hello")
        await pool.end("hello")
        assert [name for name, _ in pool.workers] == ["hello", "ranker", "babble"]

    play(scenario, needs)


def test_what_never_fits_is_refused_with_both_figures(
    play: Callable[..., None],
) -> None:
    """After llama.cpp itself was asked; nothing is unloaded in vain."""
    needs = FakeNeeds({"hello": 10 * ALL})

    async def scenario(pool: Pool) -> None:
        await pool.ask("babble")
        await pool.ready("babble")
        await pool.answer("babble")
        (*_, failed) = await events_of(await pool.ask("hello"))
        assert isinstance(failed, Failed)
        assert failed.code == "insufficient_memory"
        assert f"{10 * ALL / 1e9:.2f} GB of main memory" in failed.message
        assert "at most" in failed.message
        assert needs.measured == ["hello"]
        assert await pool.state("babble") == "ready"

    play(scenario, needs)


def test_the_context_shrinks_only_where_asked(play: Callable[..., None]) -> None:
    """``fit`` takes what can be had."""
    needs = FakeNeeds(fitting=1000)
    large = {"context_length": 10 * ALL}

    async def scenario(pool: Pool) -> None:
        (*_, failed) = await events_of(await pool.load("hello", options=large))
        assert isinstance(failed, Failed)
        await pool.load("hello", options=large | {"fit": True})
        (load,) = pool.worker("hello").commands
        assert isinstance(load, Load)
        assert load.options.context_length == 1000

    play(scenario, needs)


class Fitting(FakeNeeds):
    """Shortens the context to what it is told that there is of main memory."""

    async def shrink(
        self, entry: ModelEntry, options: LoadOptions, free: dict[str, int]
    ) -> LoadOptions | None:
        """See Needs."""
        del entry
        length = min(free[CPU], options.context_length)
        return msgspec.structs.replace(options, context_length=length)


@pytest.mark.parametrize(
    ("available", "limit", "expected"),
    [
        pytest.param(16_000, 0, 12_800, id="memory_fraction"),
        pytest.param(5_000, 0, 5_000, id="used by others"),
        pytest.param(16_000, 6_000, 6_000, id="worker_memory"),
    ],
)
def test_the_context_is_as_long_as_all_limits_allow(
    play: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    available: int,
    limit: int,
    expected: int,
) -> None:
    """What others use counts, and what one model may take; a preflight says so too."""
    memory = MainMemory(16_000, available)
    monkeypatch.setattr(seating, "main_memory", lambda: memory)
    options = {"context_length": 14_000, "fit": True}

    async def scenario(pool: Pool) -> None:
        preflight = await pool.router.preflight("hello", options)
        assert preflight.ok
        assert preflight.memory is not None
        assert preflight.memory.total == expected
        await pool.load("hello", options=options)
        assert options_of(pool, "hello").context_length == expected

    play(scenario, Fitting(), worker_memory=limit)


class Caching(FakeNeeds):
    """Every model takes 2,000 bytes, and 4,000 for its cache."""

    async def guess(
        self, entry: ModelEntry, options: LoadOptions, devices: Sequence[Device]
    ) -> MemoryEstimate:
        """See Needs."""
        del entry, options, devices
        use = MemoryUse(weights=2000, cache=4000)
        return MemoryEstimate(devices={CPU: use}, context_length=100)


@pytest.mark.parametrize(
    ("limits", "available", "expected"),
    [
        pytest.param({}, 16_000, 0, id="none unless asked for"),
        pytest.param({"prefix_memory": 1000}, 16_000, 1000, id="as much as that"),
        pytest.param({"prefix_memory": 9000}, 16_000, 3400, id="half of the rest"),
        pytest.param({"prefix_memory": 9000}, 7000, 500, id="others have some"),
        pytest.param(
            {"prefix_memory": 9000, "memory_fraction": 1.0},
            16_000,
            4000,
            id="no more than the cache",
        ),
        pytest.param(
            {"prefix_memory": 9000, "worker_memory": 6500}, 16_000, 250, id="its limit"
        ),
    ],
)
def test_what_leaves_the_cache_takes_what_memory_is_left_over(
    play: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    limits: dict[str, Any],
    available: int,
    expected: int,
) -> None:
    """It is set aside with the rest, and keeps no model from being loaded."""
    memory = MainMemory(16_000, available)
    monkeypatch.setattr(seating, "main_memory", lambda: memory)

    async def scenario(pool: Pool) -> None:
        await pool.load("hello")
        (load,) = pool.worker("hello").commands
        assert isinstance(load, Load)
        assert load.swap == expected
        (worker,) = await pool.router.workers()
        assert worker.memory is not None
        assert worker.memory.total == 6000 + expected

    play(scenario, Caching(), **limits)


def test_what_was_shortened_is_asked_for_anew_the_next_time(
    play: Callable[..., None],
) -> None:
    """The same request loads nothing again; a later load may find more memory."""
    needs = FakeNeeds(fitting=1000)
    large = {"context_length": 10 * ALL, "fit": True}

    async def scenario(pool: Pool) -> None:
        await pool.load("hello", options=large)
        await pool.ready("hello")
        assert await events_of(await pool.load("hello", options=large)) == [Ready()]
        assert len(pool.workers) == 1
        assert (await pool.router.options("hello")).context_length == 1000
        pool.worker("hello").die(-9)
        await pool.settle()
        needs.fitting = 2000
        await pool.ask("hello")
        (load,) = pool.worker("hello").commands
        assert isinstance(load, Load)
        assert load.options.context_length == 2000

    play(scenario, needs)


GPU = Device(
    name="GPU0",
    description="fake",
    kind="gpu",
    backend="fake",
    total=1_000_000,
    free=1_000_000,
)


def options_of(pool: Pool, model: str) -> LoadOptions:
    """Return what a model's last worker was told."""
    load = pool.worker(model).commands[0]
    assert isinstance(load, Load)
    return load.options


async def set_aside(pool: Pool, model: str) -> int:
    """Return the bytes that are kept for a model."""
    memory = (await pool.router.model(model)).memory
    return 0 if memory is None else memory.total


def test_an_idle_model_leaves_a_gpu_to_the_next(play: Callable[..., None]) -> None:
    """All of it, rather than a few layers; what is free there is looked at anew."""
    needs = FakeNeeds({"hello": 600_000, "babble": 600_000}, gpu=GPU)

    async def scenario(pool: Pool) -> None:
        await pool.ask("hello")
        assert options_of(pool, "hello").gpu_layers == "all"
        needs.gpu = msgspec.structs.replace(GPU, free=400_000)
        await pool.ready("hello")
        preflight = await pool.router.preflight("babble")
        assert preflight.memory is not None
        assert preflight.memory.devices["GPU0"].total < 400_000
        await pool.answer("hello")
        assert (await pool.router.preflight("babble")).evicts == ("hello",)
        await pool.ask("babble")
        needs.gpu = GPU
        await pool.end("hello")
        assert options_of(pool, "babble").gpu_layers == "all"
        assert await pool.state("babble") == "loading"

    play(scenario, needs)


def test_as_many_layers_go_to_a_gpu_as_models_may_take_of_it(
    play: Callable[..., None],
) -> None:
    """One that would fill it is put there in part, and not refused."""
    needs = FakeNeeds({"hello": 990_000, "babble": 990_000}, gpu=GPU)

    async def scenario(pool: Pool) -> None:
        await pool.ask("hello")
        layers = options_of(pool, "hello").gpu_layers
        assert isinstance(layers, int)
        assert layers > 0
        asked = await pool.load("babble", options={"gpu_layers": "all"})
        (*_, failed) = await events_of(asked)
        assert isinstance(failed, Failed)
        assert "on GPU0, and at most" in failed.message

    play(scenario, needs)


def test_a_formula_that_promised_too_much_is_corrected(
    play: Callable[..., None],
) -> None:
    """By what llama.cpp says: layer by layer, until it fits."""

    class Optimist(FakeNeeds):
        """Guesses that everything fits."""

        async def guess(
            self, entry: ModelEntry, options: LoadOptions, devices: Sequence[Device]
        ) -> MemoryEstimate:
            if options.gpu_layers == "auto":
                options = msgspec.structs.replace(options, gpu_layers="all")
            return await super().guess(entry, options, devices)

    needs = Optimist({"hello": 1_500_000}, gpu=GPU)

    async def scenario(pool: Pool) -> None:
        await pool.ask("hello")
        layers = options_of(pool, "hello").gpu_layers
        assert isinstance(layers, int)
        assert layers > 0
        assert len(needs.measured) > 1

    play(scenario, needs)


def test_a_file_that_llama_cpp_refuses_starts_no_worker(
    play: Callable[..., None],
) -> None:
    """Where it is tight, the question comes first."""
    error = ModelLoadError("It is of no known kind.")
    needs = FakeNeeds({"hello": 10 * ALL}, {"hello": error})

    async def scenario(pool: Pool) -> None:
        assert (await events_of(await pool.ask("hello")))[-1] == Failed.of(error)
        assert pool.workers == []

    play(scenario, needs)


def test_nobody_goes_for_memory_that_only_looks_free(
    play: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a model's file has of the page cache is free once the model has gone."""
    monkeypatch.setattr(seating, "main_memory", lambda: MainMemory(16_000, 8_000))
    monkeypatch.setattr(seating, "own", lambda _: 1_000)
    needs = FakeNeeds({"hello": 6_000, "babble": 10_000, "encoder": 6_000})

    async def scenario(pool: Pool) -> None:
        await pool.load("hello")
        await pool.ready("hello")
        (*_, failed) = await events_of(await pool.load("babble"))
        assert isinstance(failed, Failed)
        assert await pool.state("hello") == "ready"
        await pool.load("encoder")
        assert await pool.state("hello") == "unloading"

    play(scenario, needs)


def test_a_worker_that_cannot_be_started_fails_alone(
    play: Callable[..., None],
) -> None:
    """Whoever waits for it is told why, and the others are loaded."""

    class Full(FakeLauncher):
        """Has room for one worker at a time."""

        def __call__(
            self, *, on_frame: Callable[[bytes], None], on_exit: Callable[[int], None]
        ) -> FakeWorker:
            if any(not worker.closed for worker in self.workers):
                raise OSError(24, "Too many open files")
            return super().__call__(on_frame=on_frame, on_exit=on_exit)

    async def scenario(pool: Pool) -> None:
        await pool.ask("hello")
        await pool.ready("hello")
        (*_, failed) = await events_of(await pool.ask("babble"))
        assert isinstance(failed, Failed)
        assert failed.code == "model_load_failed"
        assert "Too many open files" in failed.message
        assert await pool.state("babble") == "failed"
        await pool.answer("hello")
        unloading = asyncio.ensure_future(pool.router.unload("hello"))
        await pool.settle()
        await pool.end("hello")
        await unloading
        await pool.ask("babble")
        assert [name for name, _ in pool.workers] == ["hello", "babble"]

    play(scenario, launcher=Full())


def test_pinned_models_stay(play: Callable[..., None]) -> None:
    """They are loaded at the start, and nobody takes their place."""

    async def scenario(pool: Pool) -> None:
        await pool.settle()
        await pool.ready("hello")
        (*_, failed) = await events_of(await pool.ask("babble"))
        assert isinstance(failed, Failed)
        assert "pinned" in failed.message
        await pool.load("hello", pinned=False)
        await pool.ask("babble")
        assert pool.worker("hello").closed

    play(scenario, max_loaded_models=1, pinned=("hello",))


def test_what_cannot_be_loaded_at_the_start_is_logged(
    play: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    """A name that is misspelled, with what is like it; the others are loaded."""

    async def scenario(pool: Pool) -> None:
        await pool.settle()
        assert [name for name, _ in pool.workers] == ["babble"]
        assert "'helo' cannot be loaded at the start" in caplog.text
        assert "hello" in caplog.text

    play(scenario, preload=("helo", "babble"))


def test_a_pinned_model_that_comes_later_is_pinned(
    play: Callable[..., None], models: Path, tmp_path: Path
) -> None:
    """Such as one that was still to be downloaded when the server started."""
    folder = tmp_path / "later"
    folder.mkdir()

    async def scenario(pool: Pool) -> None:
        shutil.copy(models / "hello.gguf", folder / "Late.gguf")
        await pool.router.look()
        for _ in range(500):
            if "late" in [model.id for model in await pool.router.models()]:
                break
            await asyncio.sleep(0.02)
        assert (await pool.router.model("late")).pinned
        assert not (await pool.router.model("hello")).pinned

    play(scenario, pinned=("Late",), model_folders=(models, folder))


def test_other_options_load_it_again_unless_it_is_busy(
    play: Callable[..., None],
) -> None:
    """The same ones do not."""
    options = {"context_length": 128}

    async def scenario(pool: Pool) -> None:
        await pool.ask("hello")
        await pool.ready("hello")
        with pytest.raises(ModelBusyError):
            await pool.router.load("hello", options=options)
        await pool.answer("hello")
        assert await events_of(await pool.load("hello")) == [Ready()]
        again = asyncio.ensure_future(pool.router.load("hello", options=options))
        await pool.settle()
        await pool.end("hello")
        await again
        await pool.settle()
        assert len(pool.workers) == 2
        await pool.ready("hello")
        assert (await pool.router.model("hello")).options == LoadOptions(
            context_length=128
        )
        unloading = asyncio.ensure_future(pool.router.unload("hello"))
        await pool.settle()
        await pool.end("hello")
        await unloading
        await pool.load("hello")
        (load,) = pool.worker("hello").commands
        assert isinstance(load, Load)
        assert load.options == LoadOptions()

    play(scenario)


def test_who_waits_for_room_gets_the_options_that_were_asked_last(
    play: Callable[..., None],
) -> None:
    """And no memory but what these need: an earlier load is given up."""

    async def scenario(pool: Pool) -> None:
        await pool.ask("babble")
        await pool.ready("babble")
        earlier = await pool.load("hello", options={"context_length": 1000})
        await pool.load("hello", options={"context_length": 2000})
        assert isinstance((await events_of(earlier))[-1], Failed)
        await pool.answer("babble")
        await pool.end("babble")
        assert options_of(pool, "hello").context_length == 2000
        assert await set_aside(pool, "hello") == 2000

    play(scenario, max_loaded_models=1)


@pytest.mark.parametrize("refused", [False, True])
def test_what_a_load_needs_says_nothing_of_a_later_one(
    play: Callable[..., None], *, refused: bool
) -> None:
    """Though it was found out only after that was asked for."""

    class Slow(FakeNeeds):
        """Takes its time over what is asked first."""

        def __init__(self) -> None:
            super().__init__()
            self.found = asyncio.Event()

        async def guess(
            self, entry: ModelEntry, options: LoadOptions, devices: Sequence[Device]
        ) -> MemoryEstimate:
            if options.context_length == 1000:
                await self.found.wait()
                if refused:
                    raise ModelLoadError("It is of no known kind.")
            else:
                await asyncio.sleep(0)
            return await super().guess(entry, options, devices)

    needs = Slow()

    async def scenario(pool: Pool) -> None:
        await pool.load("hello", options={"context_length": 1000})
        loading = asyncio.ensure_future(
            pool.router.load("hello", options={"context_length": 2000})
        )
        needs.found.set()
        later = await loading
        await pool.settle()
        assert options_of(pool, "hello").context_length == 2000
        assert await set_aside(pool, "hello") == 2000
        await pool.ready("hello")
        assert (await events_of(later))[-1] == Ready()

    play(scenario, needs)


def test_a_request_during_a_reload_waits_for_the_options_that_are_wanted(
    play: Callable[..., None],
) -> None:
    """It came before the old worker had gone."""

    async def scenario(pool: Pool) -> None:
        await pool.load("hello")
        await pool.ready("hello")
        again = asyncio.ensure_future(
            pool.router.load("hello", options={"context_length": 2000})
        )
        await pool.settle()
        await pool.ask("hello")
        await pool.end("hello")
        loaded = await again
        assert options_of(pool, "hello").context_length == 2000
        assert await set_aside(pool, "hello") == 2000
        await pool.ready("hello")
        assert (await events_of(loaded))[-1] == Ready()
        assert len(pool.workers) == 2

    play(scenario)


def test_a_load_during_the_unload_is_not_forgotten(play: Callable[..., None]) -> None:
    """Whoever asked for it does not watch it, and is told of the worker to come."""

    async def scenario(pool: Pool) -> None:
        await pool.load("hello")
        await pool.ready("hello")
        before = (await pool.router.model("hello")).worker
        unloading = asyncio.ensure_future(pool.router.unload("hello"))
        await pool.settle()
        loading = asyncio.ensure_future(pool.router.start_worker("hello"))
        await pool.settle()
        await pool.end("hello")
        await unloading
        status = await loading
        assert await pool.state("hello") == status.state == "loading"
        assert (await pool.router.model("hello")).worker == status.id != before
        assert len(pool.workers) == 2

    play(scenario)


@pytest.mark.parametrize("draining", [False, True])
def test_a_load_that_was_served_asks_for_nothing_later(
    play: Callable[..., None], *, draining: bool
) -> None:
    """Once the model has gone, only who waits for it brings it back."""

    async def scenario(pool: Pool) -> None:
        await pool.ask("hello")
        await pool.ready("hello")
        if draining:
            other = await pool.ask("babble")
            (await pool.load("hello")).close()
            other.close()
            await pool.settle()
            await pool.answer("hello")
        else:
            await pool.answer("hello")
            (await pool.load("hello")).close()
        await pool.ask("babble")
        await pool.end("hello")
        await pool.ready("babble")
        (await pool.ask("hello")).close()
        await pool.settle()
        await pool.answer("babble")
        assert await pool.state("babble") == "ready"
        assert await pool.state("hello") == "unloaded"

    play(scenario, max_loaded_models=1)


def test_of_two_reloads_the_first_is_told_that_it_was_given_up(
    play: Callable[..., None],
) -> None:
    """Nobody is told "ready" of a model that has other options than were asked."""

    async def scenario(pool: Pool) -> None:
        await pool.load("hello")
        await pool.ready("hello")
        loads = [
            asyncio.ensure_future(
                pool.router.load("hello", options={"context_length": length})
            )
            for length in (1000, 2000)
        ]
        await pool.settle()
        await pool.end("hello")
        first, second = await asyncio.gather(*loads)
        await pool.settle()
        assert options_of(pool, "hello").context_length == 2000
        await pool.ready("hello")
        assert isinstance((await events_of(first))[-1], Failed)
        assert (await events_of(second))[-1] == Ready()

    play(scenario)


def test_a_request_may_be_for_what_is_loaded_anyway(play: Callable[..., None]) -> None:
    """It waits for a load that somebody else began, and begins none itself."""

    async def scenario(pool: Pool) -> None:
        with pytest.raises(ModelNotLoadedError, match=r"'hello'.*'autoload'"):
            await pool.ask("hello", autoload=False)
        assert await pool.state("hello") == "unloaded"
        await pool.load("hello")
        waiting = await pool.ask("hello", autoload=False)
        await pool.ready("hello")
        warm = await pool.ask("hello", autoload=False)
        await pool.answer("hello")
        assert (await events_of(waiting))[-1] == (await events_of(warm))[-1] == END
        unloading = asyncio.ensure_future(pool.router.unload("hello"))
        await pool.settle()
        with pytest.raises(ModelNotLoadedError):
            await pool.ask("hello", autoload=False)
        await pool.end("hello")
        await unloading
        assert await pool.state("hello") == "unloaded"
        assert len(pool.workers) == 1

    play(scenario)


def test_such_a_request_does_not_bring_back_what_makes_room(
    play: Callable[..., None],
) -> None:
    async def scenario(pool: Pool) -> None:
        await pool.ask("hello")
        await pool.ready("hello")
        await pool.ask("babble")
        with pytest.raises(ModelNotLoadedError):
            await pool.ask("hello", autoload=False)
        await pool.answer("hello")
        await pool.end("hello")
        await pool.ready("babble")
        await pool.answer("babble")
        assert await pool.state("hello") == "unloaded"
        assert await pool.state("babble") == "ready"

    play(scenario, max_loaded_models=1)


def test_workers_are_listed_and_addressed(play: Callable[..., None]) -> None:
    """By their id, also those that are one caller's own."""

    async def scenario(pool: Pool) -> None:
        await pool.load("hello")
        own, _ = await pool.router.own_worker("hello")
        await pool.settle()
        first, second = await pool.router.workers()
        assert (first.model, first.ephemeral) == ("hello", False)
        assert (second.model, second.ephemeral) == ("hello", True)
        pool.workers[1][1].become_ready()
        await pool.ask(f"hello@{second.id}")
        assert pool.workers[1][1].requests == [2]
        assert pool.workers[0][1].requests == []
        giving = asyncio.ensure_future(pool.router.give_back(own))
        await pool.settle()
        pool.workers[1][1].die(0)
        await giving
        assert len(await pool.router.workers()) == 1
        with pytest.raises(WorkerNotFoundError):
            await pool.ask(f"hello@{second.id}")

    play(scenario)


def test_every_change_is_told(play: Callable[..., None]) -> None:
    """With the model's and the worker's states in order."""

    async def scenario(pool: Pool) -> None:
        await pool.ask("hello")
        await pool.ready("hello")
        await pool.answer("hello")
        seen = [
            change.model.state
            for change in pool.changes
            if isinstance(change, ModelChanged) and change.model.id == "hello"
        ]
        assert list(dict.fromkeys(seen)) == ["unloaded", "loading", "busy", "ready"]
        workers = [c for c in pool.changes if isinstance(c, WorkerChanged)]
        assert {w.worker.id for w in workers} == {"w1"}

    play(scenario)


def test_tokens_are_charged_to_who_asked(play: Callable[..., None]) -> None:
    """What an answer cost counts for the user's next request."""

    async def scenario(pool: Pool) -> None:
        await pool.ask("hello", user="ann")
        await pool.ready("hello")
        await pool.answer("hello")
        with pytest.raises(RateLimitedError):
            await pool.ask("hello", user="ann")
        await pool.ask("hello", user="bob")

    play(scenario, limits=Limits(tokens_per_minute=5))


def test_preflight_says_what_would_happen(play: Callable[..., None]) -> None:
    """In the order of the checks, without loading anything."""
    needs = FakeNeeds(
        {"hello": ALL // 2, "babble": ALL // 2, "encoder": 10 * ALL},
        {"ranker": ModelLoadError("It is of no known kind.")},
    )

    async def scenario(pool: Pool) -> None:
        await pool.load("hello")
        await pool.ready("hello")
        found = await pool.router.preflight("babble")
        assert found.ok
        assert [c.name for c in found.checks] == [
            "file",
            "version",
            "support",
            "memory",
        ]
        assert found.evicts == ("hello",)
        found = await pool.router.preflight("encoder")
        assert not found.ok
        assert "does not fit" in found.checks[-1].message
        found = await pool.router.preflight("ranker")
        assert [c.ok for c in found.checks] == [True, True, False]
        needs.problem = "It is too old."
        found = await pool.router.preflight("babble")
        assert [(c.name, c.ok) for c in found.checks] == [
            ("file", True),
            ("version", False),
        ]
        assert found.checks[-1].message == "It is too old."
        assert len(pool.workers) == 1

    play(scenario, needs)


def test_a_stopping_server_takes_nothing_on(play: Callable[..., None]) -> None:
    """And does not start again what it ends."""

    async def scenario(pool: Pool) -> None:
        stream = await pool.ask("hello")
        stopping = asyncio.ensure_future(pool.router.stop())
        await pool.settle()
        with pytest.raises(ServerStoppingError):
            await pool.ask("hello")
        await pool.end("hello")
        await stopping
        assert isinstance((await events_of(stream))[-1], Failed)
        assert len(pool.workers) == 1

    play(scenario, pinned=("hello",))
