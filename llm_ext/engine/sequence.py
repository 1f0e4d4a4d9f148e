"""One answer to a request: its tokens, and how far the model has computed them."""

from collections.abc import Sequence as Items
from dataclasses import dataclass, field

from llm_ext.core.sampling import SamplingParams

from .answer import Answer
from .backend import Sampler
from .constraint import Constraint
from .element import Element
from .reader import PlainReader, Reader

_DRAWN_AT_ONCE = 16
"""Most elements that count as just drawn: a grammar can force several in a row."""


@dataclass(kw_only=True, eq=False)
class Sequence:
    """One answer to one request.

    Attributes:
        request_id: Chosen by the client; unique among the living.
        choice: Which of the request's answers it is, from 0.
        prompt: The elements of the prompt; never empty.
        params: How to draw.
        limit: Most tokens, prompt and answer together.
        answer: Tokens drawn so far.
        computed: How many elements its memory holds.
        cached: How many elements of the prompt needed no computing.
        seq_id: Its id in the KV cache; None while it waits.
        admitted: The scheduler's step in which it was admitted last.
        sampler: Made when it is first admitted; outlives a requeue, so that the draws
            go on as if nothing had happened.
        constraint: What the answer must be.
        user: Who asks; users share slots fairly.
        reader: What its text is read by; None shows it as it is.
        shown_tokens: Control tokens whose text is a part of the answer's.
    """

    request_id: int
    choice: int = 0
    prompt: Items[Element]
    params: SamplingParams
    limit: int
    answer: list[int] = field(default_factory=list)
    computed: int = 0
    cached: int | None = None
    seq_id: int | None = None
    admitted: int = 0
    sampler: Sampler | None = None
    constraint: Constraint | None = None
    user: str = ""
    reader: Reader | None = None
    shown_tokens: frozenset[int] = frozenset()

    def __post_init__(self) -> None:
        self.text = Answer(self.params.stop)
        self.read_by = self.reader or PlainReader(self.choice)

    @property
    def length(self) -> int:
        """Elements known: the prompt's and the answer's."""
        return len(self.prompt) + len(self.answer)

    @property
    def remaining(self) -> int:
        """Known elements that are not computed; 0 only between decode and draw."""
        return self.length - self.computed

    @property
    def decoding(self) -> bool:
        """Whether the next step computes what was drawn last, rather than a prompt."""
        return bool(self.answer) and self.remaining <= _DRAWN_AT_ONCE

    @property
    def full(self) -> bool:
        """Whether no further token may be drawn."""
        return self.length >= self.limit

    @property
    def held_id(self) -> int:
        """Its id in the KV cache.

        Raises:
            ValueError: It waits, and has none.
        """
        if self.seq_id is None:
            raise ValueError("a waiting sequence has no sequence id")
        return self.seq_id

    def elements(self, start: int = 0, end: int | None = None) -> list[Element]:
        """Return what is known from ``start`` up to ``end``, prompt and answer."""
        end = self.length if end is None else end
        split = len(self.prompt)
        if end <= split:
            return list(self.prompt[start:end])
        answer = self.answer[max(0, start - split) : end - split]
        return [*self.prompt[start:], *answer]
