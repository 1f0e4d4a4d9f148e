"""Where a model's parts go, and how much of it fits: the pure part of placement."""

import msgspec
import pytest
from hypothesis import given, strategies as st

from llm_ext.core.device import CPU, Device, MemoryEstimate
from llm_ext.core.load_options import LoadOptions
from llm_ext.core.memory_formula import (
    SHORTEST_CONTEXT,
    context_that_fits,
    estimate,
    gpu_layers_that_fit,
    most_that_fit,
    usable_gpus,
)
from llm_ext.core.memory_kind import MemoryKind
from llm_ext.core.model_facts import LayerFacts, ModelFacts

MIB = 1024 * 1024
GIB = 1024 * MIB
LAYERS = 8


def device(name: str, *, free: int = 24 * GIB, kind: str = "gpu") -> Device:
    return Device(
        name=name,
        description=name,
        kind=kind,  # type: ignore[arg-type]  # one of the three
        backend="CUDA",
        total=24 * GIB,
        free=free,
    )


PROCESSOR = device(CPU, kind="cpu")
FIRST, SECOND = device("CUDA0"), device("CUDA1")


def facts(
    *,
    kind: MemoryKind = "attention",
    shared: bool = False,
    window: int = 0,
    state: int = 0,
) -> ModelFacts:
    """Return a model of 8 layers of 100 MiB, and 400 MiB of embeddings and output."""
    layer = LayerFacts(
        weights=100 * MIB,
        key_width=0 if state else 1024,
        value_width=0 if state else 1024,
        window=window > 0,
        state=state,
    )
    return ModelFacts(
        architecture="llama",
        parameters=1,
        quantization="Q4_K_M",
        trained_context=131_072,
        embedding_width=4096,
        feed_forward_width=14336,
        heads=32,
        vocabulary=128_000,
        memory_kind=kind,
        window=window,
        layers=(layer,) * LAYERS,
        other_weights=400 * MIB if not shared else 200 * MIB,
        output_weights=200 * MIB,
    )


