"""How much memory models take: by formula, and by asking llama.cpp."""

import asyncio
import importlib.util
from collections.abc import Sequence
from pathlib import Path

import msgspec

from llm_ext.catalog.entry import ModelEntry
from llm_ext.core import memory_formula
from llm_ext.core.device import CPU, Device, MemoryEstimate, MemoryUse
from llm_ext.core.load_options import LoadOptions, context_length
from llm_ext.core.server_status import Runtime
from llm_ext.core.tested_runtime import installed_version, version_problem

from .memory import main_memory
from .probe import Probe

_GPU_BACKENDS = ("cuda", "hip", "metal", "musa", "sycl", "vulkan", "opencl", "cann")


class ModelNeeds:
    """Implements :class:`~llm_ext.pool.needs.Needs`.

    The process that can ask llama.cpp is started only where there may be GPUs, or
    where a formula is not enough: on most machines the first load need not wait for it.
    """

    def __init__(self, probe: Probe) -> None:
        self._probe = probe

    async def devices(self) -> list[Device]:
        """See Needs."""
        if await asyncio.to_thread(_may_have_gpus):
            return list((await self._probe.devices()).devices)
        memory = main_memory()
        return [
            Device(
                name=CPU,
                description="Processor",
                kind="cpu",
                backend="CPU",
                total=memory.total,
                free=memory.available,
            )
        ]

    async def runtime(self) -> Runtime:
        """See Needs."""
        version = installed_version()
        problem = version_problem(version)
        if version is None:
            return Runtime(problem=problem)
        gpu = await asyncio.to_thread(_may_have_gpus)
        return Runtime(llama_cpp=version, gpu=gpu, problem=problem)

    async def guess(
        self, entry: ModelEntry, options: LoadOptions, devices: Sequence[Device]
    ) -> MemoryEstimate:
        """See Needs."""
        if entry.facts is None:
            return MemoryEstimate(
                devices={CPU: MemoryUse(weights=entry.size)},
                context_length=context_length(options.context_length, entry.size),
            )
        adapters = 0
        if options.lora:
            adapters = await asyncio.to_thread(_adapter_bytes, options)
        return memory_formula.estimate(entry.facts, options, devices, adapters=adapters)

    async def measure(self, entry: ModelEntry, options: LoadOptions) -> MemoryEstimate:
        """See Needs."""
        return await self._probe.estimate(entry.path, options)

    async def shrink(
        self, entry: ModelEntry, options: LoadOptions, free: dict[str, int]
    ) -> LoadOptions | None:
        """See Needs."""
        if entry.facts is None:
            return None
        length = memory_formula.context_that_fits(
            entry.facts, options, await self.devices(), free
        )
        if length is None:
            return None
        return msgspec.structs.replace(options, context_length=length)


def _may_have_gpus() -> bool:
    """Return whether llama.cpp came with a backend for GPUs.

    Its folder tells; to import it would load it into this process.
    """
    found = importlib.util.find_spec("llama_cpp")
    if found is None or found.origin is None:
        return False
    libraries = (Path(found.origin).parent / "lib").glob("*ggml-*")
    return any(kind in file.name for file in libraries for kind in _GPU_BACKENDS)


def _adapter_bytes(options: LoadOptions) -> int:
    """Return the size of the adapters' files; what is missing is the load's to say."""
    paths = [Path(adapter.path) for adapter in options.lora]
    return sum(path.stat().st_size for path in paths if path.is_file())
