"""What a model thinks before it answers, told apart while it is written."""

import re
from typing import NamedTuple

from .output import Output
from .source import Reading, Source


class ReasoningStyle(NamedTuple):
    """What stands before a thought and after it."""

    opening: str
    closing: str

    @property
    def markers(self) -> tuple[str, ...]:
        """Those parts that are single tokens in some vocabularies."""
        return tuple(match[0] for text in self if (match := _MARKER.match(text)))


_MARKER = re.compile(r".*[>\]]")

_STYLES = (
    ReasoningStyle("[THINK]", "[/THINK]"),
    ReasoningStyle("<|channel>thought\n", "<channel|>"),
    ReasoningStyle("<seed:think>", "</seed:think>"),
    ReasoningStyle("<think>", "</think>"),
)
"""Mistral's, Gemma's, Seed's, and that of most others."""


def reasoning_style(template: str) -> ReasoningStyle | None:
    """Return how models with this chat template think; None if they do not."""
    for style in _STYLES:
        if style.closing in template and style.opening.rstrip() in template:
            return style
    return None


def is_open(prompt: str, style: ReasoningStyle) -> bool:
    """Whether the prompt ends within a thought, so that the model goes on with it."""
    return prompt.rstrip().endswith(style.opening.rstrip())


def read_reasoning(
    source: Source, output: Output, style: ReasoningStyle, *, opened: bool
) -> Reading[None]:
    """Read a thought, if the answer begins with one.

    White space around it is left out.
    """
    start = source.position
    yield from source.skip_space()
    found = yield from source.accept(style.opening.rstrip())
    if not found and not opened:
        source.position = start
        return
    yield from source.skip_space()
    yield from source.pass_to((style.closing,), output.reasoning, strip=True)
    yield from source.skip_space()
