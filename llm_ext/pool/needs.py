"""How much memory a model will take, and what there is."""

from collections.abc import Sequence
from typing import Protocol

from llm_ext.catalog.entry import ModelEntry
from llm_ext.core.device import Device, MemoryEstimate
from llm_ext.core.load_options import LoadOptions
from llm_ext.core.server_status import Runtime


class Needs(Protocol):
    """Tells what loads need."""

    async def devices(self) -> list[Device]:
        """Return the devices as they are now; the processor, with main memory, first.

        Raises:
            LLMError: llama.cpp cannot be used.
        """

    async def runtime(self) -> Runtime:
        """Return what llama.cpp was built for."""

    async def guess(
        self, entry: ModelEntry, options: LoadOptions, devices: Sequence[Device]
    ) -> MemoryEstimate:
        """Return what a model needs on these devices, at once and by formula."""

    async def measure(self, entry: ModelEntry, options: LoadOptions) -> MemoryEstimate:
        """Return what llama.cpp itself says that it needs; takes a second or so.

        Raises:
            LLMError: llama.cpp cannot load such a file.
        """

    async def shrink(
        self, entry: ModelEntry, options: LoadOptions, free: dict[str, int]
    ) -> LoadOptions | None:
        """Return the options with the longest context that fits ``free`` bytes.

        None if even the shortest does not.
        """
