"""Who gets memory when: carries out what :mod:`~llm_ext.pool.placement` decides."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import msgspec

from llm_ext.catalog.entry import ModelEntry
from llm_ext.core.device import CPU, Device, MemoryEstimate
from llm_ext.core.load_options import GpuLayers, LoadOptions
from llm_ext.core.memory_formula import headroom, usable_gpus
from llm_ext.core.preflight import Check, Preflight
from llm_ext.core.server_status import DeviceUse
from llm_ext.core.settings import Settings
from llm_ext.errors import InsufficientMemoryError, LLMError

from .memory import main_memory, own
from .needs import Needs
from .placement import (
    Decision,
    Drain,
    Evict,
    Refuse,
    Resident,
    Room,
    Start,
    Wait,
    most,
    place,
)
from .process import ModelProcess

MARGIN = 1.15
"""How much more than guessed must be free for the guess to be trusted."""


_LARGE = 10**8
"""Bytes from which on people are told gigabytes."""


class _Wish(msgspec.Struct):
    """A model that wants in: for which worker to come, and what that needs."""

    process: ModelProcess
    seat: str
    need: MemoryEstimate

    @property
    def stands(self) -> bool:
        """Whether that worker is still to come: it may be given up, or another be."""
        return self.process.seat == self.seat


class Seating:
    """Lets models in, in the order in which they asked.

    Others make room only for the first that has to wait. A later one passes it where
    there is room for both.
    """

    def __init__(
        self,
        settings: Settings,
        needs: Needs,
        residents: Callable[[], list[ModelProcess]],
    ) -> None:
        self._settings = settings
        self._needs = needs
        self._residents = residents
        self._wishes: list[_Wish] = []
        self._devices: list[Device] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._settling = False
        self._freed = False

    def want(self, process: ModelProcess) -> None:
        """Start ``process`` when there is room, or refuse it."""
        self._begin(self._want(process))

    def settle_soon(self, *, freed: bool) -> None:
        """Look again who can be let in: something has changed.

        ``freed`` is whether a worker has gone, and its memory with it.
        """
        self._freed = self._freed or freed
        if self._wishes and not self._settling:
            self._settling = True
            self._begin(self._settle_anew())

    async def devices(self) -> list[DeviceUse]:
        """Return the devices, and what models take of them."""
        self._devices = await self._needs.devices()
        capacity = self._room([]).capacity
        seated = [p.need for p in self._residents() if p.need is not None]
        return [
            DeviceUse(
                device=device,
                limit=capacity[device.name],
                set_aside=sum(need.on(device.name) for need in seated),
            )
            for device in self._devices
        ]

    async def preflight(self, process: ModelProcess, options: LoadOptions) -> Preflight:
        """Return whether ``process`` would be let in now."""
        entry = process.entry
        checks: list[Check] = []

        def report(
            *, need: MemoryEstimate | None = None, evicts: tuple[str, ...] = ()
        ) -> Preflight:
            return Preflight(
                model=entry.id,
                ok=all(check.ok for check in checks),
                checks=tuple(checks),
                memory=need,
                evicts=evicts,
            )

        file = entry.problem or f"{entry.path.name} is a GGUF file."
        checks.append(Check(name="file", ok=entry.problem is None, message=file))
        if entry.problem is not None:
            return report()
        runtime = await self._needs.runtime()
        version = (
            runtime.problem or f"llama-cpp-python {runtime.llama_cpp} can be used."
        )
        checks.append(
            Check(name="version", ok=runtime.problem is None, message=version)
        )
        if runtime.problem is not None:
            return report()
        try:
            guess = await self._guessed(entry, options, self._others(process))
            placed, need = await self._measured(entry, options, guess)
            if options.fit:
                _, need = await self._fitted(process, placed, need)
        except LLMError as error:
            checks.append(Check(name="support", ok=False, message=str(error)))
            return report()
        supported = f"llama.cpp knows {_architecture(process)}."
        checks.append(Check(name="support", ok=True, message=supported))
        decision = self._decide(need, self._others(process))
        ok = not isinstance(decision, Refuse)
        checks.append(Check(name="memory", ok=ok, message=_words(decision, need)))
        evicts = decision.ids if isinstance(decision, (Evict, Drain)) else ()
        names = {p.seat: p.entry.id for p in self._residents()}
        return report(need=need, evicts=tuple(names[seat] for seat in evicts))

    async def _want(self, process: ModelProcess) -> None:
        """Find out what it needs, and line up.

        A guess is enough where there is plenty of room; where it is tight, llama.cpp
        itself is asked.
        """
        entry, options, seat = process.entry, process.options, process.seat
        try:
            need = await self._guessed(entry, options, self._seated())
            placed = self._placed(entry, options, need)
            if not isinstance(self._decide(_more(need), self._seated()), Start):
                placed, need = await self._measured(entry, options, need)
                if options.fit:
                    placed, need = await self._fitted(process, placed, need)
        except LLMError as error:
            if process.seat == seat:
                process.refuse(error)
            return
        if process.seat == seat:
            process.options = placed
            self._wishes.append(_Wish(process, seat, need))
            self._settle()

    async def _guessed(
        self, entry: ModelEntry, options: LoadOptions, seated: list[Resident]
    ) -> MemoryEstimate:
        """Return what a model needs by formula.

        Where as many layers go to GPUs as fit, those count that fit once idle models
        have gone: a few layers beside a model that nobody uses would be slow in vain.
        """
        self._devices = await self._needs.devices()
        room = self._room(seated)
        idle = [r for r in seated if r.state == "idle" and not r.pinned]
        others = [r for r in seated if r not in idle]

        def free(device: Device) -> int:
            name = device.name
            left = room.capacity[name] - sum(r.need.on(name) for r in others)
            back = room.available[name] + sum(r.need.on(name) for r in idle)
            return max(0, min(left + headroom(device), back))

        offered = [
            device
            if device.kind == "cpu"
            else msgspec.structs.replace(device, free=free(device))
            for device in self._devices
        ]
        return await self._needs.guess(entry, options, offered)

    def _placed(
        self, entry: ModelEntry, options: LoadOptions, need: MemoryEstimate
    ) -> LoadOptions:
        """Return the options with the layers that ``need`` is for, if left open."""
        open_here = options.gpu_layers == "auto" and usable_gpus(options, self._devices)
        if not open_here or entry.facts is None:
            return options
        everything = need.gpu_layers > len(entry.facts.layers)
        layers: GpuLayers = "all" if everything else need.gpu_layers
        return msgspec.structs.replace(options, gpu_layers=layers)

    async def _measured(
        self, entry: ModelEntry, options: LoadOptions, guess: MemoryEstimate
    ) -> tuple[LoadOptions, MemoryEstimate]:
        """Return what llama.cpp says, and the options that this is for.

        Where it is left open how many layers go to GPUs, those that were guessed, or
        fewer, should they prove too many.
        """
        placed = self._placed(entry, options, guess)
        need = await self._needs.measure(entry, placed)
        while placed is not options and self._is_too_much_for_gpus(need):
            fewer = need.gpu_layers - max(1, need.gpu_layers // 8)
            placed = msgspec.structs.replace(placed, gpu_layers=max(0, fewer))
            need = await self._needs.measure(entry, placed)
        return placed, need

    def _is_too_much_for_gpus(self, need: MemoryEstimate) -> bool:
        decision = self._decide(need, self._seated())
        refused = isinstance(decision, Refuse) and decision.device not in {"", CPU}
        return refused and need.gpu_layers > 0

    async def _fitted(
        self, process: ModelProcess, options: LoadOptions, need: MemoryEstimate
    ) -> tuple[LoadOptions, MemoryEstimate]:
        """Shorten the context to what can be had, if the asked one cannot."""
        others = self._others(process)
        if not isinstance(self._decide(need, others), Refuse):
            return options, need
        free = most(need, others, self._room(others))
        shorter = await self._needs.shrink(process.entry, options, free)
        if shorter is None:
            return options, need
        return shorter, await self._needs.measure(process.entry, shorter)

    async def _settle_anew(self) -> None:
        """Settle, with what GPUs have free once a worker has gone."""
        try:
            while self._freed:
                self._freed = False
                if all(device.kind == "cpu" for device in self._devices):
                    break  # main memory is looked at each time
                with contextlib.suppress(LLMError):
                    self._devices = await self._needs.devices()
        finally:
            self._settling = False
        self._settle()

    def _settle(self) -> None:
        self._wishes = [wish for wish in self._wishes if wish.stands]
        first: _Wish | None = None
        making_room: set[str] = set()
        for wish in tuple(self._wishes):
            seated = self._seated()
            decision = self._decide(wish.need, seated)
            left = [r for r in seated if r.id not in making_room]
            match decision:
                case Refuse():
                    self._wishes.remove(wish)
                    wish.process.refuse(_refusal(wish, decision))
                case Start() if first is None or self._fits_with(wish, first, left):
                    self._wishes.remove(wish)
                    swap = self._swap(wish.need, seated)
                    wish.process.start(wish.need, swap=swap)
                case Evict(ids) | Drain(ids) if first is None:
                    first, making_room = wish, set(ids)
                case _:
                    first = first or wish
        for process in self._residents():
            process.drain(draining=process.seat in making_room)
            if process.draining:
                process.evict()

    def _fits_with(self, wish: _Wish, first: _Wish, left: list[Resident]) -> bool:
        """Return whether ``first`` will still find its room if ``wish`` gets some."""
        promise = Resident(id="", need=first.need, state="loading")
        return isinstance(self._decide(wish.need, [*left, promise]), Start)

    def _swap(self, need: MemoryEstimate, seated: Sequence[Resident]) -> int:
        """Return what a model may take beside its need: half of what is left over."""
        settings, room = self._settings, self._room(seated)
        taken = sum(resident.need.on(CPU) for resident in seated)
        left = min(room.capacity[CPU] - taken, room.available[CPU]) - need.on(CPU)
        if settings.worker_memory:
            left = min(left, settings.worker_memory - need.total)
        cache = sum(use.cache for use in need.devices.values())
        return max(0, min(settings.prefix_memory, cache, left // 2))

    def _decide(self, need: MemoryEstimate, seated: list[Resident]) -> Decision:
        return place(need, seated, self._room(seated))

    def _room(self, seated: Sequence[Resident]) -> Room:
        """Return what may be taken."""
        settings = self._settings
        memory = main_memory()
        total = {d.name: d.total for d in self._devices} | {CPU: memory.total}
        free = {d.name: d.free for d in self._devices} | {CPU: memory.available}
        return Room(
            capacity={d: int(total[d] * settings.memory_fraction) for d in total},
            available={d: free[d] - sum(r.unseen(d) for r in seated) for d in free},
            max_models=settings.max_loaded_models,
            max_need=settings.worker_memory,
        )

    def _seated(self) -> list[Resident]:
        return [_resident(process) for process in self._residents()]

    def _others(self, process: ModelProcess) -> list[Resident]:
        return [_resident(p) for p in self._residents() if p is not process]

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _resident(process: ModelProcess) -> Resident:
    states = {"loading": "loading", "unloading": "leaving", "ready": "idle"}
    state = "busy" if process.busy else states.get(process.state, "leaving")
    return Resident(
        id=process.seat,
        need=process.need or MemoryEstimate(devices={}, context_length=0),
        state=state,
        pinned=process.pinned or process.ephemeral,
        last_used=process.last_used,
        own=None if process.pid is None else own(process.pid),
    )


def _more(need: MemoryEstimate) -> MemoryEstimate:
    """Return ``need`` with a margin for a guess."""
    extra = {
        device: msgspec.structs.replace(
            use, compute=use.compute + int(use.total * (MARGIN - 1))
        )
        for device, use in need.devices.items()
    }
    return msgspec.structs.replace(need, devices=extra)


def _architecture(process: ModelProcess) -> str:
    facts = process.entry.facts
    return "this kind of model" if facts is None else f"{facts.architecture} models"


def _refusal(wish: _Wish, refuse: Refuse) -> InsufficientMemoryError:
    name = wish.process.entry.id
    return InsufficientMemoryError(f"Model {name!r} does not fit: {_why(refuse)}")


def _why(refuse: Refuse) -> str:
    if not refuse.needed:
        return (
            "as many models as may be loaded are pinned. Unpin or unload one of them, "
            "or raise c.LLMExt.max_loaded_models."
        )
    where = {CPU: " of main memory", "": ""}.get(refuse.device, f" on {refuse.device}")
    limit = "worker_memory" if not refuse.device else "memory_fraction"
    return (
        f"it needs {_size(refuse.needed)}{where}, and at most "
        f"{_size(refuse.possible)} can be had, whatever is unloaded. Take a smaller "
        f"quantisation, load it with a shorter context or a smaller kv_type, or raise "
        f"c.LLMExt.{limit}."
    )


def _words(decision: Decision, need: MemoryEstimate) -> str:
    needs = ", ".join(f"{_size(use.total)} on {d}" for d, use in need.devices.items())
    match decision:
        case Start():
            return f"It needs {needs}, which is free."
        case Evict():
            return f"It needs {needs}; idle models are unloaded for it."
        case Drain() | Wait():
            return f"It needs {needs}; it waits until others are done."
        case Refuse():
            return f"It does not fit: {_why(decision)}"


def _size(count: int) -> str:
    return f"{count / 1e9:.2f} GB" if count >= _LARGE else f"{count / 1e6:.1f} MB"
