"""How many threads compute: few elements of a small model are one thread's work."""

from contextlib import closing
from pathlib import Path

import pytest
from llama_cpp import llama_cpp as lib

from llm_ext.engine.backend import BatchElement
from llm_ext.llama.backend import LlamaBackend
from llm_ext.llama.context import Context
from llm_ext.llama.threads import threads_for
from tests.models.opened import opened

GUIDE = Path(__file__).parents[2] / "llm_ext" / "demo" / "guide.gguf"


@pytest.mark.parametrize(
    ("parameters", "size", "threads"),
    [
        (130_000, 1, 1),
        (130_000, 128, 1),
        (4_500_000, 8, 1),
        (4_500_000, 64, 4),
        (135_000_000, 1, 4),
        (1_200_000_000, 1, 4),
    ],
)
def test_threads_are_shared_out_by_the_work(
    parameters: int, size: int, threads: int
) -> None:
    """A millisecond of it is not worth to be shared."""
    assert threads_for(size, parameters=parameters, most=4) == threads


def test_a_prompt_has_all_threads_and_a_token_has_one() -> None:
    """Of the bundled model, in turn."""
    with (
        opened(GUIDE) as model,
        closing(Context(model, cells=256, seq_ids=1, threads=2)) as context,
        closing(LlamaBackend(model, context)) as backend,
    ):
        position = 0
        for size, threads in ((64, 2), (1, 1), (1, 1), (64, 2)):
            backend.decode(
                [
                    BatchElement(1, position + at, 0, wants_logits=at == size - 1)
                    for at in range(size)
                ]
            )
            position += size
            assert lib.llama_n_threads(context.pointer) == threads
            assert lib.llama_n_threads_batch(context.pointer) == threads
