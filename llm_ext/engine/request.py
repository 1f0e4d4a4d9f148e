"""A request: one or more answers, to one or more prompts."""

from collections.abc import Sequence as Items
from dataclasses import dataclass, field
from functools import cached_property

from llm_ext.core.events import FinishReason, Timings, Usage

from .sequence import Sequence


@dataclass(kw_only=True, eq=False)
class Request:
    """The sequences of one request.

    Attributes:
        sequences: One for each answer, by their ``choice``.
        reasons: Why those that ended did.
        begun: When a step first computed a part of it, in seconds of the engine's
            clock.
        drew: When its first token was drawn.
        read: Elements of its prompts that were told to be computed.
    """

    sequences: Items[Sequence]
    reasons: dict[int, FinishReason] = field(default_factory=dict)
    begun: float | None = None
    drew: float | None = None
    read: int = 0

    @property
    def open(self) -> list[Sequence]:
        """Sequences that have not ended."""
        return [s for s in self.sequences if s.choice not in self.reasons]

    @property
    def ended(self) -> bool:
        """Whether all of them have."""
        return len(self.reasons) == len(self.sequences)

    def timings(self, now: float) -> Timings | None:
        """Return how long it took, if it ends ``now``."""
        if self.begun is None or self.drew is None:
            return None
        return Timings(prompt=self.drew - self.begun, answer=now - self.drew)

    @cached_property
    def prompt_tokens(self) -> int:
        """Elements of all prompts; one that has several answers is counted once."""
        return sum(len(first.prompt) for first in self._firsts)

    @property
    def usage(self) -> Usage:
        """Tokens so far."""
        return Usage(
            prompt_tokens=self.prompt_tokens,
            completion_tokens=sum(len(s.answer) for s in self.sequences),
            cached_tokens=sum(first.cached or 0 for first in self._firsts),
            reasoning_tokens=sum(s.read_by.reasoning_tokens for s in self.sequences),
        )

    @property
    def _firsts(self) -> Items[Sequence]:
        """The first answer to each prompt: its answers share the one list."""
        return tuple({id(s.prompt): s for s in reversed(self.sequences)}.values())
