"""Batches that are filled up, where llama.cpp computes a full one faster.

On a CPU with flash attention it computes attention for a whole tile of elements
together; for a batch with fewer, one element after another
(``ggml_compute_forward_flash_attn_ext_f16`` in ``ggml-cpu/ops.cpp``). Once a thousand
elements were read, forty take longer than a tile of sixty-four.
"""

from collections.abc import Sequence

from llm_ext.engine.backend import BatchElement
from llm_ext.engine.pace import TILE

from .context import Context
from .model import Model

_ALONE = 28.0
"""How much longer attention takes, a multiplication, than weights do: one by one."""

_TOGETHER = 5.5
"""The same in a tile."""

_WORTH_IT = 0.95
"""The part of the time that a batch must take when it is filled up, or less."""


class Padding:
    """Says how many idle elements to add to a batch. Pure.

    Args:
        attention: The multiplications of attention for one element and each cell before
            it, as a share of those with the weights; 0 where nothing is to be gained.
    """

    def __init__(self, attention: float) -> None:
        self._attention = attention

    @classmethod
    def of(cls, model: Model, context: Context) -> "Padding":
        """Return what fits a model and how it was loaded."""
        helps = context.computes_tiles and model.memory_kind == "attention"
        return cls(model.attention if helps and not model.offloaded else 0.0)

    def idle(self, batch: Sequence[BatchElement], spare: int) -> int:
        """Return how many elements to add, which find ``spare`` cells free."""
        missing = TILE - len(batch)
        if not self._attention or not 0 < missing <= spare:
            return 0
        read: dict[int, int] = {}
        for _, position, seq_id, _ in batch:
            read[seq_id] = position + 1
        over = sum(position + 1 for _, position, _, _ in batch)
        alone = len(batch) + _ALONE * self._attention * over
        together = TILE * (1 + _TOGETHER * self._attention * sum(read.values()))
        return missing if together < _WORTH_IT * alone else 0
