"""The one owner of the pool: which models have a process, and who may use it."""

import asyncio
import itertools
import logging
import re
import time
from collections.abc import Mapping

import msgspec

from llm_ext.catalog.entry import ModelEntry
from llm_ext.catalog.index import Index
from llm_ext.core.allowance import Allowance
from llm_ext.core.changes import ModelChanged, ModelRemoved, Notify, WorkerChanged
from llm_ext.core.device import MemoryEstimate
from llm_ext.core.events import Failed, Finished
from llm_ext.core.load_options import LoadOptions
from llm_ext.core.model_name import model_id
from llm_ext.core.model_status import ModelStatus
from llm_ext.core.preflight import Preflight
from llm_ext.core.provider_status import LOCAL
from llm_ext.core.requests import Request
from llm_ext.core.server_status import DeviceUse
from llm_ext.core.settings import ModelSource, Settings
from llm_ext.core.worker_status import WorkerStatus
from llm_ext.errors import (
    LLMError,
    ModelBusyError,
    ModelNotFoundError,
    ModelNotLoadedError,
    NotSupportedError,
    ServerStoppingError,
    WorkerNotFoundError,
)

from .admission import Admission, Backlog
from .launcher import Launcher
from .memory import resident
from .meter import Meter
from .needs import Needs
from .placement import default_model
from .process import ModelProcess
from .seating import Seating
from .stream import EventStream

_WORKER = re.compile(r"(?:.*@)?(w\d+)")
"""How a request names one worker rather than a model: by its id, such as "hello@w3"."""

_NOT_OURS: dict[ModelSource, str] = {
    "huggingface": "{name!r} lies in Hugging Face's cache. Delete it there, with 'hf "
    "cache delete'.",
    "ollama": "{name!r} belongs to Ollama. Delete it there, with 'ollama rm'.",
    "lmstudio": "{name!r} belongs to LM Studio. Delete it there.",
    "bundled": "{name!r} is part of this package, and stays with it.",
}
"""Why files are not deleted here, by their source."""

_log = logging.getLogger(__name__)


