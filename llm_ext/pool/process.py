"""One model and the worker process that holds it: a state machine.

::

    unloaded ──► waiting ──► loading ──► ready ──► unloading ──► unloaded
       ▲            │           │          │
       └── failed ◄─┴───────────┴──────────┘   (refused, stalled, died)

Only this file changes a model's state. Others may read it for advice; what depends on
it asks here: :meth:`ModelProcess.open`, :meth:`ModelProcess.unload`. Whether there is
room is the owner's to say: it answers :meth:`Owner.wants_room` with
:meth:`ModelProcess.start` or :meth:`ModelProcess.refuse`.
"""

import asyncio
import itertools
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Literal, Protocol

from llm_ext.catalog.entry import ModelEntry
from llm_ext.core.device import MemoryEstimate
from llm_ext.core.events import Failed, Finished, Loading, Ready
from llm_ext.core.load_options import LoadOptions
from llm_ext.core.model_status import (
    EngineCounts,
    LoadProgress,
    ModelStatus,
    Problem,
    SlotCounts,
    load_progress,
)
from llm_ext.core.requests import Request
from llm_ext.core.settings import ModelSettings, Settings
from llm_ext.core.worker_status import WorkerState, WorkerStatus
from llm_ext.errors import (
    InvalidRequestError,
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
from llm_ext.ipc.pack import UnsendableError

from .admission import Backlog
from .death import LAST_WORDS, cause, crashed, last_words
from .launcher import Launcher, Worker
from .restarts import Restarts
from .stream import EventStream

State = Literal["unloaded", "waiting", "loading", "ready", "unloading", "failed"]

GRACE = 3.0
"""Seconds a worker has to end by itself before it is killed."""

_FOR_EVER = 10 * 365 * 86400.0
"""Seconds from which on a keep-alive needs no timer."""

_PACE_WEIGHT = 0.2
"""How much the last request counts in the mean time that requests take."""


class Owner(Protocol):
    """Who owns the models' processes, and decides which may be in memory together."""

    def wants_room(self, process: "ModelProcess") -> None:
        """Start or refuse ``process``, now or later."""

    def changed(self, process: "ModelProcess", worker: WorkerStatus | None) -> None:
        """Take notice of a new state, and of its worker's, if it has or had one."""

    def ended(self, stream: EventStream, event: Finished | Failed) -> None:
        """Take notice of a request's end."""

    def new_worker_id(self) -> str:
        """Return an id that no worker had before."""


class ModelProcess:
    """Owns a model's worker and the streams that wait for it or are served by it.

    Attributes:
        entry: The model.
        options: How it is loaded, now or next. They differ from what is wanted only in
            what memory did not allow this time.
        pinned: Whether it stays loaded, whoever needs room, and is loaded again when
            its worker dies.
        ephemeral: Whether it is one caller's own.
        need: The memory set aside for it; None while it has none.
        last_used: When a request last came or ended, by the loop's clock.
        draining: Whether new requests wait until it has made room for others.
    """

    def __init__(
        self,
        entry: ModelEntry,
        settings: Settings,
        launch: Launcher,
        owner: Owner,
        *,
        ephemeral: bool = False,
        wanted: LoadOptions | None = None,
    ) -> None:
        """Make one that is unloaded; ``wanted`` None takes what is configured."""
        self.entry = entry
        self._state: State = "unloaded"
        self.pinned = False
        self.ephemeral = ephemeral
        self.need: MemoryEstimate | None = None
        self.last_used = 0.0
        self.draining = False
        self._settings = settings
        self._own = settings.models.get(entry.id, ModelSettings())
        self._wanted = self.options = wanted or self.configured_options
        self._launch = launch
        self._owner = owner
        self._ids = itertools.count(1)
        self._waiting: dict[int, EventStream] = {}
        self._active: dict[int, EventStream] = {}
        self._load_asked = False
        self._keep_alive: float | None = None
        self._restarts = Restarts()
        self._repack = True
        self._swap = 0
        self._pace = 0.0
        self._worker: Worker | None = None
        self._leaving = False
        self._worker_id: str | None = None
        self._since = datetime.now(timezone.utc)
        self._progress: LoadProgress | None = None
        self._error: LLMError | None = None
        self._loaded: Loaded | None = None
        self._loaded_at: datetime | None = None
        self._expires_at: datetime | None = None
        self._engine = EngineStatus()
        self._timer: asyncio.TimerHandle | None = None
        self._idle_timer: asyncio.TimerHandle | None = None
        self._gone: list[asyncio.Future[None]] = []

    @property
    def state(self) -> State:
        """Where it is on the picture above."""
        return self._state

    @state.setter
    def state(self, state: State) -> None:
        if state != self._state:
            self._since = datetime.now(timezone.utc)
        self._state = state

    @property
    def requests(self) -> int:
        """Requests that run or wait."""
        waiting = sum(stream.request is not None for stream in self._waiting.values())
        return len(self._active) + waiting

    @property
    def busy(self) -> bool:
        """Whether the worker has requests to answer."""
        return self.state == "ready" and bool(self._active)

    @property
    def idle(self) -> bool:
        """Whether it is loaded for nobody."""
        return self.state == "ready" and not self._active

    @property
    def serves(self) -> bool:
        """Whether a request would be sent to the worker at once."""
        return self.state == "ready" and not (self.draining or self._leaving)

    @property
    def available(self) -> bool:
        """Whether a request would be answered without a load of its own."""
        return self.serves or self.state in {"waiting", "loading"}

    @property
    def has_worker(self) -> bool:
        """Whether there is a process, in whatever state."""
        return self._worker is not None

    @property
    def in_use(self) -> bool:
        """Whether it is loaded, or somebody wants it so."""
        return self.state not in {"unloaded", "failed"}

    @property
    def worker_id(self) -> str | None:
        """The id of its worker, or of the one to come; None if there is none."""
        return self._worker_id

    @property
    def error(self) -> LLMError | None:
        """Why it failed; None unless it did."""
        return self._error

    @property
    def seat(self) -> str:
        """What its memory is kept under: the worker's id, while there is one."""
        return self._worker_id or ""

    @property
    def pid(self) -> int | None:
        """The process id of its worker; None if there is none."""
        return None if self._worker is None else self._worker.pid

    @property
    def log(self) -> list[str]:
        """The last lines of the worker's log."""
        return [] if self._worker is None else self._worker.log

    def backlog(self, user: str) -> Backlog:
        """Return what waits, as a request of ``user`` finds it."""
        streams = [*self._waiting.values(), *self._active.values()]
        slots = self.options.slots
        waiting = max(0, self.requests - slots)
        own = sum(s.user == user for s in streams if s.request is not None)
        return Backlog(
            waiting=waiting,
            of_user=max(0, own - slots),
            tokens=self._engine.backlog,
            seconds=(waiting / slots + 1) * self._pace if self._pace else None,
        )

    def open(
        self,
        request: Request | None,
        *,
        user: str = "",
        keep_alive: float | None = None,
    ) -> EventStream:
        """Return the stream that answers ``request``, or watches the load for None.

        The model is loaded if it is not:

        ========= ============================================
        unloaded  asks for room, and starts a worker
        failed    likewise, unless its workers died too often
        waiting   waits with it
        loading   waits for it
        ready     sends the request
        unloading waits for the end, then begins again
        ========= ============================================

        ``keep_alive`` is how many seconds it stays loaded after this, negative for
        ever; None takes what is configured.
        """
        number = next(self._ids)
        serves = self.serves
        stream = EventStream(
            self.entry.id,
            request,
            cold=not serves,
            on_close=lambda: self._abandon(number),
            user=user,
        )
        self._keep_alive = keep_alive
        self._touch()
        if request is None:
            self._load_asked = not serves
            self._restarts.forget()
        if serves:
            self._serve(number, stream)
            return stream
        self._waiting[number] = stream
        if self.state in {"unloaded", "failed"}:
            self._ask_for_room()
        elif self._progress is not None:
            stream.push(_loading(self._progress))
        return stream

    def start(self, need: MemoryEstimate, *, swap: int = 0) -> None:
        """Start a worker for which ``need`` has been set aside.

        And ``swap`` bytes of main memory beside it, for what leaves its KV cache.
        """
        self.need, self._swap = need.with_cache(swap), swap
        self._start_worker()

    def _start_worker(self) -> None:
        self.state = "loading"
        try:
            self._worker = self._launch(on_frame=self._on_frame, on_exit=self._on_exit)
        except OSError as error:
            self._fail(
                ModelLoadError(
                    f"No worker process could be started for {self.entry.id!r}: "
                    f"{error}. The system has no more processes, open files or memory "
                    f"to give; try again when others have ended."
                )
            )
            return
        self._on_progress(Progress(stage="starting", fraction=0))
        self._send(
            Load(
                path=str(self.entry.path),
                options=self.options,
                repack=self._repack,
                stream_interval=self._settings.stream_interval,
                swap=self._swap,
            )
        )

    def refuse(self, error: LLMError) -> None:
        """Tell all who wait that there is no room, or why else it cannot start."""
        self._fail(error)

    def drain(self, *, draining: bool) -> None:
        """Let new requests wait, so that the model becomes idle; or no longer."""
        ready = self.state == "ready" and not self._leaving
        if self.draining and not draining and ready:
            self.draining = False
            self._serve_waiting()
        self.draining = draining

    def evict(self) -> None:
        """End an idle worker to make room; whoever waits stays, and wants it back."""
        if self.idle:
            self._stop()

    async def unload(self, *, force: bool, wanted: LoadOptions | None = None) -> None:
        """End the worker and return when it has gone; no error if there is none.

        With ``wanted`` it is loaded the next time, also for who comes meanwhile.

        Raises:
            ModelBusyError: Requests run or wait, and ``force`` is not set.
        """
        if self.requests and not force:
            raise ModelBusyError(self.entry.id, requests=self.requests)
        self._wanted = wanted or self._wanted
        self._tell_all(Failed.of(ModelUnloadedError(self.entry.id)))
        self._load_asked = False
        if self._worker is None:
            last = self._worker_in("ended") if self._worker_id else None
            self._forget()
            self._owner.changed(self, last)
            return
        if self.state != "unloading":
            self._stop()
        await self.left()

    async def left(self) -> None:
        """Return when a worker that is ending has gone; at once where none is."""
        if self.state == "unloading":
            gone = asyncio.get_running_loop().create_future()
            self._gone.append(gone)
            await gone

    def pin(self, *, pinned: bool) -> None:
        """Let it stay loaded, whoever needs room; or no longer."""
        self.pinned = pinned
        if self.idle:
            self._arm_idle_timer()
        self._changed()

    def is_wanted(self, options: LoadOptions) -> bool:
        """Whether it is loaded with these options already, or will be."""
        return options == self._wanted

    def status(self) -> ModelStatus:
        """Return what can be said of the model now."""
        entry, loaded, facts = self.entry, self._loaded, self.entry.facts
        state = "loading" if self.state == "waiting" else self.state
        return ModelStatus(
            id=entry.id,
            name=entry.name,
            path=str(entry.path),
            size=entry.size,
            modified=entry.modified,
            state="busy" if self.busy else state,
            progress=self._progress,
            error=self._problem(),
            source=entry.source,
            aliases=entry.aliases,
            architecture=None if facts is None else facts.architecture,
            parameters=None if facts is None else facts.parameters,
            quantization=None if facts is None else facts.quantization,
            trained_context=None if facts is None else facts.trained_context,
            capabilities=() if facts is None else facts.capabilities,
            pinned=self.pinned,
            options=None if loaded is None else self.options,
            memory=self.need,
            worker=self._worker_id,
            expires_at=self._expires_at,
            description=None if loaded is None else loaded.description,
            context_length=None if loaded is None else loaded.context_length,
            memory_kind=None if loaded is None else loaded.memory_kind,
            slots=None if loaded is None else _slots(self._engine),
            engine=None if loaded is None else _counts(self._engine),
            requests=self.requests,
            pid=self.pid,
            loaded_at=self._loaded_at,
        )

    def worker_status(self) -> WorkerStatus | None:
        """Return what can be said of the worker now; None if there is none."""
        states: dict[State, WorkerState] = {
            "waiting": "loading",
            "loading": "loading",
            "ready": "busy" if self._active else "ready",
            "unloading": "unloading",
        }
        state = states.get(self.state)
        if state is None:
            return None
        return self._worker_in(state, pid=self.pid)

    # What others ask for.

    def _ask_for_room(self) -> None:
        given_up = self._error if self._restarts.given_up else None
        self._forget()
        if self.entry.problem is not None:
            self._fail(ModelUnreadableError(self.entry.problem))
            return
        if given_up is not None:
            self._fail(given_up)
            return
        self.state = "waiting"
        self._worker_id = self._owner.new_worker_id()
        self._progress = load_progress("waiting", 0)
        self._changed()
        delay = self._restarts.delay(asyncio.get_running_loop().time())
        if delay:
            self._set_timer(delay, lambda: self._owner.wants_room(self))
        else:
            self._owner.wants_room(self)
        if self.state == "waiting":
            self._tell_progress()

    def _serve(self, number: int, stream: EventStream) -> None:
        if stream.request is None:
            stream.push(Ready())
            stream.end()
            self._arm_idle_timer()
            return
        command = Generate(request_id=number, request=stream.request, user=stream.user)
        try:
            frame = encode(command)
        except UnsendableError as error:
            self._reject(stream, error)
            return
        self._active[number] = stream
        self._disarm_idle_timer()
        self._living_worker().send(frame)
        if len(self._active) == 1:
            self._changed()

    def _reject(self, stream: EventStream, problem: UnsendableError) -> None:
        """End a request that cannot be put into words for the worker."""
        event = Failed.of(
            InvalidRequestError(f"The request cannot be sent to the model: {problem}.")
        )
        stream.push(event)
        self._owner.ended(stream, event)

    def _serve_waiting(self) -> None:
        self._load_asked = False
        waiting, self._waiting = self._waiting, {}
        for number, stream in waiting.items():
            if stream.request is not None:
                stream.push(Ready())
            self._serve(number, stream)
        if not self._active:
            self._arm_idle_timer()

    def _abandon(self, number: int) -> None:
        self._waiting.pop(number, None)
        if number in self._active and self.state == "ready":
            self._send(Cancel(request_id=number))
        if self.state == "waiting" and not self._waiting and not self._load_asked:
            last = self._worker_in("ended")
            self._forget()
            self._owner.changed(self, last)

    def _stop(self) -> None:
        self.state = "unloading"
        self._progress = None
        self._loaded = None
        self._disarm_idle_timer()
        worker = self._living_worker()
        worker.close()
        self._set_timer(GRACE, worker.kill)
        self._changed()

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
        self._tell_progress()
        self._set_timer(self._settings.load_stall_timeout, self._on_stall)
        self._changed()

    def _on_loaded(self, report: Loaded) -> None:
        if self.state != "loading":
            return
        self._set_timer(None)
        self.state = "ready"
        self._progress = None
        self._loaded = report
        self._engine = report.status
        self._loaded_at = datetime.now(timezone.utc)
        if report.memory is not None:
            self.need = report.memory.with_cache(self._swap)
        self._touch()
        self._serve_waiting()
        self._changed()

    def _on_published(self, report: Published) -> None:
        self._engine = report.status
        for number, event in report.events:
            stream = self._active.get(number)
            if stream is not None:
                stream.push(event)
            if isinstance(event, (Finished, Failed)):
                self._active.pop(number, None)
                self._on_answered(stream, event)
            if isinstance(event, Failed) and event.code in LAST_WORDS:
                self._leaving = True  # who comes now waits for the next worker

    def _on_answered(
        self, stream: EventStream | None, event: Finished | Failed
    ) -> None:
        self._touch()
        if isinstance(event, Finished):
            self._restarts.forget()
        if stream is not None:
            self._note_pace(stream)
            self._owner.ended(stream, event)
        if not self._active and self.state == "ready":
            self._arm_idle_timer()
            self._changed()

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
        if self._crashed_at_first(status):
            self._repack = False
            self._start_worker()
            return
        unloaded = self.state == "unloading"
        died = not unloaded and self._error is None
        if died:
            self._restarts.died(asyncio.get_running_loop().time())
        error = self._error or self._death(status)
        self._worker = None
        if unloaded:
            last = self._worker_in("ended")
            self._forget()
            self._owner.changed(self, last)
        else:
            again = died and self.pinned and not self._restarts.given_up
            later: dict[int, EventStream] = {}
            if self.state == "ready":  # who waits was never sent to this worker
                again = again or self._load_asked
                later, self._waiting = self._waiting, {}
            self._fail(error)
            self._waiting, self._load_asked = later, again
        if self._waiting or self._load_asked:
            self._ask_for_room()
        gone, self._gone = self._gone, []
        for future in gone:
            if not future.done():
                future.set_result(None)

    def _crashed_at_first(self, status: int) -> bool:
        """Whether it crashed while it loaded, with weights rearranged for a processor.

        llama.cpp has code for some kinds that crashes, as some compilers make it. What
        is in its place is slower.
        """
        return self.state == "loading" and self._repack and crashed(status)

    # Small parts.

    @property
    def configured_options(self) -> LoadOptions:
        """How it is loaded where nobody says otherwise."""
        return self._own.load or self._settings.load

    def _fail(self, error: LLMError) -> None:
        """Tell everybody, then forget the worker but not why."""
        last = None
        if self._worker_id is not None:
            last = self._worker_in("failed", error=error)
        self._forget()
        self.state = "failed"
        self._error = error
        self._load_asked = False
        self._tell_all(Failed.of(error))
        self._owner.changed(self, last)

    def _forget(self) -> None:
        self.options = self._wanted
        self._set_timer(None)
        self._disarm_idle_timer()
        self.state = "unloaded"
        self.draining = False
        self._leaving = False
        self.need = None
        self._worker_id = None
        self._error = None
        self._progress = None
        self._loaded = None
        self._loaded_at = None
        self._engine = EngineStatus()

    def _changed(self) -> None:
        self._owner.changed(self, self.worker_status())

    def _worker_in(
        self,
        state: WorkerState,
        *,
        pid: int | None = None,
        error: LLMError | None = None,
    ) -> WorkerStatus:
        need = self.need
        return WorkerStatus(
            id=self._worker_id or "",
            model=self.entry.id,
            state=state,
            pid=pid,
            devices=() if need is None else tuple(need.devices),
            memory=need,
            ephemeral=self.ephemeral,
            since=self._since,
            error=None
            if error is None
            else Problem(code=error.code, message=str(error)),
        )

    def _problem(self) -> Problem | None:
        if self._error is not None:
            return Problem(code=self._error.code, message=str(self._error))
        if self.entry.problem is not None:
            return Problem(code=ModelUnreadableError.code, message=self.entry.problem)
        return None

    def _tell_progress(self) -> None:
        if self._progress is not None:
            for stream in self._waiting.values():
                stream.push(_loading(self._progress))

    def _tell_all(self, event: Failed) -> None:
        streams = [*self._waiting.values(), *self._active.values()]
        self._waiting, self._active = {}, {}
        for stream in streams:
            stream.push(event)
            if stream.request is not None:
                self._owner.ended(stream, event)

    def _death(self, status: int) -> WorkerDiedError:
        doing = "while it loaded" if self.state == "loading" else "unexpectedly"
        words = last_words(self.log) if status > 0 else ""
        last = f" Its last words: {words}" if words else ""
        if self._restarts.given_up:
            then = (
                f"That was the death number {self._restarts.deaths} in a row, so that "
                f"it is left alone until it is loaded by name."
            )
        else:
            then = "The next request loads the model again."
        return WorkerDiedError(
            f"The worker process of model {self.entry.id!r} ended {doing}: "
            f"{cause(status)}.{last} {then}"
        )

    def _living_worker(self) -> Worker:
        if self._worker is None:
            raise RuntimeError(f"model {self.entry.id!r} has no worker")
        return self._worker

    def _send(self, command: Command) -> None:
        self._living_worker().send(encode(command))

    def _touch(self) -> None:
        self.last_used = asyncio.get_running_loop().time()

    def _note_pace(self, stream: EventStream) -> None:
        timing = stream.timing
        if timing.accepted is not None and timing.ended is not None:
            took = timing.ended - (timing.started or timing.accepted)
            weight = _PACE_WEIGHT if self._pace else 1.0
            self._pace += weight * (took - self._pace)

    def _arm_idle_timer(self) -> None:
        """Unload it after its keep-alive, unless a request comes first."""
        self._disarm_idle_timer()
        seconds = self._keep_alive
        if seconds is None:
            seconds = self._own.keep_alive
        if seconds is None:
            seconds = self._settings.keep_alive
        if (
            self._active
            or self.pinned
            or self.ephemeral
            or not 0 <= seconds < _FOR_EVER
        ):
            return
        self._expires_at = datetime.now(timezone.utc) + timedelta(seconds=seconds)
        loop = asyncio.get_running_loop()
        self._idle_timer = loop.call_later(seconds, self.evict)

    def _disarm_idle_timer(self) -> None:
        self._expires_at = None
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None

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
        slot_steps=engine.slot_steps,
        cells=engine.cells,
        held_cells=engine.held_cells,
        swapped=engine.swapped,
    )
