"""What models need, as the test says."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from llm_ext.catalog.entry import ModelEntry
from llm_ext.core.device import CPU, Device, MemoryEstimate, MemoryUse
from llm_ext.core.load_options import LoadOptions
from llm_ext.core.memory_formula import headroom
from llm_ext.core.server_status import Runtime
from llm_ext.errors import LLMError


@dataclass
class FakeNeeds:
    """Implements :class:`llm_ext.pool.needs.Needs`.

    Attributes:
        bytes: What each model takes of main memory; 1 where nothing is said.
        refusals: Why a model cannot be measured.
        measured: Ids of those that were, in order.
        fitting: The context that :meth:`shrink` finds; None finds none.
        gpu: A GPU, on which models' layers are put; None: there is none.
        problem: Why llama.cpp cannot be used.
    """

    bytes: dict[str, int] = field(default_factory=dict)
    refusals: dict[str, LLMError] = field(default_factory=dict)
    measured: list[str] = field(default_factory=list)
    fitting: int | None = None
    gpu: Device | None = None
    problem: str | None = None

    async def devices(self) -> list[Device]:
        """See Needs."""
        cpu = Device(
            name=CPU, description="", kind="cpu", backend="CPU", total=0, free=0
        )
        return [cpu] if self.gpu is None else [cpu, self.gpu]

    async def runtime(self) -> Runtime:
        """See Needs."""
        return Runtime(llama_cpp="0.0", problem=self.problem)

    async def guess(
        self, entry: ModelEntry, options: LoadOptions, devices: Sequence[Device]
    ) -> MemoryEstimate:
        """See Needs."""
        size = self.bytes.get(entry.id, 1)
        if options.context_length:
            size = options.context_length
        gpu = devices[1] if devices[1:] else None
        layers = 1 if entry.facts is None else len(entry.facts.layers) + 1
        there = 0 if gpu is None else _there(options, layers, size // layers, gpu)
        parts = {CPU: size - there * size // layers}
        if gpu is not None and there:
            parts[gpu.name] = there * size // layers
        return MemoryEstimate(
            devices={name: MemoryUse(weights=part) for name, part in parts.items()},
            context_length=options.context_length,
            gpu_layers=there,
        )

    async def measure(self, entry: ModelEntry, options: LoadOptions) -> MemoryEstimate:
        """See Needs."""
        self.measured.append(entry.id)
        if entry.id in self.refusals:
            raise self.refusals[entry.id]
        return await self.guess(entry, options, await self.devices())

    async def shrink(
        self, entry: ModelEntry, options: LoadOptions, free: dict[str, int]
    ) -> LoadOptions | None:
        """See Needs."""
        del entry, free
        if self.fitting is None:
            return None
        return msgspec.structs.replace(options, context_length=self.fitting)


def _there(options: LoadOptions, layers: int, each: int, gpu: Device) -> int:
    """Return how many of the layers go to the GPU."""
    if isinstance(options.gpu_layers, int):
        return options.gpu_layers
    room = gpu.free - headroom(gpu)
    return layers if options.gpu_layers == "all" else min(layers, room // each)
