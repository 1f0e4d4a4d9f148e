"""How tokens are drawn."""

import msgspec

from llm_ext.errors import InvalidRequestError

MAX_STOP_STRINGS = 16


class SamplingParams(msgspec.Struct, frozen=True, kw_only=True):
    """One request's sampling parameters, validated once, here.

    The defaults are llama-server's. A temperature of 0 always takes the likeliest
    token.

    Attributes:
        max_tokens: Most tokens to generate; None is as many as the context holds.
        temperature: Flattens (above 1) or sharpens (below 1) the distribution.
        top_k: Keep the k likeliest tokens; 0 keeps all.
        top_p: Keep the likeliest tokens that together reach this probability.
        min_p: Drop tokens less likely than this share of the likeliest one's.
        repeat_penalty: Divides the logits of recent tokens; 1 changes nothing.
        frequency_penalty: Taken from a token's logit for each recent occurrence.
        presence_penalty: Taken once from the logit of a token that occurred.
        seed: Makes the draw repeatable; None draws a new one.
        stop: Strings at which generation ends; they are never part of the text.

    Raises:
        InvalidRequestError: A value is out of its range; names the field.
    """

    max_tokens: int | None = None
    temperature: float = 0.8
    top_k: int = 40
    top_p: float = 0.95
    min_p: float = 0.05
    repeat_penalty: float = 1.0
    frequency_penalty: float = 0.0
    presence_penalty: float = 0.0
    seed: int | None = None
    stop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.max_tokens is not None:
            _check("max_tokens", self.max_tokens, 1, None)
        _check("temperature", self.temperature, 0, 100)
        _check("top_k", self.top_k, 0, None)
        _check("top_p", self.top_p, 0, 1)
        _check("min_p", self.min_p, 0, 1)
        _check("repeat_penalty", self.repeat_penalty, 0.01, 100)
        _check("frequency_penalty", self.frequency_penalty, -2, 2)
        _check("presence_penalty", self.presence_penalty, -2, 2)
        if len(self.stop) > MAX_STOP_STRINGS:
            raise InvalidRequestError(
                f"At most {MAX_STOP_STRINGS} stop strings are allowed, "
                f"not {len(self.stop)}.",
                param="stop",
            )
        if "" in self.stop:
            raise InvalidRequestError("A stop string must not be empty.", param="stop")

    @property
    def greedy(self) -> bool:
        """Whether the likeliest token is always taken."""
        return self.temperature == 0

    @property
    def penalises(self) -> bool:
        """Whether the tokens so far change the distribution."""
        neutral = (1.0, 0.0, 0.0)
        mine = (self.repeat_penalty, self.frequency_penalty, self.presence_penalty)
        return mine != neutral


def _check(field: str, value: float, low: float, high: float | None) -> None:
    if value >= low and (high is None or value <= high):
        return
    wanted = f"at least {low}" if high is None else f"from {low} to {high}"
    raise InvalidRequestError(f"'{field}' must be {wanted}, not {value}.", param=field)