class Router:
    """Takes requests by model name. All methods run on the event loop."""

    def __init__(
        self,
        index: Index,
        settings: Settings,
        launch: Launcher,
        needs: Needs,
        notify: Notify,
        *,
        meter: Meter,
    ) -> None:
        self._index = index
        self._settings = settings
        self._needs = needs
        self._launch = launch
        self._notify = notify
        self._meter = meter
        self._admission = Admission(settings.limits, time.monotonic)
        self._seating = Seating(settings, needs, self._residents)
        self._processes: dict[str, ModelProcess] = {}
        self._ephemeral: list[ModelProcess] = []
        self._worker_numbers = itertools.count(1)
        self._stopping = False
        self._looking: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Pin and load what is configured so, without waiting for it."""
        for name in dict.fromkeys([*self._settings.pinned, *self._settings.preload]):
            try:
                process = await self._process(name)
            except LLMError as error:
                _log.warning("%r cannot be loaded at the start: %s", name, error)
                continue
            process.pinned = process.pinned or name in self._settings.pinned
            process.open(None).close()

    async def generate(
        self,
        request: Request,
        *,
        user: str = "",
        keep_alive: float | None = None,
        autoload: bool = True,
    ) -> EventStream:
        """Return the stream that answers ``request``; loads its model if need be.

        Raises:
            ModelNotFoundError: The catalog has no such model.
            ModelNotLoadedError: It has to be loaded, and ``autoload`` is not set.
            QueueFullError: Too many requests wait for it.
            RateLimitedError: The user has asked too much of late.
        """
        process = await self._process(request.model)
        self._check_running()
        if not (autoload or process.available):
            raise ModelNotLoadedError(process.entry.id)
        self.admit(process.entry.id, user, process.backlog(user))
        return process.open(request, user=user, keep_alive=keep_alive)

    def admit(self, model: str, user: str, backlog: Backlog) -> None:
        """Take note of a request, wherever the model with this id is.

        Raises:
            QueueFullError: Too many requests wait for it.
            RateLimitedError: The user has asked too much of late.
        """
        try:
            self._admission.admit(model, user, backlog)
        except LLMError as error:
            self._meter.refused(model, error)
            raise

    async def load(
        self,
        name: str,
        *,
        options: Mapping[str, object] | None = None,
        keep_alive: float | None = None,
        pinned: bool | None = None,
    ) -> EventStream:
        """Return a stream that ends when the model is ready, or says why it is not.

        ``options`` are some fields of :class:`LoadOptions`; the others are as
        configured. A model that is loaded with other options is loaded again.

        Raises:
            ModelNotFoundError: The catalog has no such model.
            ModelBusyError: Requests run on it, and it would have to be loaded again.
            InvalidRequestError: An option is unknown or wrong.
        """
        process = await self._process(name)
        self._check_running()
        if pinned is not None:
            process.pin(pinned=pinned)
        if options is not None:
            wanted = process.configured_options.but(options)
            while not process.is_wanted(wanted):  # others may want it otherwise again
                await process.unload(force=False, wanted=wanted)
        return process.open(None, keep_alive=keep_alive)

    async def pin(self, name: str, *, pinned: bool) -> ModelStatus:
        """Let a model stay loaded whoever needs room, or no longer; return its status.

        Raises:
            ModelNotFoundError: The catalog has no such model.
        """
        process = await self._process(name)
        process.pin(pinned=pinned)
        return process.status()

    async def delete(self, name: str) -> None:
        """Delete a model's files.

        Raises:
            ModelNotFoundError: The catalog has no such model.
            ModelBusyError: It is loaded, or on its way.
            NotSupportedError: Its files belong to another program, or to this package.
            StoreError: The files cannot be deleted.
        """
        process = await self._process(name)
        entry = process.entry
        if entry.source != "folder":
            raise NotSupportedError(_NOT_OURS[entry.source].format(name=entry.id))
        if process.in_use:
            raise ModelBusyError(entry.id, requests=process.requests)
        await self._index.delete(entry)
        await self.look()

    async def unload(self, name: str, *, force: bool = False) -> ModelStatus:
        """Give a model's memory back and return its status then.

        Raises:
            ModelNotFoundError: The catalog has no such model.
            ModelBusyError: Requests run on it, and ``force`` is not set.
        """
        process = await self._process(name)
        await process.unload(force=force, wanted=process.configured_options)
        return process.status()

    async def model(self, name: str) -> ModelStatus:
        """Return one model's status; ModelNotFoundError if there is none."""
        return (await self._process(name)).status()

    async def options(self, name: str) -> LoadOptions:
        """Return how a model is loaded, now or next.

        Raises:
            ModelNotFoundError: The catalog has no such model.
        """
        return (await self._process(name)).options

    async def models(self) -> list[ModelStatus]:
        """Return the status of every model in the catalog, and of loaded ones."""
        await self.look()
        return [process.status() for process in self._processes.values()]

    def statuses(self) -> list[ModelStatus]:
        """Return what is known now; a model has one status for each of its workers."""
        return [process.status() for process in self._all]

    async def look(self) -> None:
        """Take over what the catalog found, and tell of what is new or gone."""
        entries = {entry.id: entry for entry in await self._index.entries()}
        for entry in entries.values():
            self._adopt(entry)
        for name, process in list(self._processes.items()):
            if name not in entries and not process.in_use:
                del self._processes[name]
                self._notify(ModelRemoved(id=name))

    def look_soon(self) -> None:
        """Do :meth:`look` by and by: the catalog has changed."""
        task = asyncio.ensure_future(self.look())
        self._looking.add(task)
        task.add_done_callback(self._looking.discard)

    async def default(self) -> str | None:
        """Return the id of the model to use where none is named.

        A configured one that is not of this machine stays as it was written.
        """
        entries = await self._index.entries()
        return default_model(
            configured=await self._configured(),
            ready=[n for n, p in self._processes.items() if p.state == "ready"],
            own=[e.id for e in entries if e.source != "bundled" and e.problem is None],
            bundled=[e.id for e in entries if e.source == "bundled"],
        )

    async def workers(self) -> list[WorkerStatus]:
        """Return what can be said of every worker, and what memory it really has."""
        found = []
        for process in self._all:
            status = process.worker_status()
            if status is not None:
                rss = None if status.pid is None else resident(status.pid)
                found.append(msgspec.structs.replace(status, rss=rss))
        return found

    async def worker(self, worker_id: str) -> WorkerStatus:
        """Return one worker's status; WorkerNotFoundError if there is none."""
        for status in await self.workers():
            if status.id == worker_id:
                return status
        raise WorkerNotFoundError(worker_id)

    async def start_worker(
        self, name: str, options: Mapping[str, object] | None = None
    ) -> WorkerStatus:
        """Begin to load a model, and return what is known of its worker at once.

        One that is still on its way out of memory is waited for.

        Raises:
            LLMError: As for :meth:`load`, or why the load failed at once.
        """
        (await self.load(name, options=options)).close()
        process = await self._process(name)
        await process.left()
        status = process.worker_status()
        if status is None:
            raise process.error or WorkerNotFoundError(name)
        return status

    async def own_worker(
        self, name: str, options: Mapping[str, object] | None = None
    ) -> tuple[ModelProcess, EventStream]:
        """Begin to load a worker for one caller alone, who has to :meth:`give_back`.

        Raises:
            ModelNotFoundError: The catalog has no such model.
        """
        shared = await self._process(name)
        self._check_running()
        process = ModelProcess(
            shared.entry,
            self._settings,
            self._launch,
            self,
            ephemeral=True,
            wanted=shared.configured_options.but(options or {}),
        )
        self._ephemeral.append(process)
        return process, process.open(None)

    async def give_back(self, process: ModelProcess) -> None:
        """End a worker of :meth:`own_worker`, whatever runs on it."""
        await process.unload(force=True)
        if process in self._ephemeral:
            self._ephemeral.remove(process)

    async def end_worker(self, worker_id: str, *, force: bool = False) -> None:
        """End one worker and return when it has gone.

        Raises:
            WorkerNotFoundError: There is none.
            ModelBusyError: Requests run on it, and ``force`` is not set.
        """
        await self._with_worker(worker_id).unload(force=force)

    async def preflight(
        self, name: str, options: Mapping[str, object] | None = None
    ) -> Preflight:
        """Return whether a model would load now; ``options`` as for :meth:`load`.

        Raises:
            ModelNotFoundError: The catalog has no such model.
            InvalidRequestError: An option is unknown or wrong.
        """
        process = await self._process(name)
        wanted = process.configured_options.but(options or {})
        return await self._seating.preflight(process, wanted)

    async def guesses(self) -> dict[str, MemoryEstimate]:
        """Return what models would need by formula, by their ids.

        Those are left out of which it cannot be told.
        """
        devices = await self._needs.devices()
        return {
            name: await self._needs.guess(process.entry, process.options, devices)
            for name, process in list(self._processes.items())
            if process.entry.problem is None
        }

    async def devices(self) -> list[DeviceUse]:
        """Return the devices, and what models take of them."""
        return await self._seating.devices()

    def allowances(self, user: str) -> dict[str, Allowance]:
        """Return what rate limits leave the user."""
        return self._admission.allowances(user)

    @property
    def requests(self) -> int:
        """Requests that run or wait, over all models."""
        return sum(process.requests for process in self._all)

    @property
    def loaded(self) -> int:
        """Models and workers in memory, or on their way there or from there."""
        return len(self._residents())

    async def stop(self) -> None:
        """End all workers and return when they have gone."""
        self._stopping = True
        for process in self._all:
            process.pinned = False
        await asyncio.gather(*[process.unload(force=True) for process in self._all])

    # What processes tell their owner.

    def wants_room(self, process: ModelProcess) -> None:
        """See :class:`~llm_ext.pool.process.Owner`."""
        if self._stopping:
            process.refuse(ServerStoppingError())
        else:
            self._seating.want(process)

    def changed(self, process: ModelProcess, worker: WorkerStatus | None) -> None:
        """See :class:`~llm_ext.pool.process.Owner`."""
        if not process.ephemeral:
            self._notify(ModelChanged(model=process.status()))
        if worker is not None:
            self._notify(WorkerChanged(worker=worker))
        gone = worker is not None and worker.state in {"ended", "failed"}
        self._seating.settle_soon(freed=gone)

    def ended(self, stream: EventStream, event: Finished | Failed) -> None:
        """See :class:`~llm_ext.pool.process.Owner`."""
        if isinstance(event, Finished):
            self._admission.charge(stream.user, event.usage.total_tokens)
            stream.charge(event.usage.total_tokens)
        self._meter.ended(stream, event)

    def new_worker_id(self) -> str:
        """See :class:`~llm_ext.pool.process.Owner`."""
        return f"w{next(self._worker_numbers)}"

    # Small parts.

    @property
    def _all(self) -> list[ModelProcess]:
        return [*self._processes.values(), *self._ephemeral]

    def _residents(self) -> list[ModelProcess]:
        return [process for process in self._all if process.has_worker]

    def _check_running(self) -> None:
        if self._stopping:
            raise ServerStoppingError

    async def _configured(self) -> str:
        name = self._settings.default_model.removeprefix(f"{LOCAL}/")
        provider, slash, _ = name.partition("/")
        if not name or (slash and provider in self._settings.providers):
            return name
        try:
            return (await self._process(name)).entry.id
        except LLMError:
            return name  # whoever asks for it is told what is wrong with it

    async def _process(self, name: str) -> ModelProcess:
        if match := _WORKER.fullmatch(name):
            return self._with_worker(match[1])
        try:
            return self._adopt(await self._index.find(name))
        except ModelNotFoundError:
            # Its file may be gone while it is loaded: it can be used and unloaded.
            process = self._processes.get(model_id(name))
            if process is None or not process.in_use:
                raise
            return process

    def _with_worker(self, worker_id: str) -> ModelProcess:
        for process in self._all:
            if process.worker_id == worker_id:
                return process
        raise WorkerNotFoundError(worker_id)

    def _adopt(self, entry: ModelEntry) -> ModelProcess:
        process = self._processes.get(entry.id)
        if process is None:
            process = ModelProcess(entry, self._settings, self._launch, self)
            process.pinned = self._is_to_be_pinned(entry)
            self._processes[entry.id] = process
            self._notify(ModelChanged(model=process.status()))
        elif not process.in_use and process.entry != entry:
            process.entry = entry
            self._notify(ModelChanged(model=process.status()))
        return process

    def _is_to_be_pinned(self, entry: ModelEntry) -> bool:
        """Whether the configuration pins a model, which may have come just now."""
        names = {entry.id, *map(model_id, entry.aliases)}
        return not names.isdisjoint(map(model_id, self._settings.pinned))
