"""A llama_batch, filled anew for every decode."""

from collections.abc import Sequence

from llama_cpp import llama_cpp as lib

from llm_ext.engine.backend import BatchElement


class Batch:
    """Room for ``capacity`` elements in C arrays, allocated once."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.struct = lib.llama_batch_init(capacity, 0, 1)
        self._open = True

    def fill(self, elements: Sequence[BatchElement]) -> None:
        """Replace the contents.

        Raises:
            ValueError: More elements than the capacity.
            TypeError: One is no token.
        """
        if len(elements) > self.capacity:
            raise ValueError(f"{len(elements)} elements do not fit {self.capacity}")
        struct = self.struct
        struct.n_tokens = len(elements)
        for index, (element, position, seq_id, wants_logits) in enumerate(elements):
            if not isinstance(element, int):
                raise TypeError(f"this model cannot read {element}")
            struct.token[index] = element
            struct.pos[index] = position
            struct.n_seq_id[index] = 1
            struct.seq_id[index][0] = seq_id
            struct.logits[index] = wants_logits

    def close(self) -> None:
        """Free the arrays."""
        if self._open:
            self._open = False
            lib.llama_batch_free(self.struct)
