"""One model and the worker process that holds it: a state machine.

::

    unloaded ──► loading ──► ready ──► unloading ──► unloaded
       ▲            │          │
       └── failed ◄─┴──────────┘        (refused, stalled, died; a request tries again)

Only this file changes a model's state. Others may read it for advice; what depends on
it asks here: :meth:`ModelProcess.open`, :meth:`ModelProcess.unload`.
"""

import asyncio
import itertools
import signal
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Literal

from llm_ext.catalog.entry import ModelEntry
from llm_ext.core.events import Event, Failed, Finished, Loading, Ready
from llm_ext.core.model_status import (
    EngineCounts,
    LoadProgress,
    ModelStatus,
    Problem,
    SlotCounts,
    load_progress,
)
from llm_ext.core.requests import Request
from llm_ext.core.settings import Settings
from llm_ext.errors import (
    LLMError,
    ModelBusyError,
    ModelLoadError,
    ModelUnloadedError,
    ModelUnreadableError,
    WorkerDiedError,
    rebuild,
)
from llm_ext.ipc.codec import decode_report, encode
from llm_ext.ipc.messages import (
    Cancel,
    Command,
    EngineStatus,
    Generate,
    Load,
    Loaded,
    LoadFailed,
    Progress,
    Published,
)

from .launcher import Launcher, Worker
from .stream import EventStream

State = Literal["unloaded", "loading", "ready", "unloading", "failed"]

GRACE = 3.0
"""Seconds a worker has to end by itself before it is killed."""


