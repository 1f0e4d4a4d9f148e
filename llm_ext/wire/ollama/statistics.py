"""How much was read and written, and how long it took: the end of every answer."""

import msgspec

from llm_ext.core.events import Finished
from llm_ext.pool.timing import Timing

_SECOND = 1_000_000_000  # nanoseconds


class Statistics(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Counts are of tokens, durations in nanoseconds."""

    total_duration: int | None = None
    load_duration: int | None = None
    prompt_eval_count: int | None = None
    prompt_eval_duration: int | None = None
    eval_count: int | None = None
    eval_duration: int | None = None


def statistics(end: Finished, timing: Timing) -> Statistics:
    """Return the statistics of a request that has ended."""
    timings = end.timings
    return Statistics(
        total_duration=_between(timing.asked, timing.ended),
        load_duration=_between(timing.asked, timing.ready),
        prompt_eval_count=end.usage.prompt_tokens,
        prompt_eval_duration=0 if timings is None else _nanoseconds(timings.prompt),
        eval_count=end.usage.completion_tokens,
        eval_duration=0 if timings is None else _nanoseconds(timings.answer),
    )


def _between(start: float, end: float | None) -> int:
    """Return the time up to ``end``; 0 where that never came."""
    return 0 if end is None else _nanoseconds(end - start)


def _nanoseconds(duration: float) -> int:
    return round(duration * _SECOND)
