"""What llama.cpp itself says that a load would take: it is asked to do a dry one."""

from contextlib import ExitStack, closing
from pathlib import Path
from typing import NamedTuple

import msgspec

from llm_ext.core.context_sizes import seq_ids
from llm_ext.core.device import MemoryEstimate
from llm_ext.core.load_options import LoadOptions, context_length
from llm_ext.core.memory_formula import has_room, most_that_fit

from .buffers import added
from .context import Context
from .devices import devices, gpu_names
from .embedder import Embedder, made_for_vectors
from .library import Log
from .model import Mode, Model
from .read_ahead import Progress

_ALL_LAYERS = -1
"""What llama.cpp calls all of them."""


class _Dry(NamedTuple):
    estimate: MemoryEstimate
    flash_attention: bool


def open_model(
    path: Path,
    options: LoadOptions,
    *,
    log: Log,
    progress: Progress = lambda _fraction: None,
    repack: bool = True,
    mode: Mode = "full",
) -> Model:
    """Load a model as the options, which are :func:`resolved`, say.

    ``repack`` lets llama.cpp rearrange weights for the processor. Raises what
    :class:`Model` raises.
    """
    layers = options.gpu_layers
    return Model(
        path,
        gpu_layers=layers if isinstance(layers, int) else _ALL_LAYERS,
        log=log,
        progress=progress,
        devices=options.devices,
        tensor_split=options.tensor_split,
        lora=options.lora,
        mmap=options.mmap,
        repack=repack,
        mode=mode,
    )


def open_context(
    model: Model, options: LoadOptions, *, cells: int, threads: int
) -> Context:
    """Make a context as the options say. Raises what :class:`Context` raises."""
    return Context(
        model,
        cells=cells,
        seq_ids=seq_ids(model.memory_kind, slots=options.slots),
        threads=threads,
        kv_type=options.kv_type,
        flash_attention=options.flash_attention,
    )


def measure(path: Path, options: LoadOptions, *, log: Log) -> MemoryEstimate:
    """Return what loading would take, without the weights being read.

    Raises:
        InvalidRequestError: The options do not fit what there is here.
        ModelLoadError: llama.cpp refused the file, or the context.
    """
    return _dry(path, resolved(path, options, log=log), log=log).estimate


def resolved(path: Path, options: LoadOptions, *, log: Log) -> LoadOptions:
    """Return the options with what they leave to be found out.

    That is how many layers the GPUs have room for now. And, where only a part of the
    layers goes there, whether flash attention can be used: llama.cpp itself would find
    that it cannot, as it asks with a batch of a token for each sequence id, of which
    there are so many here that it would compute the processor's layers on the GPU.

    Raises:
        InvalidRequestError: The options do not fit what there is here.
        ModelLoadError: llama.cpp refused the file, or the context.
    """
    names = gpu_names(options.devices)
    if not names or options.gpu_layers in {0, "all"}:
        return options
    on_gpus = msgspec.structs.replace(options, gpu_layers="all")
    everything = _dry(path, on_gpus, log=log)
    flash = options.flash_attention
    if flash == "auto":
        flash = "on" if everything.flash_attention else "off"
    if isinstance(options.gpu_layers, int):
        return msgspec.structs.replace(options, flash_attention=flash)
    gpus = [device for device in devices() if device.name in names]
    if has_room(everything.estimate, gpus):
        return on_gpus

    def partly(layers: int) -> LoadOptions:
        return msgspec.structs.replace(
            options, gpu_layers=layers, flash_attention=flash
        )

    def fits(layers: int) -> bool:
        return has_room(_dry(path, partly(layers), log=log).estimate, gpus)

    return partly(most_that_fit(0, everything.estimate.gpu_layers - 1, fits) or 0)


def _dry(path: Path, options: LoadOptions, *, log: Log) -> _Dry:
    with ExitStack() as stack:
        model = stack.enter_context(
            closing(open_model(path, options, log=log, mode="dry"))
        )
        cells = context_length(options.context_length, model.trained_context)
        context = stack.enter_context(
            closing(open_context(model, options, cells=cells, threads=1))
        )
        uses = added(model.uses, context.uses)
        if made_for_vectors(model, context):
            embedder = Embedder(model, cells=cells, threads=1)
            stack.enter_context(closing(embedder)).open()
            uses = added(uses, embedder.uses)
        estimate = MemoryEstimate(
            devices={name: use for name, use in uses.items() if use.total},
            context_length=min(context.cells, model.trained_context),
            gpu_layers=model.offloaded,
            measured=True,
        )
        return _Dry(estimate, context.flash_attention)
