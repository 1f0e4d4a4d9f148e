"""What a load takes: by formula, by a dry run, and as llama.cpp says afterwards."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from gguf import PoolingType

from llm_ext.catalog.facts import model_facts
from llm_ext.catalog.gguf import read
from llm_ext.core.device import CPU, MemoryEstimate
from llm_ext.core.load_options import LoadOptions
from llm_ext.core.memory_formula import context_that_fits, estimate
from llm_ext.core.memory_kind import MemoryKind
from llm_ext.core.model_facts import ModelFacts
from llm_ext.llama.devices import devices
from llm_ext.llama.estimate import measure
from llm_ext.llama.library import Log
from llm_ext.worker.build import loaded_model
from tests.models import encoder
from tests.models.builder import Shape, write_model
from tests.models.hollow import HollowShape, write_hollow
from tests.models.kinds import WRITERS

MIB = 1024 * 1024

OPTIONS = [
    LoadOptions(context_length=512),
    LoadOptions(),
    LoadOptions(context_length=32768),
    LoadOptions(context_length=131_072, slots=16),
    LoadOptions(context_length=4096, kv_type="q8_0"),
    LoadOptions(context_length=8192, kv_type="q4_0"),
    LoadOptions(context_length=4096, kv_type="f32"),
    LoadOptions(context_length=4096, flash_attention="off"),
]


def facts_of(path: Path) -> ModelFacts:
    return model_facts([read(path)])


@pytest.fixture
def log() -> Iterator[Log]:
    """Keep llama.cpp quiet, until a worker's log takes over."""
    with closing(Log(lambda _text: None)) as log:
        yield log


@pytest.fixture(scope="module")
def kinds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Small models of every memory kind, and two that make vectors."""
    folder = tmp_path_factory.mktemp("kinds")
    found = {
        kind: write(folder / f"{kind}.gguf") for kind, write in WRITERS.items()
    } | {
        "attention": write_model(
            folder / "attention.gguf", shape=Shape(context=32768, embedding=256)
        ),
        "encoder": encoder.write_tiny(
            folder / "encoder.gguf", pooling=PoolingType.MEAN
        ),
        "ranker": encoder.write_tiny(
            folder / "ranker.gguf",
            pooling=PoolingType.RANK,
            head=encoder.head_weights(),
        ),
    }
    return {str(kind): path for kind, path in found.items()}


def assert_same(dry: MemoryEstimate, real: MemoryEstimate) -> None:
    """As far as llama.cpp says: it rounds each size to hundredths of a MiB."""
    assert dry.devices.keys() == real.devices.keys()
    for device, use in real.devices.items():
        said = dry.devices[device]
        assert said.weights == pytest.approx(use.weights, abs=0.02 * MIB)
        assert said.cache == pytest.approx(use.cache, abs=0.02 * MIB)
        assert said.compute == use.compute
    assert (dry.context_length, dry.gpu_layers) == (
        real.context_length,
        real.gpu_layers,
    )


def assert_close(guess: MemoryEstimate, real: MemoryEstimate) -> None:
    """10 percent, or 8 MiB where that is nothing."""
    assert guess.devices.keys() == real.devices.keys()
    for device, use in real.devices.items():
        weights = pytest.approx(use.weights, rel=0.01, abs=0.02 * MIB)
        assert guess.devices[device].weights == weights
        off = abs(guess.on(device) - use.total)
        assert off <= max(0.1 * use.total, 8 * MIB), (device, guess, real)
    assert guess.context_length == real.context_length
    assert guess.gpu_layers == real.gpu_layers


@pytest.mark.parametrize("shared", [True, False])
def test_the_formula_knows_what_a_model_of_real_size_takes(
    shared: bool,  # noqa: FBT001  # a parameter of the test
    log: Log,
    tmp_path: Path,
) -> None:
    """At several lengths, and with several types of keys and values."""
    shape = HollowShape(shared_output=shared)
    path = write_hollow(tmp_path / "hollow.gguf", shape)
    facts = facts_of(path)
    for options in OPTIONS:
        real = measure(path, options, log=log)
        assert real.measured
        assert real.total > 600 * MIB
        assert_close(estimate(facts, options, devices()), real)


@pytest.mark.parametrize("kind", [*WRITERS, "attention", "encoder", "ranker"])
@pytest.mark.parametrize(
    "options",
    [
        LoadOptions(),
        LoadOptions(slots=64, context_length=2048),
        LoadOptions(flash_attention="off", slots=1),
    ],
    ids=["default", "many-slots", "no-flash"],
)
def test_formula_dry_run_and_load_agree(
    kind: MemoryKind, options: LoadOptions, log: Log, kinds: dict[str, Path]
) -> None:
    """For every kind of memory; the dry run is as exact as llama.cpp's log."""
    path = kinds[kind]
    dry = measure(path, options, log=log)
    with loaded_model(path, options, lambda _stage, _fraction: None) as loaded:
        real = loaded.memory
    assert_same(dry, real)
    assert_close(estimate(facts_of(path), options, devices()), real)


def test_without_mapping_the_same_memory_is_taken(
    log: Log, kinds: dict[str, Path]
) -> None:
    """What is mapped counts as the model's too: it must be there to compute fast."""
    options = LoadOptions(mmap=False)
    dry = measure(kinds["attention"], options, log=log)
    with loaded_model(kinds["attention"], options, lambda _stage, _done: None) as it:
        assert it.memory.on(CPU) == pytest.approx(dry.on(CPU), abs=MIB / 8)


def test_the_context_that_fits_fits(log: Log, tmp_path: Path) -> None:
    """And one that is a quarter longer does not: llama.cpp says so."""
    path = write_hollow(tmp_path / "hollow.gguf", HollowShape())
    facts = facts_of(path)
    options = LoadOptions(context_length=131_072)
    room = 2048 * MIB
    length = context_that_fits(facts, options, devices(), {CPU: room})
    assert length is not None

    def taken(length: int) -> int:
        return measure(path, LoadOptions(context_length=length), log=log).on(CPU)

    assert 0.8 * room < taken(length) < 1.05 * room
    assert taken(length + length // 4) > room
    assert context_that_fits(facts, options, devices(), {CPU: 500 * MIB}) is None
