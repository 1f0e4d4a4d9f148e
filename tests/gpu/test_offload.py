"""A model on a GPU: where its parts are, what they take, and what is said if they fail.

On whatever GPU llama.cpp finds; the software one is slow, so the models are small.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from llm_ext.catalog.facts import model_facts
from llm_ext.catalog.gguf import read
from llm_ext.core.device import CPU, Device, MemoryEstimate
from llm_ext.core.events import LoadStage
from llm_ext.core.load_options import LoadOptions
from llm_ext.core.memory_formula import estimate, has_room
from llm_ext.core.sampling import SamplingParams
from llm_ext.engine.sequence import Sequence
from llm_ext.errors import InvalidRequestError, LLMError
from llm_ext.llama.devices import devices
from llm_ext.llama.estimate import measure, resolved
from llm_ext.llama.library import Log
from llm_ext.pool.probe import Probe
from llm_ext.store.database import Database
from llm_ext.worker.build import LoadedModel, loaded_model
from tests.models.builder import Shape, write_model
from tests.models.hollow import HollowShape, write_hollow

pytestmark = [pytest.mark.gpu, pytest.mark.timeout(300)]

MIB = 1024 * 1024
SHAPE = Shape(embedding=256, layers=4, heads=8, kv_heads=8, feed_forward=512)
# Many layers: some GPUs take no tensor of more than 128 MiB, but more of them.
WIDE = Shape(
    embedding=256, layers=32, heads=4, kv_heads=4, feed_forward=256, context=2**26
)
CELL = WIDE.layers * 2 * WIDE.embedding * 2  # bytes of keys and values
EVERYTHING = SHAPE.layers + 1


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model."""
    folder = tmp_path_factory.mktemp("gpu")
    return write_model(folder / "small.gguf", shape=SHAPE)


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small model whose cache can be larger than any GPU."""
    folder = tmp_path_factory.mktemp("gpu")
    return write_model(folder / "wide.gguf", shape=WIDE)


@pytest.fixture
def log() -> Iterator[Log]:
    """Keep llama.cpp quiet."""
    with closing(Log(lambda _text: None)) as log:
        yield log


def quiet(_stage: LoadStage, _fraction: float) -> None:
    """Tell nobody."""


def on(gpu: Device, layers: int, **options: object) -> LoadOptions:
    """Return options for this GPU alone, whichever others there are."""
    chosen = {"devices": [gpu.name], "gpu_layers": layers, "context_length": 1024}
    return LoadOptions().but(chosen | options)


def too_long(gpu: Device) -> int:
    """Return a context whose cache takes half as much again as the GPU has."""
    return gpu.total * 3 // 2 // CELL


def answer(loaded: LoadedModel) -> list[int]:
    """Return a greedy answer."""
    prompt = [100, 101, 102]
    sequence = Sequence(
        request_id=1,
        prompt=prompt,
        params=SamplingParams(temperature=0),
        limit=len(prompt) + 12,
    )
    loaded.engine.submit(sequence)
    while not loaded.engine.idle:
        loaded.engine.step()
    return sequence.answer


def assert_close(said: MemoryEstimate, real: MemoryEstimate) -> None:
    """10 percent or 8 MiB, on every device."""
    for name, use in real.devices.items():
        off = abs(said.on(name) - use.total)
        assert off <= max(0.1 * use.total, 8 * MIB), (name, said, real)
    assert said.gpu_layers == real.gpu_layers


def test_a_gpu_is_listed_with_its_memory(gpu: Device) -> None:
    assert gpu.description
    assert gpu.backend != "CPU"
    assert 0 < gpu.free <= gpu.total


def test_the_probe_lists_it_too(gpu: Device, tmp_path: Path) -> None:
    async def ask() -> None:
        probe = Probe(Database(tmp_path / "llm.sqlite"))
        facts = await probe.devices()
        assert facts.runtime.gpu
        seen = {device.name: device for device in facts.devices}
        assert seen[gpu.name].total == gpu.total
        await probe.close()

    asyncio.run(ask())


@pytest.mark.parametrize("layers", [0, 1, 3, EVERYTHING, 99])
def test_so_many_layers_are_on_the_gpu(gpu: Device, model: Path, layers: int) -> None:
    """And the answer is the processor's."""
    with loaded_model(model, on(gpu, 0), quiet) as loaded:
        assert gpu.name not in loaded.memory.devices
        expected = answer(loaded)
    with loaded_model(model, on(gpu, layers), quiet) as loaded:
        offloaded = min(layers, EVERYTHING)
        assert loaded.memory.gpu_layers == offloaded
        assert (gpu.name in loaded.memory.devices) == (offloaded > 0)
        assert answer(loaded) == expected


