"""Prefixes that were moved out of the KV cache, into memory of their own. Pure."""

from collections.abc import Sequence as Items
from itertools import count
from typing import NamedTuple

from .element import Element
from .prefix_tree import PrefixTree


class Swapped(NamedTuple):
    """A prefix that was swapped out.

    Attributes:
        used: When it was used last, in elements computed.
        proven: Whether the sequence that left it had gone on from another.
    """

    used: int
    proven: bool


class SwapMatch(NamedTuple):
    """The first ``length`` elements are under ``key``, of ``size`` elements there."""

    length: int
    key: int
    size: int


class SwapSpace:
    """What was swapped out, and what has to go for more.

    Each prefix has a copy of all its elements, also of those that it shares with
    others.

    Attributes:
        n_elements: Most elements in all; 0 is no swap space at all.
        free: Elements that there is still room for.
    """

    def __init__(self, n_elements: int) -> None:
        self.n_elements = self.free = n_elements
        self._tree = PrefixTree()
        self._keys = count()
        self._swapped: dict[int, Swapped] = {}  # the least recently used first

    def __contains__(self, key: int) -> bool:
        """Whether something is under ``key``."""
        return key in self._swapped

    @property
    def keys(self) -> list[int]:
        """Of all that is there, the least recently used first."""
        return list(self._swapped)

    @property
    def unproven(self) -> list[int]:
        """The keys of those from which nobody went on."""
        return [key for key, swapped in self._swapped.items() if not swapped.proven]

    def match(self, elements: Items[Element]) -> SwapMatch | None:
        """Return the longest beginning that there is."""
        found = self._tree.match(elements)
        if found is None:
            return None
        key = found.seq_id
        return SwapMatch(found.length, key, self._tree.length(key))

    def room(self, size: int, *, before: int) -> list[int] | None:
        """Return which keys must go for ``size`` elements; None where that is no help.

        Only what was not used since ``before`` goes.
        """
        going, free = [], self.free
        for key, swapped in self._swapped.items():
            if free >= size:
                break
            if swapped.used < before:
                going.append(key)
                free += self._tree.length(key)
        return going if free >= size else None

    def add(self, elements: Items[Element], swapped: Swapped) -> int:
        """Note that there is a copy of ``elements``, and return its key.

        Raises:
            ValueError: There is no room for it.
        """
        if len(elements) > self.free:
            raise ValueError(f"{len(elements)} elements do not fit {self.free}")
        key = next(self._keys)
        self._tree.extend(key, elements)
        self._swapped[key] = swapped
        self.free -= len(elements)
        return key

    def use(self, key: int, now: int) -> None:
        """Note that it was used just now."""
        swapped = self._swapped.pop(key)
        self._swapped[key] = swapped._replace(used=now)

    def remove(self, key: int) -> None:
        """Note that it has gone."""
        del self._swapped[key]
        self.free += self._tree.length(key)
        self._tree.remove(key)

    def check_integrity(self) -> None:
        """Raise AssertionError if what this class promises does not hold."""
        self._tree.check_integrity()
        sizes = sum(self._tree.length(key) for key in self._swapped)
        if self.free != self.n_elements - sizes or self.free < 0:
            raise AssertionError("swapped elements leaked, or are too many")
