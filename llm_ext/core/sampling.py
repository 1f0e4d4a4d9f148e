"""How tokens are drawn: what a request asks for, and what that comes to.

Names, ranges and defaults are llama-server's.
"""

from typing import Literal, TypeAlias

import msgspec

from llm_ext.errors import InvalidRequestError

MAX_STOP_STRINGS = 16
MAX_BIASES = 1024
MAX_CHOICES = 16
MAX_SAMPLERS = 32
MAX_LOGPROBS = 20

LogitBias: TypeAlias = tuple[tuple[int, float], ...]
"""Pairs of a token's id and what is added to its logit; -inf bans it."""

WrittenBias: TypeAlias = tuple[tuple[int | str, float], ...]
"""The same; a text stands for all of its tokens."""

Mirostat: TypeAlias = Literal[0, 1, 2]

SamplerName: TypeAlias = Literal[
    "penalties",
    "dry",
    "top_n_sigma",
    "top_k",
    "typ_p",
    "top_p",
    "min_p",
    "xtc",
    "temperature",
    "adaptive_p",
]
DEFAULT_SAMPLERS: tuple[SamplerName, ...] = (
    "penalties",
    "dry",
    "top_n_sigma",
    "top_k",
    "typ_p",
    "top_p",
    "min_p",
    "xtc",
    "temperature",
)


