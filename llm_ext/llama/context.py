"""A llama_context: the KV cache and compute buffers of one model."""

import numpy as np
from llama_cpp import llama_cpp as lib

from llm_ext.engine.constraint import Logits
from llm_ext.errors import ModelLoadError

from .model import Model

BATCH_SIZE = 512
"""Most tokens in one decode; llama.cpp's own default for its micro-batch."""


class Context:
    """One unified KV cache of ``cells`` tokens that all sequences share."""

    def __init__(self, model: Model, *, cells: int, seq_ids: int, threads: int) -> None:
        """Allocate.

        Raises:
            ModelLoadError: llama.cpp refused, mostly for lack of memory.
        """
        params = lib.llama_context_default_params()
        params.n_ctx = cells
        params.n_batch = BATCH_SIZE
        params.n_ubatch = BATCH_SIZE
        params.n_seq_max = seq_ids
        params.n_threads = threads
        params.n_threads_batch = threads
        params.kv_unified = True
        # Layers with a sliding window need cells for no more than it covers.
        params.swa_full = False
        pointer = lib.llama_init_from_model(model.pointer, params)
        if not pointer:
            raise ModelLoadError(
                f"llama.cpp could not make a context of {cells} tokens for this model, "
                f"mostly for lack of memory. Load it with a shorter context."
            )
        self.pointer: int | None = pointer
        self._vocabulary = model.vocab.size
        self.memory = lib.llama_get_memory(pointer)
        self.seq_ids = int(lib.llama_n_seq_max(pointer))
        self.cells = int(lib.llama_n_ctx(pointer))
        self.batch_size = int(lib.llama_n_batch(pointer))

    def logits(self, row: int) -> Logits:
        """Return the logits after element ``row`` of the last decode.

        They are llama.cpp's own memory, for as long as there is no next decode.

        Raises:
            ValueError: None were computed there.
        """
        pointer = lib.llama_get_logits_ith(self.pointer, row)
        if not pointer:
            raise ValueError(f"element {row} of the last batch has no logits")
        return np.ctypeslib.as_array(pointer, (self._vocabulary,))

    def close(self) -> None:
        """Free cache and buffers."""
        if self.pointer is not None:
            lib.llama_free(self.pointer)
            self.pointer = None
