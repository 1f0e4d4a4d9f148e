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
    if list(first[:most]) == list(second[:most]):
        return most
    return next(at for at in range(most) if first[at] != second[at])
