"""The engine's backend on llama.cpp."""

import ctypes
from collections.abc import Sequence
from contextlib import suppress

import numpy as np
from llama_cpp import llama_cpp as lib
from numpy.typing import NDArray

from llm_ext.core.sampling import SamplingParams
from llm_ext.engine.backend import BatchElement, DecodeError, NoCellsError
from llm_ext.engine.constraint import Constraint
from llm_ext.engine.element import Element

from .batch import Batch
from .context import Context
from .dry import DrySamplers
from .model import Model
from .padding import Padding
from .sampler import ChainSampler
from .threads import threads_for

_NO_CELLS = 1  # llama_decode: no memory slot for the batch; nothing changed


class LlamaBackend:
    """Implements :class:`llm_ext.engine.backend.Backend` for one context.

    ``swap`` is how many bytes of main memory there are to swap out to.
    """

    def __init__(self, model: Model, context: Context, *, swap: int = 0) -> None:
        self._vocab = model.vocab
        self._context = context
        self._dry = DrySamplers(model.vocab)
        self._batch = Batch(context.batch_size)
        self._parameters = model.parameters
        self._padding = Padding.of(model, context)
        self.memory_kind = model.memory_kind
        self.n_seq_ids = context.seq_ids
        self.n_cells = context.cells
        self.n_batch = context.batch_size
        self.n_swap = swap // context.cell_bytes
        self._swapped: dict[int, NDArray[np.uint8]] = {}

    def decode(self, batch: Sequence[BatchElement], *, spare: int = 0) -> None:
        """See Backend."""
        idle = self._idle(batch, spare)
        whole = [*batch, *idle]
        self._context.compute_with(
            threads_for(
                len(whole),
                parameters=self._parameters,
                most=self._context.most_threads,
            )
        )
        self._batch.fill(whole)
        code = lib.llama_decode(self._context.pointer, self._batch.struct)
        if idle:
            self.clear(idle[0].seq_id, idle[0].position, None)
        if code == _NO_CELLS:
            raise NoCellsError
        if code != 0:
            raise DecodeError(f"llama_decode returned {code}")

    def _idle(self, batch: Sequence[BatchElement], spare: int) -> list[BatchElement]:
        """Return what fills the batch up, after its end, where no element sees it."""
        token, position, seq_id, _ = batch[-1]
        return [
            BatchElement(token, position + after, seq_id, wants_logits=False)
            for after in range(1, self._padding.idle(batch, spare) + 1)
        ]

    def warm_up(self) -> None:
        """Compute two elements for nobody.

        One would not do: what reads prompts is other code. What llama.cpp says against
        it, it says again to whoever asks for something.
        """
        batch = [BatchElement(0, at, 0, wants_logits=at == 1) for at in range(2)]
        with suppress(NoCellsError, DecodeError):
            self.decode(batch)
        self.clear(0, 0, None)

    def clear(self, seq_id: int, start: int, end: int | None) -> None:
        """See Backend."""
        last = -1 if end is None else end
        lib.llama_memory_seq_rm(self._context.memory, seq_id, start, last)

    def copy(self, source: int, target: int, start: int, end: int) -> None:
        """See Backend."""
        lib.llama_memory_seq_cp(self._context.memory, source, target, start, end)

    def swap_out(self, seq_id: int, key: int) -> None:
        """See Backend."""
        size = lib.llama_state_seq_get_size(self._context.pointer, seq_id)
        copy = np.empty(size, np.uint8)
        lib.llama_state_seq_get_data(self._context.pointer, _bytes(copy), size, seq_id)
        self._swapped[key] = copy

    def swap_in(self, key: int, seq_id: int) -> None:
        """See Backend."""
        copy = self._swapped[key]
        read = lib.llama_state_seq_set_data(
            self._context.pointer, _bytes(copy), copy.nbytes, seq_id
        )
        if not read:
            raise NoCellsError

    def drop(self, key: int) -> None:
        """See Backend."""
        del self._swapped[key]

    def sampler(
        self,
        params: SamplingParams,
        prompt: Sequence[Element],
        constraint: Constraint | None = None,
    ) -> ChainSampler:
        """See Backend."""
        sampler = ChainSampler(
            self._context, self._vocab, self._dry, params, constraint
        )
        sampler.accept(prompt)
        return sampler

    def ends(self, token: int) -> bool:
        """See Backend."""
        return self._vocab.ends(token)

    def piece(self, token: int, *, special: bool = False) -> bytes:
        """See Backend."""
        return self._vocab.piece(token, special=special)

    def close(self) -> None:
        """Free what is its own. The context and the model belong to the caller."""
        self._batch.close()
        self._dry.close()
        self._swapped.clear()


def _bytes(array: NDArray[np.uint8]) -> "ctypes._Pointer[ctypes.c_uint8]":
    return array.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))
