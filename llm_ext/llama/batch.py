"""A llama_batch, filled anew for every decode."""

from collections.abc import Sequence

from llama_cpp import llama_cpp as lib

from llm_ext.engine.backend import BatchToken


class Batch:
    """Room for ``capacity`` tokens in C arrays, allocated once."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.struct = lib.llama_batch_init(capacity, 0, 1)
        self._open = True

    def fill(self, tokens: Sequence[BatchToken]) -> None:
        """Replace the contents.

        Raises:
            ValueError: More tokens than the capacity.
        """
        if len(tokens) > self.capacity:
            raise ValueError(f"{len(tokens)} tokens do not fit {self.capacity}")
        struct = self.struct
        struct.n_tokens = len(tokens)
        for index, (token, position, slot, wants_logits) in enumerate(tokens):
            struct.token[index] = token
            struct.pos[index] = position
            struct.n_seq_id[index] = 1
            struct.seq_id[index][0] = slot
            struct.logits[index] = wants_logits

    def close(self) -> None:
        """Free the arrays."""
        if self._open:
            self._open = False
            lib.llama_batch_free(self.struct)
