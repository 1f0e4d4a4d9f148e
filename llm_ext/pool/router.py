"""The one owner of the pool: which models have a process, and who may use it."""

import asyncio

from llm_ext.catalog.entry import ModelEntry
from llm_ext.catalog.index import Index
from llm_ext.core.model_name import model_id
from llm_ext.core.model_status import ModelStatus
from llm_ext.core.requests import Request
from llm_ext.core.settings import Settings
from llm_ext.errors import ModelNotFoundError

from .launcher import Launcher
from .placement import check_room, default_model
from .process import ModelProcess
from .stream import EventStream


class Router:
    """Takes requests by model name. All methods run on the event loop."""

    def __init__(self, index: Index, settings: Settings, launch: Launcher) -> None:
        self._index = index
        self._settings = settings
        self._launch = launch
        self._processes: dict[str, ModelProcess] = {}

    async def generate(self, request: Request) -> EventStream:
        """Return the stream that answers ``request``; loads its model if need be.

        Raises:
            ModelNotFoundError: The catalog has no such model.
            QueueFullError: Too many requests wait for it.
        """
        process = await self._process(request.model)
        check_room(
            process.entry.id,
            queued=process.queued,
            max_waiting=self._settings.max_waiting,
        )
        return process.open(request)

    async def load(self, name: str) -> EventStream:
        """Return a stream that ends when the model is ready, or says why it is not.

        Raises:
            ModelNotFoundError: The catalog has no such model.
        """
        return (await self._process(name)).open(None)

    async def unload(self, name: str, *, force: bool = False) -> ModelStatus:
        """Give a model's memory back and return its status then.

        Raises:
            ModelNotFoundError: The catalog has no such model.
            ModelBusyError: Requests run on it, and ``force`` is not set.
        """
        process = await self._process(name)
        await process.unload(force=force)
        return process.status()

    async def model(self, name: str) -> ModelStatus:
        """Return one model's status; ModelNotFoundError if there is none."""
        return (await self._process(name)).status()

    async def models(self) -> list[ModelStatus]:
        """Return the status of every model in the catalog, and of loaded ones."""
        known = {entry.id for entry in await self._index.entries()}
        for entry in await self._index.entries():
            self._adopt(entry)
        for name, process in list(self._processes.items()):
            if name not in known and process.state in {"unloaded", "failed"}:
                del self._processes[name]
        return [process.status() for process in self._processes.values()]

    async def default(self) -> str | None:
        """Return the id of the model to use where none is named."""
        entries = await self._index.entries()
        return default_model(
            configured=model_id(self._settings.default_model),
            ready=[n for n, p in self._processes.items() if p.state == "ready"],
            own=[e.id for e in entries if not e.bundled and e.problem is None],
            bundled=[e.id for e in entries if e.bundled],
        )

    @property
    def requests(self) -> int:
        """Requests that run or wait, over all models."""
        return sum(process.requests for process in self._processes.values())

    async def stop(self) -> None:
        """End all workers and return when they have gone."""
        stops = [process.unload(force=True) for process in self._processes.values()]
        await asyncio.gather(*stops)

    async def _process(self, name: str) -> ModelProcess:
        try:
            return self._adopt(await self._index.find(name))
        except ModelNotFoundError:
            # Its file may be gone while it is loaded: it can be used and unloaded.
            process = self._processes.get(model_id(name))
            if process is None or process.state in {"unloaded", "failed"}:
                raise
            return process

    def _adopt(self, entry: ModelEntry) -> ModelProcess:
        process = self._processes.get(entry.id)
        if process is None:
            process = ModelProcess(entry, self._settings, self._launch)
            self._processes[entry.id] = process
        elif process.state in {"unloaded", "failed"}:
            process.entry = entry
        return process
