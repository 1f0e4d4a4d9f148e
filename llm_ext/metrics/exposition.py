"""Counts and states as families of metrics: names, meanings, labels. Pure.

The names are llama-server's (``llamacpp:``), and vLLM's with the prefix ``llm_ext:``,
so that what draws theirs draws these. Labels are ids of models in the catalog, and this
project's own words: nothing that a client sends.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import NamedTuple

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from llm_ext.core.model_status import ModelStatus

from .tally import Histogram, Tally

_Tallies = list[tuple[str, Tally]]


class _Value(NamedTuple):
    """A number that every tally has, and what it is."""

    name: str
    help: str
    of: Callable[[Tally], float]


class _Spread(NamedTuple):
    """A histogram that every tally has, and what it is."""

    name: str
    help: str
    of: Callable[[Tally], Histogram]


class _Kinds(NamedTuple):
    """Counts by a further label that every tally has, and what they are."""

    name: str
    help: str
    label: str
    of: Callable[[Tally], dict[str, int]]


_COUNTERS = (
    _Value(
        "llamacpp:prompt_tokens_total",
        "Prompt tokens computed, without those from the prefix cache.",
        lambda tally: tally.prompt_tokens - tally.cached_tokens,
    ),
    _Value(
        "llamacpp:prompt_tokens_cached_total",
        "Prompt tokens taken from the prefix cache.",
        lambda tally: tally.cached_tokens,
    ),
    _Value(
        "llamacpp:prompt_seconds_total",
        "Seconds in which prompts were computed.",
        lambda tally: tally.reading.seconds,
    ),
    _Value(
        "llamacpp:tokens_predicted_total",
        "Tokens of answers.",
        lambda tally: tally.generated_tokens,
    ),
    _Value(
        "llamacpp:tokens_predicted_seconds_total",
        "Seconds in which answers were computed.",
        lambda tally: tally.writing.seconds,
    ),
    _Value(
        "llm_ext:prompt_tokens_total",
        "Prompt tokens, those from the prefix cache included.",
        lambda tally: tally.prompt_tokens,
    ),
    _Value(
        "llm_ext:generation_tokens_total",
        "Tokens of answers.",
        lambda tally: tally.generated_tokens,
    ),
    _Value(
        "llm_ext:prefix_cache_queries_total",
        "Prompt tokens that were looked for in the prefix cache.",
        lambda tally: tally.prompt_tokens,
    ),
    _Value(
        "llm_ext:prefix_cache_hits_total",
        "Prompt tokens that were found in the prefix cache.",
        lambda tally: tally.cached_tokens,
    ),
    _Value(
        "llm_ext:worker_deaths_total",
        "Worker processes that ended unasked.",
        lambda tally: tally.deaths,
    ),
)

_GAUGES = (
    _Value(
        "llamacpp:prompt_tokens_seconds",
        "Prompt tokens computed in a second, over the last requests.",
        lambda tally: tally.reading.tokens_per_second,
    ),
    _Value(
        "llamacpp:predicted_tokens_seconds",
        "Tokens of answers in a second, of each request, over the last requests.",
        lambda tally: tally.writing.tokens_per_second,
    ),
    _Value(
        "llamacpp:n_tokens_max",
        "Most tokens of one request, prompt and answers.",
        lambda tally: tally.longest,
    ),
)

_SPREADS = (
    _Spread(
        "llm_ext:time_to_first_token_seconds",
        "From the request to the first piece of its answer, a load included.",
        lambda tally: tally.spans.first,
    ),
    _Spread(
        "llm_ext:inter_token_latency_seconds",
        "Between one piece of an answer and the next.",
        lambda tally: tally.spans.gaps,
    ),
    _Spread(
        "llm_ext:e2e_request_latency_seconds",
        "From the request to the end of its answer, a load included.",
        lambda tally: tally.spans.whole,
    ),
    _Spread(
        "llm_ext:request_queue_time_seconds",
        "From the request, or from the end of the load that it waited for, to its "
        "end, without the times in which it was computed.",
        lambda tally: tally.spans.queue,
    ),
    _Spread(
        "llm_ext:request_prefill_time_seconds",
        "From the beginning of a prompt to the first token of its answer.",
        lambda tally: tally.spans.prefill,
    ),
    _Spread(
        "llm_ext:request_decode_time_seconds",
        "From the first token of an answer to its end.",
        lambda tally: tally.spans.decode,
    ),
    _Spread(
        "llm_ext:model_load_seconds",
        "From the start of a worker to a model that can be used.",
        lambda tally: tally.loads,
    ),
)

_KINDS = (
    _Kinds(
        "llm_ext:request_success_total",
        "Requests that were answered, by why the answer ended.",
        "finished_reason",
        lambda tally: tally.ends,
    ),
    _Kinds(
        "llm_ext:request_failure_total",
        "Requests that failed or were refused, by the error's code.",
        "code",
        lambda tally: tally.failures,
    ),
)


def counted(tallies: Iterable[tuple[str, Tally]]) -> Iterator[Metric]:
    """Yield what was counted, by the ids of models."""
    known = list(tallies)
    for value in _COUNTERS:
        counter = CounterMetricFamily(value.name, value.help, labels=["model"])
        for model, tally in known:
            counter.add_metric([model], value.of(tally))
        yield counter
    for value in _GAUGES:
        yield _gauge(value.name, value.help, {m: value.of(t) for m, t in known})
    yield from map(partial(_spread, known), _SPREADS)
    yield from map(partial(_kinds, known), _KINDS)


def going_on(statuses: Iterable[ModelStatus]) -> Iterator[Metric]:
    """Yield what goes on now; a model has one status for each of its workers."""
    use = _Use()
    for status in statuses:
        use.add(status)
    yield from use.families()


def _spread(known: _Tallies, spread: _Spread) -> Metric:
    family = HistogramMetricFamily(spread.name, spread.help, labels=["model"])
    for model, tally in known:
        histogram = spread.of(tally)
        family.add_metric([model], histogram.buckets, histogram.sum)
    return family


def _kinds(known: _Tallies, kinds: _Kinds) -> Metric:
    labels = ["model", kinds.label]
    counter = CounterMetricFamily(kinds.name, kinds.help, labels=labels)
    for model, tally in known:
        for kind, count in kinds.of(tally).items():
            counter.add_metric([model, kind], count)
    return counter


class _Use:
    """What goes on, summed up over the workers of each model."""

    def __init__(self) -> None:
        self._running: dict[str, int] = {}
        self._waiting: dict[str, int] = {}
        self._decodes: dict[str, int] = {}
        self._slot_steps: dict[str, int] = {}
        self._cells: dict[str, int] = {}
        self._held_cells: dict[str, int] = {}
        self._swapped: dict[str, int] = {}
        self._memory: dict[tuple[str, str], int] = {}

    def add(self, status: ModelStatus) -> None:
        """Take in one worker, or a model without one."""
        model = status.id
        busy = 0 if status.slots is None else status.slots.busy
        running = min(busy, status.requests)
        _increase(self._running, model, running)
        _increase(self._waiting, model, status.requests - running)
        if status.engine is not None:
            _increase(self._decodes, model, status.engine.steps)
            _increase(self._slot_steps, model, status.engine.slot_steps)
            _increase(self._cells, model, status.engine.cells)
            _increase(self._held_cells, model, status.engine.held_cells)
            _increase(self._swapped, model, status.engine.swapped)
        if status.memory is not None:
            for device, use in status.memory.devices.items():
                key = (model, device)
                self._memory[key] = self._memory.get(key, 0) + use.total

    def families(self) -> Iterator[Metric]:
        """Yield it for Prometheus."""
        for prefix in ("llamacpp:requests_processing", "llm_ext:num_requests_running"):
            yield _gauge(prefix, "Requests that are computed now.", self._running)
        for prefix in ("llamacpp:requests_deferred", "llm_ext:num_requests_waiting"):
            yield _gauge(prefix, "Requests that wait now.", self._waiting)
        decodes = CounterMetricFamily(
            "llamacpp:n_decode_total",
            "Batches that loaded models computed.",
            labels=["model"],
        )
        for model, count in self._decodes.items():
            decodes.add_metric([model], count)
        yield decodes
        yield _gauge(
            "llamacpp:n_busy_slots_per_decode",
            "Requests in a batch that loaded models computed, on average.",
            _ratios(self._slot_steps, self._decodes),
        )
        yield _gauge(
            "llm_ext:kv_cache_usage_perc",
            "Part of the KV cache that running requests hold; 1 is all of it.",
            _ratios(self._held_cells, self._cells),
        )
        yield _gauge(
            "llm_ext:kv_cache_swapped_tokens",
            "Tokens that left the KV cache, and are kept in main memory for later.",
            self._swapped,
        )
        memory = GaugeMetricFamily(
            "llm_ext:model_memory_bytes",
            "Memory that is set aside for models that load or are loaded.",
            labels=["model", "device"],
        )
        for labels, size in self._memory.items():
            memory.add_metric(list(labels), size)
        yield memory


def _increase(counts: dict[str, int], model: str, more: int) -> None:
    counts[model] = counts.get(model, 0) + more


def _ratios(parts: dict[str, int], wholes: dict[str, int]) -> dict[str, float]:
    return {model: parts[model] / max(1, whole) for model, whole in wholes.items()}


def _gauge(name: str, text: str, values: Mapping[str, float]) -> Metric:
    gauge = GaugeMetricFamily(name, text, labels=["model"])
    for model, value in values.items():
        gauge.add_metric([model], value)
    return gauge
