"""The sequence ids of the KV cache: each names one path of cells."""


class SeqIds:
    """Hands out the ids 0 to ``count`` - 1, the lowest free one first."""

    def __init__(self, count: int) -> None:
        if count < 1:
            raise ValueError(f"a model needs at least one sequence id, not {count}")
        self.count = count
        self._free = set(range(count))

    @property
    def free(self) -> int:
        """How many are free."""
        return len(self._free)

    def claim(self) -> int:
        """Take a free id.

        Raises:
            ValueError: There is none.
        """
        if not self._free:
            raise ValueError("no sequence id is free")
        seq_id = min(self._free)
        self._free.remove(seq_id)
        return seq_id

    def release(self, seq_id: int) -> None:
        """Give an id back.

        Raises:
            ValueError: It was not taken.
        """
        if seq_id in self._free or not 0 <= seq_id < self.count:
            raise ValueError(f"sequence id {seq_id} is not taken")
        self._free.add(seq_id)
