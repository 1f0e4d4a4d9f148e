"""``options``: how answers are drawn, and how a model is loaded."""

from typing import Any, TypeAlias

import msgspec

from llm_ext.core.load_options import MAX_DEFAULT_CONTEXT, MAX_THREADS
from llm_ext.core.sampling import Mirostat, SamplingOptions
from llm_ext.errors import InvalidRequestError

Whole: TypeAlias = int | float
"""A whole number; clients in languages of one kind of number write 5 as 5.0."""


class Options(msgspec.Struct, kw_only=True):
    """Those that are understood; null equals absent, others are ignored.

    What Ollama knows and has no meaning here, such as ``num_keep``, is among those.
    """

    num_predict: Whole | None = None
    seed: Whole | None = None
    stop: list[str] | str | None = None
    top_k: Whole | None = None
    top_p: float | None = None
    min_p: float | None = None
    typical_p: float | None = None
    temperature: float | None = None
    repeat_last_n: Whole | None = None
    repeat_penalty: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    mirostat: Mirostat | None = None
    mirostat_tau: float | None = None
    mirostat_eta: float | None = None
    num_ctx: Whole | None = None
    num_gpu: Whole | None = None
    num_thread: Whole | None = None
    use_mmap: bool | None = None


_SAME = (
    "top_p",
    "min_p",
    "typical_p",
    "temperature",
    "repeat_penalty",
    "presence_penalty",
    "frequency_penalty",
    "mirostat",
    "mirostat_tau",
    "mirostat_eta",
)


def sampling(options: Options, *, logprobs: int | None = None) -> SamplingOptions:
    """Return how an answer is drawn.

    Ollama writes "as many as there is room for" as 0 or less, "any seed" as less than
    0, and "the whole context" as less than 0.

    Raises:
        InvalidRequestError: A value is out of its range; names the field.
    """
    most, seed = _whole(options, "num_predict"), _whole(options, "seed")
    top, last = _whole(options, "top_k"), _whole(options, "repeat_last_n")
    stop = (options.stop,) if isinstance(options.stop, str) else options.stop
    return SamplingOptions(
        max_tokens=most if most is not None and most > 0 else None,
        seed=seed if seed is not None and seed >= 0 else None,
        stop=None if stop is None else tuple(stop),
        top_k=None if top is None else max(0, top),
        repeat_last_n=MAX_DEFAULT_CONTEXT if last is not None and last < 0 else last,
        logprobs=logprobs,
        **{field: getattr(options, field) for field in _SAME},
    )


def load_options(options: Options) -> dict[str, Any]:
    """Return how the model is to be loaded, by the fields of ``LoadOptions``.

    Ollama writes "as many as are best" as less than 0.

    Raises:
        InvalidRequestError: A value is no whole number; names the field.
    """
    cells, layers = _whole(options, "num_ctx"), _whole(options, "num_gpu")
    threads = _whole(options, "num_thread")
    wanted = {
        "context_length": None if cells is None else max(0, cells),
        "gpu_layers": "auto" if layers is not None and layers < 0 else layers,
        "threads": None if threads is None else min(max(0, threads), MAX_THREADS),
        "mmap": options.use_mmap,
    }
    return {field: value for field, value in wanted.items() if value is not None}


def _whole(options: Options, field: str) -> int | None:
    value: Whole | None = getattr(options, field)
    if isinstance(value, float):
        if not value.is_integer():
            raise InvalidRequestError(
                f"'{field}' must be a whole number, not {value}.",
                param=f"options.{field}",
            )
        return int(value)
    return value
