"""A request: one or more answers to the same prompt."""

from collections.abc import Sequence as Items
from dataclasses import dataclass, field

from llm_ext.core.events import FinishReason, Usage

from .sequence import Sequence


@dataclass(kw_only=True, eq=False)
class Request:
    """The sequences of one request.

    Attributes:
        sequences: One for each answer, by their ``choice``.
        reasons: Why those that ended did.
    """

    sequences: Items[Sequence]
    reasons: dict[int, FinishReason] = field(default_factory=dict)

    @property
    def open(self) -> list[Sequence]:
        """Sequences that have not ended."""
        return [s for s in self.sequences if s.choice not in self.reasons]

    @property
    def usage(self) -> Usage:
        """Tokens so far; the prompt is counted once."""
        first = self.sequences[0]
        return Usage(
            prompt_tokens=len(first.prompt),
            completion_tokens=sum(len(s.answer) for s in self.sequences),
            cached_tokens=first.cached or 0,
        )