def weights(need: MemoryEstimate) -> dict[str, int]:
    """Return the MiB of weights on each device."""
    return {name: use.weights // MIB for name, use in need.devices.items()}


def test_without_gpus_all_is_in_main_memory() -> None:
    need = estimate(facts(), LoadOptions(gpu_layers="all"), [PROCESSOR])
    assert weights(need) == {CPU: 1200}
    assert need.gpu_layers == 0
    assert not need.measured


def test_layers_go_to_the_gpu_from_the_last_one_on() -> None:
    """The output layer is the last of all; the embeddings stay."""
    devices = [PROCESSOR, FIRST]

    def placed(layers: int) -> dict[str, int]:
        return weights(estimate(facts(), LoadOptions(gpu_layers=layers), devices))

    assert placed(0) == {CPU: 1200}
    assert placed(1) == {CPU: 1000, "CUDA0": 200}
    assert placed(3) == {CPU: 800, "CUDA0": 400}
    assert placed(9) == placed(99) == {CPU: 200, "CUDA0": 1000}


def test_shared_embeddings_are_there_twice() -> None:
    """Once to read tokens, in main memory, and once beside the last layer."""
    options = LoadOptions(gpu_layers="all")
    shared = facts(shared=True)
    assert weights(estimate(shared, options, [PROCESSOR])) == {CPU: 1000}
    both = weights(estimate(shared, options, [PROCESSOR, FIRST]))
    assert both == {CPU: 200, "CUDA0": 1000}


def test_gpus_share_by_what_they_have_free_or_as_told() -> None:
    half_full = device("CUDA1", free=12 * GIB)
    devices = [PROCESSOR, FIRST, half_full]
    options = LoadOptions(gpu_layers="all")
    by_memory = weights(estimate(facts(), options, devices))
    assert by_memory == {CPU: 200, "CUDA0": 600, "CUDA1": 400}
    told = LoadOptions(gpu_layers="all", tensor_split=(1.0, 2.0))
    assert weights(estimate(facts(), told, devices)) == {
        CPU: 200,
        "CUDA0": 300,
        "CUDA1": 700,
    }
    chosen = LoadOptions(gpu_layers="all", devices=("CUDA1",))
    assert weights(estimate(facts(), chosen, devices)) == {CPU: 200, "CUDA1": 1000}


def test_integrated_gpus_are_used_where_there_are_no_others() -> None:
    integrated = device("Vulkan1", kind="integrated")
    everything = LoadOptions()
    assert usable_gpus(everything, [PROCESSOR, integrated]) == [integrated]
    assert usable_gpus(everything, [PROCESSOR, integrated, FIRST]) == [FIRST]
    named = LoadOptions(devices=("Vulkan1", CPU))
    assert usable_gpus(named, [PROCESSOR, integrated, FIRST]) == [integrated]


@pytest.mark.parametrize(
    ("options", "cells"),
    [
        (LoadOptions(context_length=1000), 1024),
        (LoadOptions(), 8192),
        (LoadOptions(context_length=500_000), 131_072),
    ],
)
def test_attention_keeps_a_row_for_each_cell(options: LoadOptions, cells: int) -> None:
    """Two bytes for each of 2048 values, in each layer."""
    need = estimate(facts(), options, [PROCESSOR])
    assert need.devices[CPU].cache == cells * LAYERS * 2048 * 2
    assert need.context_length == cells


def test_less_precise_values_take_less_room() -> None:
    """A block of 32 values of 4 bits has 18 bytes."""
    options = LoadOptions(context_length=4096, kv_type="q4_0")
    need = estimate(facts(), options, [PROCESSOR])
    assert need.devices[CPU].cache == 4096 * LAYERS * 2048 * 18 // 32


def test_a_window_needs_no_more_cells_than_it_sees() -> None:
    """As many as all slots see, and a batch; never more than the context has."""
    seen = facts(kind="window", window=1000)
    row = LAYERS * 2048 * 2
    far = estimate(seen, LoadOptions(context_length=65536, slots=4), [PROCESSOR])
    assert far.devices[CPU].cache == 4608 * row
    near = estimate(seen, LoadOptions(context_length=2048, slots=4), [PROCESSOR])
    assert near.devices[CPU].cache == 2048 * row


def test_states_are_kept_for_each_slot_whatever_the_context() -> None:
    recurrent = facts(kind="recurrent", state=1000)
    for length in (512, 65536):
        options = LoadOptions(context_length=length, slots=3)
        need = estimate(recurrent, options, [PROCESSOR])
        assert need.devices[CPU].cache == 3 * LAYERS * 1000 * 4


def test_as_many_layers_go_to_the_gpu_as_fit() -> None:
    """And one more would not."""
    tight = device("CUDA0", free=5 * GIB // 4)
    options = LoadOptions()
    devices = [PROCESSOR, tight]
    layers = gpu_layers_that_fit(facts(), options, devices)
    assert 0 < layers < LAYERS + 1
    assert estimate(facts(), options, devices).gpu_layers == layers
    one_more = LoadOptions(gpu_layers=layers + 1)
    assert estimate(facts(), one_more, devices).on("CUDA0") > 3 * GIB // 4
    assert gpu_layers_that_fit(facts(), options, [PROCESSOR, FIRST]) == LAYERS + 1
    full = device("CUDA0", free=GIB // 4)
    assert gpu_layers_that_fit(facts(), options, [PROCESSOR, full]) == 0


@given(free=st.integers(min_value=0, max_value=16 * GIB))
def test_the_longest_context_that_fits_is_found(free: int) -> None:
    options = LoadOptions(context_length=65536)

    def need(length: int) -> int:
        shorter = LoadOptions(context_length=length)
        return estimate(facts(), shorter, [PROCESSOR]).on(CPU)

    found = context_that_fits(facts(), options, [PROCESSOR], {CPU: free})
    if found is None:
        assert need(SHORTEST_CONTEXT) > free
    else:
        assert need(found) <= free
        assert found == 65536 or need(found + 256) > free


def test_a_short_training_is_not_overrun() -> None:
    """A model of 64 tokens is asked for 64, not for the shortest that is of use."""
    short = msgspec.structs.replace(facts(), trained_context=64)
    found = context_that_fits(short, LoadOptions(), [PROCESSOR], {CPU: 99 * GIB})
    assert found == 64


@given(st.integers(0, 50), st.integers(0, 50), st.integers(-1, 60))
def test_the_most_that_fits_is_found(least: int, more: int, limit: int) -> None:
    found = most_that_fit(least, least + more, lambda number: number <= limit)
    best = [number for number in range(least, least + more + 1) if number <= limit]
    assert found == (best[-1] if best else None)
