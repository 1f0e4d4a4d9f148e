"""Low-rank adapters, applied to a loaded model's contexts."""

import ctypes
import os
from collections.abc import Sequence
from pathlib import Path

from llama_cpp import llama_cpp as lib

from llm_ext.core.load_options import LoraAdapter
from llm_ext.errors import ModelLoadError

from .buffers import Buffers
from .library import Log

_FAILED = "failed to apply lora adapter: "
"""How llama.cpp begins to say why."""


class Adapters:
    """Adapters in memory. They must be freed after the contexts, before the model."""

    def __init__(
        self, model: int, adapters: Sequence[LoraAdapter], *, log: Log, buffers: Buffers
    ) -> None:
        """Load them for the model at this pointer; ``buffers`` counts their bytes.

        Raises:
            ModelLoadError: One of them is unreadable, or made for another model.
        """
        self._adapters: list[tuple[object, float]] = []
        try:
            with log.heard_by(buffers.read):
                for adapter in adapters:
                    pointer = _loaded(model, adapter, log)
                    self._adapters.append((pointer, adapter.scale))
        except ModelLoadError:
            self.close()
            raise

    def apply(self, context: int) -> None:
        """Let everything that this context computes pass through the adapters.

        Raises:
            ModelLoadError: llama.cpp refused.
        """
        count = len(self._adapters)
        if not count:
            return
        pointers = (lib.llama_adapter_lora_p_ctypes * count)(
            *(pointer for pointer, _ in self._adapters)
        )
        scales = (ctypes.c_float * count)(*(scale for _, scale in self._adapters))
        if lib.llama_set_adapters_lora(context, pointers, count, scales) != 0:
            raise ModelLoadError("llama.cpp could not apply the adapters to the model.")

    def close(self) -> None:
        """Free them."""
        for pointer, _ in self._adapters:
            lib.llama_adapter_lora_free(pointer)
        self._adapters = []


def file_size(adapter: LoraAdapter) -> int:
    """Return the bytes of an adapter's file, about what it takes in memory.

    Raises:
        ModelLoadError: It cannot be read.
    """
    try:
        return Path(adapter.path).stat().st_size
    except OSError as error:
        raise _refusal(adapter, error.strerror or str(error)) from error


def _loaded(model: int, adapter: LoraAdapter, log: Log) -> object:
    log.forget_errors()
    pointer = lib.llama_adapter_lora_init(model, os.fsencode(adapter.path))
    if not pointer:
        said = [line.partition(": ")[2] for line in log.errors]
        why = (
            said[-1].removeprefix(_FAILED).rstrip(".")
            if said
            else "llama.cpp says nothing"
        )
        raise _refusal(adapter, why)
    return pointer


def _refusal(adapter: LoraAdapter, why: str) -> ModelLoadError:
    return ModelLoadError(
        f"The adapter {Path(adapter.path).name} cannot be applied to this model: "
        f"{why}. It must have been trained on this very model, and converted to GGUF."
    )
