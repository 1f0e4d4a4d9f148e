"""``options``: how answers are drawn, and how a model is loaded."""

from typing import Any

import msgspec

from llm_ext.core.load_options import MAX_DEFAULT_CONTEXT
from llm_ext.core.sampling import Mirostat, SamplingOptions


class Options(msgspec.Struct, kw_only=True):
    """Those that are understood; null equals absent, others are ignored.

    What Ollama knows and has no meaning here, such as ``num_keep``, is among those.
    """

    num_predict: int | None = None
    seed: int | None = None
    stop: list[str] | str | None = None
    top_k: int | None = None
    top_p: float | None = None
    min_p: float | None = None
    typical_p: float | None = None
    temperature: float | None = None
    repeat_last_n: int | None = None
    repeat_penalty: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    mirostat: Mirostat | None = None
    mirostat_tau: float | None = None
    mirostat_eta: float | None = None
    num_ctx: int | None = None
    num_gpu: int | None = None
    num_thread: int | None = None
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
_AUTOMATIC = -1
"""Ollama's word for "as many layers as fit"."""


def sampling(options: Options, *, logprobs: int | None = None) -> SamplingOptions:
    """Return how an answer is drawn.

    Ollama writes "as many as there is room for" as 0 or less, "any seed" as less than
    0, and "the whole context" as less than 0.

    Raises:
        InvalidRequestError: A value is out of its range; names the field.
    """
    most, seed, last = options.num_predict, options.seed, options.repeat_last_n
    stop = (options.stop,) if isinstance(options.stop, str) else options.stop
    return SamplingOptions(
        max_tokens=most if most is not None and most > 0 else None,
        seed=seed if seed is not None and seed >= 0 else None,
        stop=None if stop is None else tuple(stop),
        top_k=None if options.top_k is None else max(0, options.top_k),
        repeat_last_n=MAX_DEFAULT_CONTEXT if last is not None and last < 0 else last,
        logprobs=logprobs,
        **{field: getattr(options, field) for field in _SAME},
    )


def load_options(options: Options) -> dict[str, Any]:
    """Return how the model is to be loaded, by the fields of ``LoadOptions``."""
    layers = "auto" if options.num_gpu == _AUTOMATIC else options.num_gpu
    wanted = {
        "context_length": options.num_ctx,
        "gpu_layers": layers,
        "threads": options.num_thread,
        "mmap": options.use_mmap,
    }
    return {field: value for field, value in wanted.items() if value is not None}
