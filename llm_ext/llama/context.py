"""A llama_context: the KV cache and compute buffers of one model."""

import numpy as np
from llama_cpp import llama_cpp as lib

from llm_ext.core.context_sizes import BATCH_SIZE
from llm_ext.core.load_options import FlashAttention, KVType
from llm_ext.engine.constraint import Logits
from llm_ext.errors import InvalidRequestError, ModelLoadError

from .buffers import Buffers
from .model import Model
from .refusal import context_refusal

_KV_TYPES: dict[KVType, int] = {
    "f32": lib.GGML_TYPE_F32,
    "f16": lib.GGML_TYPE_F16,
    "bf16": 30,  # GGML_TYPE_BF16, which llama-cpp-python does not name
    "q8_0": lib.GGML_TYPE_Q8_0,
    "q5_1": lib.GGML_TYPE_Q5_1,
    "q5_0": lib.GGML_TYPE_Q5_0,
    "q4_1": lib.GGML_TYPE_Q4_1,
    "q4_0": lib.GGML_TYPE_Q4_0,
}

_FLASH_ATTENTION: dict[FlashAttention, int] = {
    "auto": lib.LLAMA_FLASH_ATTN_TYPE_AUTO,
    "on": lib.LLAMA_FLASH_ATTN_TYPE_ENABLED,
    "off": lib.LLAMA_FLASH_ATTN_TYPE_DISABLED,
}


def opened(
    model: Model, params: lib.llama_context_params, *, cells: int
) -> tuple[int, Buffers]:
    """Return a new llama_context, with the model's adapters, and what it allocated.

    ``cells`` are those that were asked for.

    Raises:
        InsufficientMemoryError: A device has no room for it.
        ModelLoadError: llama.cpp refused for another reason.
    """
    buffers = Buffers(model.gpus)
    model.log.forget_errors()
    with model.log.heard_by(buffers.read):
        pointer = lib.llama_init_from_model(model.pointer, params)
    if not pointer:
        raise context_refusal(cells, model.log.errors)
    try:
        model.adapt(pointer)
    except ModelLoadError:
        lib.llama_free(pointer)
        raise
    return pointer, buffers


class Context:
    """One unified KV cache of ``cells`` tokens that all sequences share.

    Attributes:
        uses: Bytes of cache and compute buffers, by the names of devices.
        flash_attention: Whether llama.cpp, when it was asked to find out, found that
            it can be used.
        most_threads: Threads that may compute.
        computes_tiles: Whether a CPU computes attention for many elements together.
    """

    def __init__(
        self,
        model: Model,
        *,
        cells: int,
        seq_ids: int,
        threads: int,
        kv_type: KVType = "f16",
        flash_attention: FlashAttention = "auto",
    ) -> None:
        """Allocate.

        Raises:
            InvalidRequestError: The KV type needs flash attention, which is off.
            InsufficientMemoryError: A device has no room for it.
            ModelLoadError: llama.cpp refused for another reason.
        """
        if flash_attention == "off" and kv_type.startswith("q"):
            raise InvalidRequestError(
                f"'kv_type' {kv_type} needs flash attention, but 'flash_attention' is "
                f"off. Set it to 'auto', or 'kv_type' to f16.",
                param="kv_type",
            )
        params = lib.llama_context_default_params()
        # llama.cpp makes room for more anyway, but its batches would be of so few, and
        # it aborts where one cannot hold a token of each sequence.
        params.n_ctx = max(cells, seq_ids)
        params.n_batch = BATCH_SIZE
        params.n_ubatch = BATCH_SIZE
        params.n_seq_max = seq_ids
        params.n_threads = threads
        params.n_threads_batch = threads
        params.type_k = params.type_v = _KV_TYPES[kv_type]
        params.flash_attn_type = _FLASH_ATTENTION[flash_attention]
        params.kv_unified = True
        # Layers with a sliding window need cells for no more than it covers.
        params.swa_full = False
        pointer, buffers = opened(model, params, cells=cells)
        self.pointer: int | None = pointer
        self.uses = buffers.uses()
        self.flash_attention = buffers.flash_attention
        used = self.flash_attention or flash_attention == "on"
        self.computes_tiles = used and kv_type in {"f16", "f32"}
        self.most_threads = self._threads = threads
        self._vocabulary = model.vocab.size
        self.memory = lib.llama_get_memory(pointer)
        self.seq_ids = int(lib.llama_n_seq_max(pointer))
        self.cells = int(lib.llama_n_ctx(pointer))
        self.batch_size = int(lib.llama_n_batch(pointer))

    @property
    def cell_bytes(self) -> int:
        """Bytes of the cache for each cell, over all devices."""
        return max(1, sum(use.cache for use in self.uses.values()) // self.cells)

    def compute_with(self, threads: int) -> None:
        """Let so many threads compute what comes next."""
        if threads != self._threads:
            self._threads = threads
            lib.llama_set_n_threads(self.pointer, threads, threads)

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
