"""How fast an answer was made: an extension, in llama-server's words."""

import msgspec

from llm_ext.core.events import Finished


class Timings(msgspec.Struct, frozen=True, kw_only=True):
    """Times and speeds.

    ``cache_n``, ``prompt_n`` and ``predicted_n`` are tokens: those of the prompt that
    were there, those that were computed, and those of the answer.
    """

    cache_n: int
    prompt_n: int
    prompt_ms: float
    prompt_per_token_ms: float
    prompt_per_second: float
    predicted_n: int
    predicted_ms: float
    predicted_per_token_ms: float
    predicted_per_second: float


def timings(end: Finished) -> Timings | msgspec.UnsetType:
    """Return the timings of a request; none where nothing was generated."""
    if end.timings is None:
        return msgspec.UNSET
    cached = end.usage.cached_tokens
    computed = end.usage.prompt_tokens - cached
    answer = end.usage.completion_tokens
    prompt_ms, answer_ms = end.timings.prompt * 1000, end.timings.answer * 1000
    return Timings(
        cache_n=cached,
        prompt_n=computed,
        prompt_ms=prompt_ms,
        prompt_per_token_ms=_ratio(prompt_ms, computed),
        prompt_per_second=_ratio(computed * 1000, prompt_ms),
        predicted_n=answer,
        predicted_ms=answer_ms,
        predicted_per_token_ms=_ratio(answer_ms, answer),
        predicted_per_second=_ratio(answer * 1000, answer_ms),
    )


def _ratio(value: float, by: float) -> float:
    return value / by if by else 0.0
