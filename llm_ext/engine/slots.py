"""The slots of a model: capacity for that many running sequences."""


class SlotTable:
    """Hands out slot numbers 0 to ``count`` - 1, the lowest free one first."""

    def __init__(self, count: int) -> None:
        if count < 1:
            raise ValueError(f"a model needs at least one slot, not {count}")
        self.count = count
        self._free = set(range(count))

    @property
    def free(self) -> int:
        """How many are free."""
        return len(self._free)

    def claim(self) -> int | None:
        """Take a free slot; None if there is none."""
        if not self._free:
            return None
        slot = min(self._free)
        self._free.remove(slot)
        return slot

    def release(self, slot: int) -> None:
        """Give a slot back.

        Raises:
            ValueError: It was not taken.
        """
        if slot in self._free or not 0 <= slot < self.count:
            raise ValueError(f"slot {slot} is not taken")
        self._free.add(slot)
