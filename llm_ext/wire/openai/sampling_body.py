"""How answers are drawn: what both of OpenAI's completion routes read."""

import msgspec

from llm_ext.core.sampling import Mirostat, SamplerName, SamplingOptions, WrittenBias
from llm_ext.core.whole_number import whole_number
from llm_ext.errors import InvalidRequestError


class SamplingBody(msgspec.Struct, kw_only=True):
    """OpenAI's fields and llama-server's."""

    max_tokens: int | None = None
    n_predict: int | None = None
    stop: str | list[str] | None = None
    logit_bias: (
        dict[str, float | bool] | list[tuple[int | str, float | bool]] | None
    ) = None
    min_tokens: int | None = None
    ignore_eos: bool | None = None
    seed: int | None = None
    post_sampling_probs: bool | None = None
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
    n: int | None = None


_NO_LIMIT = -1
"""llama-server's word for "as many tokens as there is room for"."""

_TRANSLATED = {"max_tokens", "stop", "logit_bias", "logprobs"}
_SAME = set(SamplingOptions.__struct_fields__) - _TRANSLATED


def sampling_options(
    body: SamplingBody, *, max_tokens: int | None, logprobs: int | None
) -> SamplingOptions:
    """Return what a body says.

    Args:
        body: The body.
        max_tokens: Most tokens, which routes call by different names.
        logprobs: How many alternatives are to be told, which they ask for differently.

    Raises:
        InvalidRequestError: A value is out of its range; names the field.
    """
    stop = (body.stop,) if isinstance(body.stop, str) else body.stop
    return SamplingOptions(
        max_tokens=max_tokens,
        stop=None if stop is None else tuple(stop),
        logit_bias=_biases(body.logit_bias),
        logprobs=logprobs,
        **{field: getattr(body, field) for field in _SAME},
    )


def most_tokens(*given: int | None) -> int | None:
    """Return the first of several names' values; None is no limit."""
    most = next((value for value in given if value is not None), None)
    return None if most == _NO_LIMIT else most


def _biases(
    given: dict[str, float | bool] | list[tuple[int | str, float | bool]] | None,
) -> WrittenBias | None:
    """Return OpenAI's object, or llama-server's pairs; ``false`` bans a token.

    A key that is no number is a text, all of whose tokens are meant.
    """
    if given is None:
        return None
    if isinstance(given, list):
        return tuple((token, _bias(value)) for token, value in given)
    return tuple((_token(key), _bias(value)) for key, value in given.items())


def _token(key: str) -> int | str:
    if not (key.isascii() and key.isdecimal()):
        return key
    number = whole_number(key)
    if number is None:
        raise InvalidRequestError(
            f"'logit_bias' names token {key}, which no model has.", param="logit_bias"
        )
    return number


def _bias(value: float | bool) -> float:  # noqa: FBT001  # JSON's false bans
    return float("-inf") if value is False else float(value)