class ModelProcess:
    """Owns a model's worker and the streams that wait for it or are served by it."""

    def __init__(self, entry: ModelEntry, settings: Settings, launch: Launcher) -> None:
        self.entry = entry
        self.state: State = "unloaded"
        self._settings = settings
        self._launch = launch
        self._ids = itertools.count(1)
        self._waiting: dict[int, EventStream] = {}
        self._active: dict[int, EventStream] = {}
        self._worker: Worker | None = None
        self._progress: LoadProgress | None = None
        self._error: LLMError | None = None
        self._loaded: Loaded | None = None
        self._loaded_at: datetime | None = None
        self._engine = EngineStatus()
        self._timer: asyncio.TimerHandle | None = None
        self._gone: list[asyncio.Future[None]] = []

    @property
    def requests(self) -> int:
        """Requests that run or wait."""
        waiting = sum(stream.request is not None for stream in self._waiting.values())
        return len(self._active) + waiting

    @property
    def queued(self) -> int:
        """Requests beyond those that run at once."""
        return max(0, self.requests - self._settings.load.slots)

    @property
    def log(self) -> list[str]:
        """The last lines of the worker's log."""
        return [] if self._worker is None else self._worker.log

    def open(self, request: Request | None) -> EventStream:
        """Return the stream that answers ``request``, or watches the load for None.

        The model is loaded if it is not:

        ========= ============================================
        unloaded  starts a worker
        failed    starts a worker
        loading   waits for it
        ready     sends the request
        unloading waits for the end, then starts a new worker
        ========= ============================================
        """
        number = next(self._ids)
        stream = EventStream(
            self.entry.id,
            request,
            cold=self.state != "ready",
            on_close=lambda: self._abandon(number),
        )
        if self.state == "ready":
            self._serve(number, stream)
            return stream
        self._waiting[number] = stream
        if self.state in {"unloaded", "failed"}:
            self._start()
        elif self._progress is not None:
            stream.push(_loading(self._progress))
        return stream

    async def unload(self, *, force: bool) -> None:
        """End the worker and return when it has gone; no error if there is none.

        Raises:
            ModelBusyError: Requests run or wait, and ``force`` is not set.
        """
        if self._worker is None:
            self._forget()
            return
        if self.requests and not force:
            raise ModelBusyError(self.entry.id, requests=self.requests)
        if self.state != "unloading":
            self._stop()
        gone = asyncio.get_running_loop().create_future()
        self._gone.append(gone)
        await gone

    def status(self) -> ModelStatus:
        """Return what can be said of the model now."""
        entry, loaded = self.entry, self._loaded
        busy = self.state == "ready" and self._active
        return ModelStatus(
            id=entry.id,
            name=entry.name,
            path=str(entry.path),
            size=entry.size,
            modified=entry.modified,
            state="busy" if busy else self.state,
            progress=self._progress,
            error=self._problem(),
            description=None if loaded is None else loaded.description,
            context_length=None if loaded is None else loaded.context_length,
            memory_kind=None if loaded is None else loaded.memory_kind,
            slots=None if loaded is None else _slots(self._engine),
            engine=None if loaded is None else _counts(self._engine),
            requests=self.requests,
            pid=None if self._worker is None else self._worker.pid,
            loaded_at=self._loaded_at,
        )

    def _problem(self) -> Problem | None:
        if self._error is not None:
            return Problem(code=self._error.code, message=str(self._error))
        if self.entry.problem is not None:
            return Problem(code=ModelUnreadableError.code, message=self.entry.problem)
        return None

    # What others ask for.

    def _start(self) -> None:
        self._forget()
        if self.entry.problem is not None:
            self._fail(ModelUnreadableError(self.entry.problem))
            return
        self.state = "loading"
        self._worker = self._launch(on_frame=self._on_frame, on_exit=self._on_exit)
        self._on_progress(Progress(stage="starting", fraction=0))
        self._send(Load(path=str(self.entry.path), options=self._settings.load))

    def _serve(self, number: int, stream: EventStream) -> None:
        if stream.request is None:
            stream.push(Ready())
            stream.end()
            return
        self._active[number] = stream
        self._send(Generate(request_id=number, request=stream.request))

    def _abandon(self, number: int) -> None:
        self._waiting.pop(number, None)
        if number in self._active and self.state == "ready":
            self._send(Cancel(request_id=number))

    def _stop(self) -> None:
        self.state = "unloading"
        self._progress = None
        self._loaded = None
        self._tell_all(Failed.of(ModelUnloadedError(self.entry.id)))
        worker = self._living_worker()
        worker.close()
        self._set_timer(GRACE, worker.kill)

    # What the worker reports.

    def _on_frame(self, frame: bytes) -> None:
        match decode_report(frame):
            case Progress() as report:
                self._on_progress(report)
            case Loaded() as report:
                self._on_loaded(report)
            case LoadFailed() as report:
                self._error = rebuild(report.code, report.message)
            case Published() as report:
                self._on_published(report)

    def _on_progress(self, report: Progress) -> None:
        if self.state != "loading":
            return
        self._progress = load_progress(report.stage, report.fraction)
        for stream in self._waiting.values():
            stream.push(_loading(self._progress))
        self._set_timer(self._settings.load_stall_timeout, self._on_stall)

    def _on_loaded(self, report: Loaded) -> None:
        if self.state != "loading":
            return
        self._set_timer(None)
        self.state = "ready"
        self._progress = None
        self._loaded = report
        self._engine = report.status
        self._loaded_at = datetime.now(timezone.utc)
        waiting, self._waiting = self._waiting, {}
        for number, stream in waiting.items():
            if stream.request is not None:
                stream.push(Ready())
            self._serve(number, stream)

    def _on_published(self, report: Published) -> None:
        self._engine = report.status
        for number, event in report.events:
            stream = self._active.get(number)
            if stream is not None:
                stream.push(event)
            if isinstance(event, (Finished, Failed)):
                self._active.pop(number, None)

    def _on_stall(self) -> None:
        seconds = self._settings.load_stall_timeout
        self._error = ModelLoadError(
            f"Loading {self.entry.id!r} made no progress for {seconds:g} seconds, so "
            f"it was given up. The disk may be slow or the memory full; "
            f"c.LLMExt.load_stall_timeout sets the limit."
        )
        self._living_worker().kill()

    def _on_exit(self, status: int) -> None:
        self._set_timer(None)
        unloaded = self.state == "unloading"
        error = self._error or self._death(status)
        self._worker = None
        if unloaded:
            self._forget()
            if self._waiting:
                self._start()
        else:
            self._fail(error)
        gone, self._gone = self._gone, []
        for future in gone:
            if not future.done():
                future.set_result(None)

    # Small parts.

    def _fail(self, error: LLMError) -> None:
        self._forget()
        self.state = "failed"
        self._error = error
        self._tell_all(Failed.of(error))

    def _forget(self) -> None:
        self.state = "unloaded"
        self._error = None
        self._progress = None
        self._loaded = None
        self._loaded_at = None
        self._engine = EngineStatus()

    def _tell_all(self, event: Event) -> None:
        streams = [*self._waiting.values(), *self._active.values()]
        self._waiting, self._active = {}, {}
        for stream in streams:
            stream.push(event)

    def _death(self, status: int) -> WorkerDiedError:
        doing = "while it loaded" if self.state == "loading" else "unexpectedly"
        lines = [line for line in self.log if line.strip()][-1:]
        last = f" Its last words: {lines[0].strip()}" if lines and status > 0 else ""
        return WorkerDiedError(
            f"The worker process of model {self.entry.id!r} ended {doing}: "
            f"{_cause(status)}.{last} The next request loads the model again."
        )

    def _living_worker(self) -> Worker:
        if self._worker is None:
            raise RuntimeError(f"model {self.entry.id!r} has no worker")
        return self._worker

    def _send(self, command: Command) -> None:
        self._living_worker().send(encode(command))

    def _set_timer(
        self, seconds: float | None, action: Callable[[], None] | None = None
    ) -> None:
        """Replace the one timer; None only takes it away."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if seconds is not None and action is not None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(seconds, action)


def _loading(progress: LoadProgress) -> Loading:
    return Loading(stage=progress.stage, fraction=progress.fraction)


def _slots(engine: EngineStatus) -> SlotCounts:
    return SlotCounts(total=engine.slots, busy=engine.busy, waiting=engine.waiting)


def _counts(engine: EngineStatus) -> EngineCounts:
    return EngineCounts(
        steps=engine.steps,
        cancelled=engine.cancelled,
        cancel_steps=engine.cancel_steps,
    )


def _cause(status: int) -> str:
    """Say in words what a process's exit status means; negative is a signal."""
    if status >= 0:
        return f"exit status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        return f"killed by signal {-status}"
    hints = {
        "SIGKILL": "killed by SIGKILL, mostly by the system for lack of memory",
        "SIGABRT": "llama.cpp aborted (SIGABRT)",
        "SIGSEGV": "llama.cpp crashed (SIGSEGV)",
        "SIGILL": "llama.cpp was built for another processor (SIGILL)",
    }
    return hints.get(name, f"killed by {name}")
