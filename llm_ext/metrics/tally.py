"""What is counted of the requests of one model: pure."""

from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Iterable
from typing import NamedTuple

from llm_ext.core.events import Finished
from llm_ext.pool.timing import Timing

RECENT = 32
"""Requests over which speeds are averaged."""

INSTANTS = (
    *(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0),
    *(7.5, 10.0, 20.0, 40.0, 80.0, 160.0, 640.0, 2560.0),
)
"""Seconds between which times up to the first word are told apart."""

GAPS = (
    *(0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5, 5.0),
    *(7.5, 10.0, 20.0, 40.0, 80.0),
)
"""Seconds between which pauses in an answer are told apart."""

SPANS = (
    *(0.3, 0.5, 0.8, 1.0, 1.5, 2.0, 2.5, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0),
    *(60.0, 120.0, 240.0, 480.0, 960.0, 1920.0, 7680.0),
)
"""Seconds between which the parts of a request, and loads, are told apart."""


class Histogram:
    """Counts values by size, and sums them up.

    Attributes:
        sum: Of all values.
    """

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self._bounds = bounds
        self._below = [0] * len(bounds)
        self._count = 0
        self.sum = 0.0

    def add(self, values: Iterable[float]) -> None:
        """Count ``values``: a long answer's gaps are many, so all of them at once."""
        ordered = sorted(values)
        for index, bound in enumerate(self._bounds):
            self._below[index] += bisect_right(ordered, bound)
        self._count += len(ordered)
        self.sum += sum(ordered)

    @property
    def buckets(self) -> list[tuple[str, float]]:
        """How many values are at most each bound, as Prometheus writes it."""
        return [
            *(
                (str(b), float(n))
                for b, n in zip(self._bounds, self._below, strict=True)
            ),
            ("+Inf", float(self._count)),
        ]


class Speed:
    """Tokens and the seconds they took, over the last requests and over all.

    Attributes:
        seconds: Over all.
    """

    def __init__(self) -> None:
        self._recent: deque[tuple[int, float]] = deque(maxlen=RECENT)
        self.seconds = 0.0

    def add(self, tokens: int, seconds: float) -> None:
        """Take in one request."""
        self._recent.append((tokens, seconds))
        self.seconds += seconds

    @property
    def tokens_per_second(self) -> float:
        """Of the last requests; 0 before the first."""
        seconds = sum(seconds for _, seconds in self._recent)
        tokens = sum(tokens for tokens, _ in self._recent)
        return tokens / seconds if seconds else 0.0


class Spans(NamedTuple):
    """The times of requests."""

    first: Histogram
    gaps: Histogram
    whole: Histogram
    queue: Histogram
    prefill: Histogram
    decode: Histogram


class Tally:
    """Counts of one model since the server started.

    Attributes:
        prompt_tokens: Of prompts, those that were computed before included.
        cached_tokens: Of prompts, those that were computed before.
        generated_tokens: Of answers.
        longest: Most tokens of one request, prompt and answers.
        ends: Requests that were answered, by the first answer's reason.
        failures: Requests that failed or were refused, by the error's code.
        reading: How fast prompts were computed.
        writing: How fast answers were computed.
        spans: Times of requests that were answered.
        loads: Seconds that loads took, once there was room.
        deaths: Workers that ended unasked.
    """

    def __init__(self) -> None:
        self.prompt_tokens = 0
        self.cached_tokens = 0
        self.generated_tokens = 0
        self.longest = 0
        self.ends: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.reading = Speed()
        self.writing = Speed()
        self.spans = Spans(
            first=Histogram(INSTANTS),
            gaps=Histogram(GAPS),
            whole=Histogram(SPANS),
            queue=Histogram(SPANS),
            prefill=Histogram(SPANS),
            decode=Histogram(SPANS),
        )
        self.loads = Histogram(SPANS)
        self.deaths = 0

    def answered(self, timing: Timing, end: Finished) -> None:
        """Count a request that was answered.

        The times of one that its client gave up are no measure of anything.
        """
        usage = end.usage
        self.ends[end.reason] += 1
        self.prompt_tokens += usage.prompt_tokens
        self.cached_tokens += usage.cached_tokens
        self.generated_tokens += usage.completion_tokens
        self.longest = max(self.longest, usage.total_tokens)
        if end.reason != "cancelled":
            self._time(timing, end)

    def _time(self, timing: Timing, end: Finished) -> None:
        if timing.ended is None:
            return
        spans, took = self.spans, end.timings
        spans.whole.add([timing.ended - timing.asked])
        if timing.first is not None:
            spans.first.add([timing.first - timing.asked])
            spans.gaps.add(timing.gaps)
        if took is None:
            return
        since = timing.ended - (timing.ready or timing.asked)
        computed = end.usage.prompt_tokens - end.usage.cached_tokens
        # The worker's clock is another, but seconds are as long there.
        spans.queue.add([max(0.0, since - took.prompt - took.answer)])
        spans.prefill.add([took.prompt])
        spans.decode.add([took.answer])
        self.reading.add(computed, took.prompt)
        self.writing.add(end.usage.completion_tokens, took.answer)
