"""A llama_context that gives vectors or scores of texts, instead of logits."""

from collections.abc import Sequence

import numpy as np
from llama_cpp import llama_cpp as lib

from llm_ext.core.pooling import Pooling
from llm_ext.engine.backend import BatchElement
from llm_ext.errors import EngineError

from .batch import Batch
from .context import opened
from .model import Model
from .vectors import Vector

_TYPES: dict[Pooling, int] = {
    "mean": lib.LLAMA_POOLING_TYPE_MEAN,
    "cls": lib.LLAMA_POOLING_TYPE_CLS,
    "last": lib.LLAMA_POOLING_TYPE_LAST,
    "rank": lib.LLAMA_POOLING_TYPE_RANK,
}

_WITH_DATA = False
"""llama_memory_clear: forget which cells are used, and leave what is in them."""


def only_encodes(model: Model) -> bool:
    """Whether the model is an encoder cut off an encoder-decoder, such as T5's.

    Those alone need llama_encode. Encoders such as BERT go through llama_decode, which
    hands them on.
    """
    return bool(
        lib.llama_model_has_encoder(model.pointer)
        and not lib.llama_model_has_decoder(model.pointer)
    )


class PooledContext:
    """Computes several texts in one decode, each under a sequence id of its own.

    A decode is one micro-batch: llama.cpp pools each micro-batch by itself.

    Attributes:
        uses: Bytes of cache and compute buffers, by the names of devices.
    """

    def __init__(
        self,
        model: Model,
        *,
        pooling: Pooling,
        cells: int,
        micro_batch: int,
        seq_ids: int,
        threads: int,
    ) -> None:
        """Allocate; ``micro_batch`` is the most tokens in one decode.

        It must not be less than ``seq_ids``.

        Raises:
            InsufficientMemoryError: A device has no room for it.
            ModelLoadError: llama.cpp refused for another reason.
        """
        # llama.cpp ends the process if the sequences cannot share it evenly.
        micro_batch = -(-micro_batch // seq_ids) * seq_ids
        params = lib.llama_context_default_params()
        params.n_ctx = max(cells, micro_batch)
        params.n_batch = micro_batch
        params.n_ubatch = micro_batch
        params.n_seq_max = seq_ids
        params.n_threads = threads
        params.n_threads_batch = threads
        # Else llama.cpp would mix pieces of several sequences into each micro-batch.
        params.kv_unified = True
        params.embeddings = True
        params.pooling_type = _TYPES[pooling]
        pointer, buffers = opened(model, params, cells=cells)
        self.pointer: int | None = pointer
        self.uses = buffers.uses()
        # Models that read both ways have none.
        self._memory = lib.llama_get_memory(pointer)
        self._batch = Batch(micro_batch)
        self._columns = (
            int(lib.llama_model_n_cls_out(model.pointer))
            if pooling == "rank"
            else model.vector_width
        )
        self._process = lib.llama_encode if only_encodes(model) else lib.llama_decode

    def clear(self) -> None:
        """Forget all texts."""
        if self._memory:
            lib.llama_memory_clear(self._memory, _WITH_DATA)

    def compute(self, texts: Sequence[Sequence[int]], *, start: int) -> list[Vector]:
        """Compute these tokens in one decode; return one result for each text.

        ``start`` is the position of the first tokens in their texts, of which what lies
        before was computed by earlier calls.

        Raises:
            EngineError: llama.cpp failed.
        """
        self._batch.fill(
            [
                BatchElement(token, position, seq_id, wants_logits=True)
                for seq_id, text in enumerate(texts)
                for position, token in enumerate(text, start)
            ]
        )
        code = self._process(self.pointer, self._batch.struct)
        if code != 0:
            raise EngineError(
                f"llama.cpp failed while it computed vectors (code {code}). Try again; "
                f"if it stays so, unload the model."
            )
        return [self._of_sequence(seq_id) for seq_id in range(len(texts))]

    def _of_sequence(self, seq_id: int) -> Vector:
        pointer = lib.llama_get_embeddings_seq(self.pointer, seq_id)
        return np.ctypeslib.as_array(pointer, (self._columns,)).copy()

    def close(self) -> None:
        """Free cache and buffers."""
        if self.pointer is not None:
            lib.llama_free(self.pointer)
            self.pointer = None
            self._batch.close()