class SamplingParams(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine does.

    Attributes:
        max_tokens: Most tokens to generate; None is as many as the context holds.
        min_tokens: Tokens before which the model may not end its answer.
        ignore_eos: The model may not end its answer at all.
        stop: Strings at which generation ends; they are never part of the text.
        seed: Makes the draw repeatable; None draws a new one. Each of several answers
            has its own, counted up from this.
        n: Answers to draw.
        logprobs: How many likely tokens to tell with each drawn one and its
            probability; None tells none of this.
        post_sampling_probs: Tell of the probabilities that were drawn from, after all
            that follows here, and not of the model's own.
        logit_bias: Makes tokens likelier or less likely.
        repeat_last_n: Recent tokens that the penalties look at.
        repeat_penalty: Divides the logits of recent tokens; 1 changes nothing.
        frequency_penalty: Taken from a token's logit for each recent occurrence.
        presence_penalty: Taken once from the logit of a token that occurred.
        dry_multiplier: Strength of the penalty on repeated sequences (DRY); 0 is off.
        dry_base: How it grows with the repeated sequence's length.
        dry_allowed_length: Longest repetition without a penalty.
        dry_penalty_last_n: Tokens it looks at; -1 is the whole context.
        dry_sequence_breakers: Strings across which it does not look.
        top_n_sigma: Keep tokens within so many standard deviations of the likeliest; 0
            and below is off.
        top_k: Keep the k likeliest tokens; 0 keeps all.
        typical_p: Keep the most typical tokens that reach this probability; 1 is off.
        top_p: Keep the likeliest tokens that together reach this probability.
        min_p: Drop tokens less likely than this share of the likeliest one's.
        xtc_probability: How often the likeliest tokens are dropped (XTC); 0 is off.
        xtc_threshold: Those above this probability are, all but one.
        temperature: Flattens (above 1) or sharpens (below 1) the distribution; 0 always
            takes the likeliest token.
        dynatemp_range: The temperature varies by so much, with the entropy; 0 is off.
        dynatemp_exponent: How the entropy becomes a temperature.
        min_keep: Fewest tokens that the samplers which cut leave.
        adaptive_target: The probability near which tokens are drawn (adaptive-p); below
            0 it is off.
        adaptive_decay: How slowly it forgets what was drawn.
        samplers: Which samplers are applied, in this order; those that are not named
            are left out, and adaptive_p replaces the draw.
        mirostat: Version of the Mirostat sampler, in place of all that cut; 0 is off.
        mirostat_tau: The surprise that it aims at.
        mirostat_eta: How fast it adapts.
    """

    max_tokens: int | None = None
    min_tokens: int = 0
    ignore_eos: bool = False
    stop: tuple[str, ...] = ()
    seed: int | None = None
    n: int = 1
    logprobs: int | None = None
    post_sampling_probs: bool = False
    logit_bias: LogitBias = ()
    repeat_last_n: int = 64
    repeat_penalty: float = 1.0
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    dry_multiplier: float = 0.0
    dry_base: float = 1.75
    dry_allowed_length: int = 2
    dry_penalty_last_n: int = -1
    dry_sequence_breakers: tuple[str, ...] = ("\n", ":", '"', "*")
    top_n_sigma: float = -1.0
    top_k: int = 40
    typical_p: float = 1.0
    top_p: float = 0.95
    min_p: float = 0.05
    xtc_probability: float = 0.0
    xtc_threshold: float = 0.1
    temperature: float = 0.8
    dynatemp_range: float = 0.0
    dynatemp_exponent: float = 1.0
    min_keep: int = 0
    adaptive_target: float = -1.0
    adaptive_decay: float = 0.9
    samplers: tuple[SamplerName, ...] = DEFAULT_SAMPLERS
    mirostat: Mirostat = 0
    mirostat_tau: float = 5.0
    mirostat_eta: float = 0.1

    @property
    def greedy(self) -> bool:
        """Whether the likeliest token is always taken."""
        return self.temperature == 0

    @property
    def penalises(self) -> bool:
        """Whether single tokens are less likely for having occurred."""
        neutral = (1.0, 0.0, 0.0)
        mine = (self.repeat_penalty, self.frequency_penalty, self.presence_penalty)
        asked = mine != neutral and self.repeat_last_n != 0
        return asked and "penalties" in self.samplers

    @property
    def dry(self) -> bool:
        """Whether repeated sequences are less likely."""
        asked = self.dry_multiplier > 0 and self.dry_penalty_last_n != 0
        return asked and "dry" in self.samplers


class SamplingOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a request, or a model's file, says; None where it says nothing.

    The fields are those of :class:`SamplingParams`.

    Raises:
        InvalidRequestError: A value is out of its range; names the field.
    """

    max_tokens: int | None = None
    min_tokens: int | None = None
    ignore_eos: bool | None = None
    stop: tuple[str, ...] | None = None
    seed: int | None = None
    n: int | None = None
    logprobs: int | None = None
    post_sampling_probs: bool | None = None
    logit_bias: WrittenBias | None = None
    repeat_last_n: int | None = None
    repeat_penalty: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    dry_multiplier: float | None = None
    dry_base: float | None = None
    dry_allowed_length: int | None = None
    dry_penalty_last_n: int | None = None
    dry_sequence_breakers: tuple[str, ...] | None = None
    top_n_sigma: float | None = None
    top_k: int | None = None
    typical_p: float | None = None
    top_p: float | None = None
    min_p: float | None = None
    xtc_probability: float | None = None
    xtc_threshold: float | None = None
    temperature: float | None = None
    dynatemp_range: float | None = None
    dynatemp_exponent: float | None = None
    min_keep: int | None = None
    adaptive_target: float | None = None
    adaptive_decay: float | None = None
    samplers: tuple[SamplerName, ...] | None = None
    mirostat: Mirostat | None = None
    mirostat_tau: float | None = None
    mirostat_eta: float | None = None

    def __post_init__(self) -> None:
        for field, (low, high) in _RANGES.items():
            value = getattr(self, field)
            if value is not None and not low <= value <= high:
                wanted = (
                    f"from {low} to {high}" if high < _NO_LIMIT else f"{low} or more"
                )
                raise _refusal(field, f"must be {wanted}, not {value}")
        for field, most in _LENGTHS.items():
            values = getattr(self, field)
            if values is not None and len(values) > most:
                raise _refusal(field, f"may have {most} entries, not {len(values)}")
        for field in ("stop", "dry_sequence_breakers"):
            if "" in (getattr(self, field) or ()):
                raise _refusal(field, "must not hold an empty string")

    def over(
        self, recommended: "SamplingOptions", *, bias: LogitBias = ()
    ) -> SamplingParams:
        """Return what to do: as said here, else as recommended, else the default.

        ``bias`` is ``logit_bias`` in the tokens of the model.
        """
        said = {**_said(recommended), **_said(self), "logit_bias": bias}
        return msgspec.convert(said, SamplingParams)


_NO_LIMIT = float("inf")
_RANGES: dict[str, tuple[float, float]] = {
    "max_tokens": (1, _NO_LIMIT),
    "min_tokens": (0, _NO_LIMIT),
    "n": (1, MAX_CHOICES),
    "logprobs": (0, MAX_LOGPROBS),
    "repeat_last_n": (0, _NO_LIMIT),
    "repeat_penalty": (0.01, 100),
    "frequency_penalty": (-2, 2),
    "presence_penalty": (-2, 2),
    "dry_multiplier": (0, 100),
    "dry_base": (1, 100),
    "dry_allowed_length": (0, _NO_LIMIT),
    "dry_penalty_last_n": (-1, _NO_LIMIT),
    "top_k": (0, _NO_LIMIT),
    "typical_p": (0, 1),
    "top_p": (0, 1),
    "min_p": (0, 1),
    "xtc_probability": (0, 1),
    "xtc_threshold": (0, 1),
    "temperature": (0, 100),
    "dynatemp_range": (0, 100),
    "dynatemp_exponent": (0, 100),
    "min_keep": (0, _NO_LIMIT),
    "adaptive_target": (-1, 1),
    "adaptive_decay": (0, 0.99),
    "mirostat_tau": (0, 100),
    "mirostat_eta": (0, 1),
}
_LENGTHS = {
    "stop": MAX_STOP_STRINGS,
    "dry_sequence_breakers": MAX_STOP_STRINGS,
    "logit_bias": MAX_BIASES,
    "samplers": MAX_SAMPLERS,
}


def _refusal(field: str, problem: str) -> InvalidRequestError:
    return InvalidRequestError(f"'{field}' {problem}.", param=field)


def _said(options: SamplingOptions) -> dict[str, object]:
    values = msgspec.structs.asdict(options)
    return {field: value for field, value in values.items() if value is not None}
