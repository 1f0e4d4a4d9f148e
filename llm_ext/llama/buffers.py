"""What llama.cpp says that it allocated, and where: read from its log.

It has no function for it. The lines are those of ``load_tensors`` in
``llama-model.cpp``, of ``llama-kv-cache.cpp``, ``llama-memory-recurrent.cpp``,
``llama-adapter.cpp`` and ``llama-context.cpp``.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping

from llm_ext.core.device import CPU, MemoryUse

Uses = dict[str, MemoryUse]
"""Bytes by the names of devices."""

_MIB = 1024 * 1024

_BUFFER = re.compile(
    r"(?P<name>\S+)\s+(?P<kind>model|LoRA|KV|RS|compute|output) buffer size ="
    r"\s*(?P<size>[\d.]+) MiB"
)
_LAYER = re.compile(r"load_tensors: layer\s+(?P<layer>\d+) assigned to device (\S+?),")
_CACHE_LAYER = re.compile(r"llama_kv_cache: layer\s+\d+: dev = (\S+)")
_CACHE_SIZE = re.compile(r"llama_kv_cache: size =\s*([\d.]+) MiB")

_MAPPED = "_Mapped"


class Buffers:
    """Adds up the buffers of one model or context.

    Attributes:
        layers: Names of the layers' devices; the last one is the output layer's.
        flash_attention: Whether llama.cpp found that it can be used.
    """

    def __init__(self, gpus: Iterable[str]) -> None:
        """Prepare; everything that is on none of ``gpus`` is in main memory."""
        self.layers: list[str] = []
        self.flash_attention = False
        self._gpus = frozenset(gpus)
        self._weights: Counter[str] = Counter()
        self._mapped: Counter[str] = Counter()
        self._cache: Counter[str] = Counter()
        self._compute: dict[str, int] = {}
        self._cache_layers: list[str] = []
        self._real_cache = False

    def read(self, line: str) -> None:
        """Take note of a line of the log."""
        if found := _BUFFER.search(line):
            size = int(float(found["size"]) * _MIB)
            self._allocated(found["name"], found["kind"], size)
        elif found := _LAYER.search(line):
            self.layers.append(self._device(found[2]))
        elif found := _CACHE_LAYER.search(line):
            self._cache_layers.append(self._device(found[1]))
        elif found := _CACHE_SIZE.search(line):
            self._cache_made(int(float(found[1]) * _MIB))
        elif line.endswith("Flash Attention enabled"):
            self.flash_attention = True

    def uses(self, tensors: Mapping[str, int] | None = None) -> Uses:
        """Return the bytes on each device.

        Args:
            tensors: Bytes of the model's tensors that belong on each device. A mapped
                buffer spans everything between the first and the last tensor that is
                used in place. What lies there and was copied, to a GPU or into a
                layout that the processor likes better, is read once and given up.
        """
        weights = self._weights.copy()
        for device, size in self._mapped.items():
            left = size
            if tensors is not None:
                left = max(0, tensors.get(device, 0) - weights[device])
            weights[device] += min(size, left)
        compute: Counter[str] = Counter()
        for name, size in self._compute.items():
            compute[self._device(name)] += size
        return {
            device: MemoryUse(
                weights=weights[device],
                cache=self._cache[device],
                compute=compute[device],
            )
            for device in sorted({*weights, *self._cache, *compute})
        }

    @property
    def maps(self) -> bool:
        """Whether a part of the file is used in place."""
        return bool(self._mapped)

    def _allocated(self, name: str, kind: str, size: int) -> None:
        device = self._device(name)
        match kind:
            case "model" if name.endswith(_MAPPED):
                self._mapped[device] += size
            case "model" | "LoRA":
                self._weights[device] += size
            case "KV":
                self._cache[device] += size
                self._real_cache = self._real_cache or size > 0
            case "RS":
                self._cache[device] += size
            case _:
                # Said again, with the new size, when a buffer had to grow.
                self._compute[f"{name} {kind}"] = size

    def _cache_made(self, size: int) -> None:
        """Note a cache's whole size; a dry run says nothing of its parts."""
        layers, self._cache_layers = self._cache_layers, []
        real, self._real_cache = self._real_cache, False
        if not real:
            for device in layers:
                self._cache[device] += size // len(layers)

    def _device(self, buffer: str) -> str:
        """Return the device of a buffer, by ggml's names of them.

        Such as ``CUDA0`` and ``MTL0_Mapped``; those of main memory are ``CPU``,
        ``CPU_REPACK``, ``CUDA_Host`` and the like.
        """
        name = buffer.partition(" ")[0].removesuffix(_MAPPED).removesuffix("_Private")
        return name if name in self._gpus else CPU


def added(*all_uses: Uses) -> Uses:
    """Return the sum of several uses, device by device."""
    total: Uses = {}
    for uses in all_uses:
        for device, use in uses.items():
            total[device] = total.get(device, MemoryUse()) + use
    return total
