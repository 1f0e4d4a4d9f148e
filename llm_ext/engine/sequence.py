"""One generation: its tokens, and how far the model has computed them."""

from dataclasses import dataclass, field

from llm_ext.core.events import Usage
from llm_ext.core.sampling import SamplingParams

from .backend import Sampler
from .detokenizer import Detokenizer
from .stopping import StopStrings


@dataclass(kw_only=True, eq=False)
class Sequence:
    """One request's generation.

    Attributes:
        request_id: Chosen by the client; unique among the living.
        prompt: Token ids of the prompt; never empty.
        params: How to draw.
        limit: Most tokens, prompt and answer together.
        answer: Tokens drawn so far.
        computed: How many of ``tokens`` the slot's memory holds.
        slot: The slot it holds; None while it waits.
        sampler: Made when it is first admitted; outlives a requeue, so that the draws
            go on as if nothing had happened.
    """

    request_id: int
    prompt: list[int]
    params: SamplingParams
    limit: int
    answer: list[int] = field(default_factory=list)
    computed: int = 0
    slot: int | None = None
    sampler: Sampler | None = None
    detokenizer: Detokenizer = field(default_factory=Detokenizer)

    def __post_init__(self) -> None:
        self.stops = StopStrings(self.params.stop)

    @property
    def length(self) -> int:
        """Tokens known: the prompt's and the answer's."""
        return len(self.prompt) + len(self.answer)

    @property
    def remaining(self) -> int:
        """Known tokens that are not computed; 0 only between decode and draw."""
        return self.length - self.computed

    @property
    def decoding(self) -> bool:
        """Whether the next step computes one drawn token, rather than a prompt."""
        return self.remaining == 1 and bool(self.answer)

    @property
    def full(self) -> bool:
        """Whether no further token may be drawn."""
        return self.length >= self.limit

    @property
    def usage(self) -> Usage:
        """Tokens so far."""
        return Usage(prompt_tokens=len(self.prompt), completion_tokens=len(self.answer))

    def upcoming(self, count: int) -> list[int]:
        """Return the next ``count`` tokens to compute."""
        start, end = self.computed, self.computed + count
        split = len(self.prompt)
        if end <= split:
            return self.prompt[start:end]
        return self.prompt[start:] + self.answer[max(0, start - split) : end - split]
