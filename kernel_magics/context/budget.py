"""How much of a notebook goes into a question: pieces, cut to a number of tokens."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from .describe import shortened

CHARACTERS_PER_TOKEN = 3.5
"""Of English or code, on the short side: a guess that rarely says too few tokens."""

_LEAST = 200
"""Characters; less of a piece than this says nothing."""


@dataclass(frozen=True, kw_only=True)
class Excerpt:
    """A piece of the notebook, under a title of its own."""

    title: str
    text: str

    def __str__(self) -> str:
        """As it stands in a prompt."""
        return f"### {self.title}\n\n{self.text}"


def tokens(text: str) -> int:
    """Return about how many tokens ``text`` has."""
    return math.ceil(len(text) / CHARACTERS_PER_TOKEN)


def characters(count: int) -> int:
    """Return about how many characters ``count`` tokens have."""
    return int(count * CHARACTERS_PER_TOKEN)


def fitting(excerpts: Iterable[Excerpt], limit: int) -> list[Excerpt]:
    """Return what fits into ``limit`` tokens, the most important of which come first.

    The last that fits in part is cut; what follows is left out.
    """
    left = characters(limit)
    taken: list[Excerpt] = []
    for excerpt in excerpts:
        size = len(str(excerpt)) + 2
        if size > left:
            room = left - (size - len(excerpt.text))
            if room >= _LEAST:
                text = shortened(excerpt.text, room)
                taken.append(Excerpt(title=excerpt.title, text=text))
            break
        taken.append(excerpt)
        left -= size
    return taken
