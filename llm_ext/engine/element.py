"""What a sequence is made of."""

from collections.abc import Sequence as Items
from typing import NamedTuple, TypeAlias


class Patch(NamedTuple):
    """One cell's worth of something that is no token, such as a part of an image.

    Attributes:
        source: What it is a part of: equal sources are equal content.
        part: Which part.
    """

    source: str
    part: int


Element: TypeAlias = int | Patch
"""A token's id, or what stands in its place. Each takes one cell."""


def common_length(first: Items[Element], second: Items[Element]) -> int:
    """Return how many elements two sequences begin with alike."""
    most = min(len(first), len(second))
    one, other = list(first[:most]), list(second[:most])
    if one == other:
        return most
    # The first difference is at or behind ``low``, and before ``high``. Slices are
    # compared in C, many times as fast as elements in Python.
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle
    return low
