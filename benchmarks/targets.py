"""What our figures should reach, most of them as a share of somebody else's."""

from collections.abc import Mapping
from typing import NamedTuple

from .servers import BARE, LLAMA_CPP_SERVER, LLAMA_SERVER, OURS

Medians = Mapping[str, Mapping[str, float]]
"""A figure's median of each server that has it."""


class Target(NamedTuple):
    """A bound on one of our figures.

    Attributes:
        figure: The workload and what it measures.
        bound: What our figure should reach.
        at_most: Whether less is better.
        server: Whose figure ours is a share of; empty: the bound is on ours itself.
        other: The figure that it is a share of, where that is another one.
    """

    figure: str
    bound: float
    at_most: bool = True
    server: str = ""
    other: str = ""

    def value(self, medians: Medians) -> float | None:
        """Return what is compared with the bound; None if it was not measured."""
        ours = medians.get(self.figure, {}).get(OURS)
        if ours is None or not self.server:
            return ours
        theirs = medians.get(self.other or self.figure, {}).get(self.server)
        return ours / theirs if theirs else None

    def told(self, medians: Medians) -> str:
        """Return the bound in words, and whether it is reached."""
        told = f"at {'most' if self.at_most else 'least'} {self.bound:g}"
        if self.other:
            told += f" of '{self.other.partition(': ')[2]}'"
        elif self.server:
            told += f" of {self.server}'s"
        value = self.value(medians)
        if value is None:
            return told
        reached = value <= self.bound if self.at_most else value >= self.bound
        return f"{told}: {value:.2f}, {'reached' if reached else '**missed**'}"


TARGETS = (
    Target("one_stream: tokens/s", 0.95, at_most=False, server=BARE),
    Target("different_prompts: tokens/s", 1, at_most=False, server=LLAMA_SERVER),
    Target("different_prompts: tokens/s", 1.2, at_most=False, server=LLAMA_CPP_SERVER),
    Target("shared_prefix: first token s", 0.25, server=LLAMA_SERVER),
    Target(
        "shared_prefix: first token s", 1.4, server=OURS, other="shared_prefix: alone s"
    ),
    Target("chats_in_turn: first token s", 1, server=LLAMA_SERVER),
    Target("long_prompt: longest gap steps", 25),
    Target(
        "long_prompt: first token s", 1.5, server=OURS, other="long_prompt: alone s"
    ),
    Target(
        "json_schema: schema tokens/s",
        1,
        at_most=False,
        server=OURS,
        other="json_schema: free tokens/s",
    ),
    Target(
        "json_schema: forced tokens/s",
        1.5,
        at_most=False,
        server=OURS,
        other="json_schema: free tokens/s",
    ),
    Target("cancel: steps", 1),
    Target("jupyter_requests: p99 ms", 50),
    Target("short_requests: requests/s", 0.8, at_most=False, server=LLAMA_SERVER),
    Target("soak: growth MB", 1),
    Target("soak: leaked slots", 0),
    Target("soak: leaked cells", 0),
)
