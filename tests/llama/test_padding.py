"""Batches that are filled up where that is faster, and what that leaves: nothing."""

from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest
from llama_cpp import llama_cpp as lib

from llm_ext.core.load_options import FlashAttention, KVType
from llm_ext.engine.backend import BatchElement
from llm_ext.engine.pace import TILE
from llm_ext.llama.backend import LlamaBackend
from llm_ext.llama.context import Context
from llm_ext.llama.model import Model
from llm_ext.llama.padding import Padding
from tests.models.builder import Shape, write_model
from tests.models.opened import opened

BILLION = 5.3e-5
"""What attention takes in a model of the shape of Llama 3.2 1B."""

PLENTY = 10_000

BOUND = 0.05
"""Of logits, which llama.cpp rounds differently in batches of other sizes."""


def chunk(size: int, *, read: int, seq_id: int = 0) -> list[BatchElement]:
    """Return elements of a prompt, of which the last one's logits are wanted."""
    return [
        BatchElement(100 + at % 50, read + at, seq_id, wants_logits=at == size - 1)
        for at in range(size)
    ]


@pytest.mark.parametrize(
    ("read", "size", "full"),
    [
        (0, 63, False),
        (500, 40, False),
        (500, 48, True),
        (1000, 32, False),
        (1000, 40, True),
        (2000, 16, False),
        (2000, 32, True),
        (4000, 24, True),
        (4000, 16, False),
        (100_000, 8, False),
        (4000, 64, False),
        (4000, 65, False),
        (4000, 128, False),
    ],
)
def test_a_batch_is_filled_up_where_that_is_faster(
    read: int,
    size: int,
    full: bool,  # noqa: FBT001  # pytest's
) -> None:
    """As ``benchmarks.steps`` measures it."""
    idle = Padding(BILLION).idle(chunk(size, read=read), PLENTY)
    assert idle == (TILE - size if full else 0)


def test_many_streams_are_not_filled_up() -> None:
    """A tile goes over the cells of all of them."""
    streams = [BatchElement(1, 2000, seq_id, wants_logits=True) for seq_id in range(40)]
    assert Padding(BILLION).idle(streams, PLENTY) == 0
    assert Padding(BILLION).idle(chunk(40, read=2000), PLENTY)


def test_there_must_be_cells_to_spare() -> None:
    """As many as are added."""
    padding, batch = Padding(BILLION), chunk(40, read=2000)
    assert padding.idle(batch, TILE - 40) == TILE - 40
    assert padding.idle(batch, TILE - 41) == 0
    assert padding.idle(batch, -1) == 0


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Model]:
    """One that attends far more than it multiplies."""
    path = tmp_path_factory.mktemp("padding") / "tiny.gguf"
    write_model(path, shape=Shape(embedding=128, context=4096))
    with opened(path) as loaded:
        yield loaded


def test_idle_elements_change_nothing_and_leave_nothing(model: Model) -> None:
    """Beside another sequence, in the middle of a prompt and at its end."""
    logits, last = [], []
    for spare in (0, PLENTY):
        with (
            closing(Context(model, cells=2048, seq_ids=2, threads=1)) as context,
            closing(LlamaBackend(model, context)) as backend,
        ):
            backend.decode(chunk(400, read=0))
            backend.decode(chunk(300, read=0, seq_id=1))
            batch = chunk(1, read=300, seq_id=1) + chunk(40, read=400)
            assert bool(backend._idle(batch, spare)) == bool(spare)
            backend.decode(batch, spare=spare)
            rows = [context.logits(0).copy(), context.logits(40).copy()]
            backend.decode(chunk(1, read=440), spare=spare)
            logits.append([*rows, context.logits(0).copy()])
            last.append(
                [lib.llama_memory_seq_pos_max(context.memory, seq) for seq in (0, 1)]
            )
    assert last == [[440, 300], [440, 300]]
    assert np.allclose(logits[0], logits[1], atol=BOUND)


@pytest.mark.parametrize(
    ("kv_type", "flash_attention", "full"),
    [
        ("f16", "auto", True),
        ("f16", "on", True),
        ("f16", "off", False),
        ("f32", "auto", True),
        ("bf16", "auto", False),
        ("q8_0", "auto", False),
    ],
)
def test_only_caches_that_are_computed_in_tiles_are_filled_up(
    model: Model,
    kv_type: KVType,
    flash_attention: FlashAttention,
    full: bool,  # noqa: FBT001  # pytest's
) -> None:
    """With flash attention, and in numbers that are not quantised."""
    with closing(
        Context(
            model,
            cells=2048,
            seq_ids=1,
            threads=1,
            kv_type=kv_type,
            flash_attention=flash_attention,
        )
    ) as context:
        padding = Padding.of(model, context)
        assert bool(padding.idle(chunk(40, read=1000), PLENTY)) == full
