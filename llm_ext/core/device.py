"""What computes: the processor, and the GPUs that llama.cpp can use."""

from typing import Literal

import msgspec

CPU = "CPU"
"""The name of the processor, and of main memory, as a device."""


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A device, as llama.cpp lists it.

    Attributes:
        name: Such as "CUDA0"; what options call it.
        description: Such as "NVIDIA H200".
        kind: An integrated GPU shares main memory.
        backend: Such as "CUDA", "Vulkan", "Metal", "CPU".
        total: Bytes of its memory.
        free: Those that nobody uses now.
    """

    name: str
    description: str
    kind: Literal["cpu", "gpu", "integrated"]
    backend: str
    total: int
    free: int


class MemoryUse(msgspec.Struct, frozen=True, kw_only=True):
    """Bytes on one device."""

    weights: int = 0
    cache: int = 0
    compute: int = 0

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.cache + self.compute

    def __add__(self, other: "MemoryUse") -> "MemoryUse":
        return MemoryUse(
            weights=self.weights + other.weights,
            cache=self.cache + other.cache,
            compute=self.compute + other.compute,
        )


class MemoryEstimate(msgspec.Struct, frozen=True, kw_only=True):
    """What a model needs once loaded, by the names of devices.

    Attributes:
        devices: Bytes on each device that holds a part.
        context_length: Tokens of context that it was made for.
        gpu_layers: Layers on GPUs.
        measured: Whether llama.cpp said so in a dry run, rather than a formula.
    """

    devices: dict[str, MemoryUse]
    context_length: int
    gpu_layers: int = 0
    measured: bool = False

    @property
    def total(self) -> int:
        """Bytes over all devices."""
        return sum(use.total for use in self.devices.values())

    def with_cache(self, size: int) -> "MemoryEstimate":
        """Return it with ``size`` bytes more of cache, in main memory."""
        here = self.devices.get(CPU, MemoryUse()) + MemoryUse(cache=size)
        return msgspec.structs.replace(self, devices={**self.devices, CPU: here})

    def on(self, device: str) -> int:
        """Return the bytes on one device."""
        use = self.devices.get(device)
        return 0 if use is None else use.total
