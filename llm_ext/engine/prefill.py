"""Prompts on their way into the KV cache, in chunks."""

from collections.abc import Iterable
from typing import NamedTuple

from .sequence import Sequence


class Chunk(NamedTuple):
    """The next ``size`` elements of a sequence, to be computed in this step."""

    sequence: Sequence
    size: int


def prompt_chunks(waiting: Iterable[Sequence], budget: int) -> list[Chunk]:
    """Share ``budget`` tokens among prompts.

    Every prompt gets an equal share, and what short ones leave goes to the others in
    the order given, so that a short question never waits for a long document.
    """
    prompts = list(waiting)
    counts = dict.fromkeys(range(len(prompts)), 0)
    open_prompts = list(counts)
    while budget > 0 and open_prompts:
        share = max(1, budget // len(open_prompts))
        for index in list(open_prompts):
            left = prompts[index].remaining - counts[index]
            count = min(share, left, budget)
            counts[index] += count
            budget -= count
            if count == left:
                open_prompts.remove(index)
    return [Chunk(prompts[index], count) for index, count in counts.items() if count]


def halves(chunks: list[Chunk]) -> tuple[list[Chunk], list[Chunk]]:
    """Share out chunks of two or more elements; a single chunk is cut in two."""
    if len(chunks) == 1:
        (sequence, size) = chunks[0]
        return [Chunk(sequence, size // 2)], [Chunk(sequence, size - size // 2)]
    middle = len(chunks) // 2
    return chunks[:middle], chunks[middle:]