def test_weights_and_cache_move_with_the_layers(gpu: Device, model: Path) -> None:
    """Nothing is lost, and nothing is there twice."""
    seen = []
    for layers in range(EVERYTHING + 1):
        with loaded_model(model, on(gpu, layers), quiet) as loaded:
            seen.append(loaded.memory)
    there = [memory.devices.get(gpu.name) for memory in seen]
    caches = [0 if use is None else use.cache for use in there]
    weights = [0 if use is None else use.weights for use in there]
    assert weights == sorted(weights)
    assert weights[0] == 0
    assert len(set(weights)) == EVERYTHING + 1
    whole = seen[0].devices[CPU].cache
    # The output layer, which is the first to go, has no cache.
    shares = [
        0,
        *(whole * layers // SHAPE.layers for layers in range(SHAPE.layers + 1)),
    ]
    assert caches == pytest.approx(shares, abs=0.1 * MIB)
    for memory in seen:
        total = sum(use.cache for use in memory.devices.values())
        assert total == pytest.approx(whole, abs=0.1 * MIB)


@pytest.mark.parametrize("layers", [0, 2, EVERYTHING])
def test_dry_run_formula_and_load_agree(
    gpu: Device, model: Path, layers: int, log: Log
) -> None:
    """On each device."""
    options = on(gpu, layers, context_length=2048)
    dry = measure(model, options, log=log)
    guess = estimate(model_facts([read(model)]), options, devices())
    with loaded_model(model, options, quiet) as loaded:
        real = loaded.memory
    for name, use in real.devices.items():
        said = dry.devices[name]
        assert said.weights == pytest.approx(use.weights, abs=0.3 * MIB)
        assert said.cache == pytest.approx(use.cache, abs=0.1 * MIB)
        assert said.compute == pytest.approx(use.compute, abs=0.1 * MIB)
    assert_close(guess, real)


@pytest.mark.parametrize("layers", [1, 9, 17])
@pytest.mark.parametrize("length", [2048, 32768])
def test_the_formula_knows_where_a_model_of_real_size_goes(
    gpu: Device, layers: int, length: int, log: Log, tmp_path: Path
) -> None:
    """As a dry run says; without the weights, which nobody reads."""
    path = write_hollow(tmp_path / "hollow.gguf", HollowShape(shared_output=False))
    options = on(gpu, layers, context_length=length)
    real = measure(path, options, log=log)
    assert_close(estimate(model_facts([read(path)]), options, devices()), real)


def test_what_a_load_took_is_free_again_afterwards(gpu: Device, model: Path) -> None:
    """And was not free meanwhile, where the driver counts it."""

    def free() -> int:
        return next(device.free for device in devices() if device.name == gpu.name)

    before = free()
    with loaded_model(model, on(gpu, EVERYTHING), quiet):
        assert free() <= before
    assert free() == pytest.approx(before, abs=64 * MIB)


_LOAD = """
import json, resource, sys
from pathlib import Path
import psutil
from llm_ext.core.load_options import LoadOptions
from llm_ext.errors import LLMError
from llm_ext.llama.devices import devices
from llm_ext.worker.build import loaded_model

path, options, room = sys.argv[1:]
devices()  # what the driver itself takes is no part of the room
if room != "0":
    limit = psutil.Process().memory_info().vms + int(room)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
try:
    options = LoadOptions().but(json.loads(options))
    with loaded_model(Path(path), options, lambda *_: None) as loaded:
        print(json.dumps({"context_length": loaded.context_length}))
except LLMError as error:
    print(json.dumps({"code": error.code, "message": str(error)}))
"""


def load(gpu: Device, path: Path, **options: object) -> dict[str, object]:
    """Load in a process of its own, and return what came of it.

    The software GPU gives more than it has, as long as the process gets it: so its
    process gets less.
    """
    room = gpu.total * 3 // 4 if "llvmpipe" in gpu.description else 0
    chosen = {"devices": [gpu.name], "gpu_layers": 99} | options
    done = subprocess.run(
        [sys.executable, "-c", _LOAD, str(path), json.dumps(chosen), str(room)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    came: dict[str, object] = json.loads(done.stdout)
    return came


def test_a_cache_that_the_gpu_has_no_room_for_is_refused_in_words(
    gpu: Device, wide: Path
) -> None:
    """The process lives on to say it."""
    assert load(gpu, wide, context_length=4096) == {"context_length": 4096}
    came = load(gpu, wide, context_length=too_long(gpu))
    assert came["code"] == "insufficient_memory"
    assert f"{gpu.name} has not enough memory left" in str(came["message"])
    assert "shorter context" in str(came["message"])


def test_a_shorter_context_is_taken_where_that_was_allowed(
    gpu: Device, wide: Path
) -> None:
    length = too_long(gpu)
    came = load(gpu, wide, context_length=length, fit=True)["context_length"]
    assert isinstance(came, int)
    assert 512 <= came <= length // 2 + 256


def test_as_many_layers_as_fit_are_chosen(
    gpu: Device, model: Path, wide: Path, log: Log
) -> None:
    """All of a small model; fewer of one whose cache is too large."""
    auto = {"gpu_layers": "auto", "devices": [gpu.name]}
    small = LoadOptions().but(auto)
    assert resolved(model, small, log=log).gpu_layers == "all"
    large = LoadOptions().but(auto | {"context_length": too_long(gpu)})
    chosen = resolved(wide, large, log=log)
    layers = chosen.gpu_layers
    assert isinstance(layers, int)
    assert 0 < layers < WIDE.layers + 1

    def fits(layers: int) -> bool:
        options = msgspec.structs.replace(chosen, gpu_layers=layers)
        return has_room(measure(wide, options, log=log), [gpu])

    assert fits(layers)
    assert not fits(layers + 1)
    guess = estimate(model_facts([read(wide)]), large, devices())
    assert abs(guess.gpu_layers - layers) <= 2


def test_flash_attention_is_used_where_a_part_is_on_the_gpu(
    gpu: Device, model: Path, log: Log
) -> None:
    """llama.cpp by itself would find that it cannot be, for our many sequence ids."""
    whole = resolved(model, on(gpu, EVERYTHING), log=log)
    part = resolved(model, on(gpu, 2), log=log)
    assert part.flash_attention == whole.flash_attention == "on"
    unasked = resolved(model, on(gpu, 2, flash_attention="off"), log=log)
    assert unasked.flash_attention == "off"


def test_the_gpu_is_left_alone_where_the_processor_was_chosen(
    gpu: Device, model: Path
) -> None:
    options = LoadOptions(devices=(CPU,), gpu_layers="all", context_length=512)
    with loaded_model(model, options, quiet) as loaded:
        assert gpu.name not in loaded.memory.devices
        assert loaded.memory.gpu_layers == 0


@pytest.mark.parametrize("shares", [(1.0, 1.0), (-1.0,), (0.0,)])
def test_shares_must_be_one_for_each_gpu(
    gpu: Device, model: Path, shares: tuple[float, ...]
) -> None:
    options = on(gpu, 99, tensor_split=shares)
    caught: LLMError | None = None
    try:
        with loaded_model(model, options, quiet):
            pass
    except LLMError as error:
        caught = error
    assert isinstance(caught, InvalidRequestError)
    assert caught.param == "tensor_split"
