"""How tokens are drawn: what a request asks for, and what that comes to."""

import msgspec

from llm_ext.errors import InvalidRequestError

MAX_STOP_STRINGS = 16


class SamplingParams(msgspec.Struct, frozen=True, kw_only=True):
    """What the engine does. The defaults are llama-server's.

    Attributes:
        max_tokens: Most tokens to generate; None is as many as the context holds.
        temperature: Flattens (above 1) or sharpens (below 1) the distribution; 0 always
            takes the likeliest token.
        top_k: Keep the k likeliest tokens; 0 keeps all.
        top_p: Keep the likeliest tokens that together reach this probability.
        min_p: Drop tokens less likely than this share of the likeliest one's.
        repeat_penalty: Divides the logits of recent tokens; 1 changes nothing.
        frequency_penalty: Taken from a token's logit for each recent occurrence.
        presence_penalty: Taken once from the logit of a token that occurred.
        seed: Makes the draw repeatable; None draws a new one.
        stop: Strings at which generation ends; they are never part of the text.
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


class SamplingOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What a request, or a model's file, says; None where it says nothing.

    The fields are those of :class:`SamplingParams`.

    Raises:
        InvalidRequestError: A value is out of its range; names the field.
    """

    max_tokens: int | None = None
    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    repeat_penalty: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        for field, (low, high) in _RANGES.items():
            value = getattr(self, field)
            if value is not None and not low <= value <= high:
                wanted = (
                    f"from {low} to {high}" if high < _NO_LIMIT else f"{low} or more"
                )
                raise InvalidRequestError(
                    f"'{field}' must be {wanted}, not {value}.", param=field
                )
        stop = self.stop or ()
        if len(stop) > MAX_STOP_STRINGS:
            raise InvalidRequestError(
                f"At most {MAX_STOP_STRINGS} stop strings are allowed, "
                f"not {len(stop)}.",
                param="stop",
            )
        if "" in stop:
            raise InvalidRequestError("A stop string must not be empty.", param="stop")

    def over(self, recommended: "SamplingOptions") -> SamplingParams:
        """Return what to do: as said here, else as recommended, else the default."""
        said = {**_said(recommended), **_said(self)}
        return msgspec.convert(said, SamplingParams)


_NO_LIMIT = float("inf")
_RANGES: dict[str, tuple[float, float]] = {
    "max_tokens": (1, _NO_LIMIT),
    "temperature": (0, 100),
    "top_k": (0, _NO_LIMIT),
    "top_p": (0, 1),
    "min_p": (0, 1),
    "repeat_penalty": (0.01, 100),
    "frequency_penalty": (-2, 2),
    "presence_penalty": (-2, 2),
}


def _said(options: SamplingOptions) -> dict[str, object]:
    values = msgspec.structs.asdict(options)
    return {field: value for field, value in values.items() if value is not None}
