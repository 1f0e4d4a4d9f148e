"""Which models may be in memory together: pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

import msgspec

from llm_ext.core.device import CPU, MemoryEstimate


class Resident(msgspec.Struct, frozen=True, kw_only=True):
    """A model that has memory, or is promised some.

    Attributes:
        id: Of its process.
        need: What was set aside for it.
        state: ``idle`` can go at once, ``busy`` when its requests end; ``loading`` may
            not be disturbed; ``leaving`` is about to go.
        pinned: Whether it stays, whoever needs room.
        last_used: When a request last came or ended; any steady clock.
        own: Bytes of main memory that it has and that count as used; None where that
            cannot be told.
    """

    id: str
    need: MemoryEstimate
    state: str
    pinned: bool = False
    last_used: float = 0.0
    own: int | None = None

    def unseen(self, device: str) -> int:
        """Return the bytes set aside that look free.

        They are still to be taken, or a file's that is mapped.
        """
        if device == CPU and self.own is not None:
            return max(0, self.need.on(CPU) - self.own)
        return self.unsure(device)

    def unsure(self, device: str) -> int:
        """Return the bytes set aside that may be taken already and may not."""
        told = device == CPU and self.own is not None
        return self.need.on(device) if self.state == "loading" and not told else 0


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """What models may take.

    Attributes:
        capacity: Bytes on each device for all models together.
        available: Bytes on each device that nobody, models or others, uses now, less
            what models have or will have of them unseen.
        max_models: Models at once; 0 is no limit.
        max_need: Bytes that one model may take; 0 is no limit.
    """

    capacity: Mapping[str, int]
    available: Mapping[str, int]
    max_models: int = 0
    max_need: int = 0


class Start(msgspec.Struct, frozen=True):
    """There is room."""


class Evict(msgspec.Struct, frozen=True):
    """There will be, once these idle ones have gone."""

    ids: tuple[str, ...]


class Drain(msgspec.Struct, frozen=True):
    """There will be, once these have answered what they have and gone."""

    ids: tuple[str, ...]


class Wait(msgspec.Struct, frozen=True):
    """There will be, once what is in motion has settled."""


class Refuse(msgspec.Struct, frozen=True):
    """There is not, whatever is unloaded.

    ``needed`` bytes on ``device`` are more than the ``possible`` ones; ``device`` is ""
    where pinned models fill the number that is allowed.
    """

    device: str
    needed: int
    possible: int


Decision: TypeAlias = Start | Evict | Drain | Wait | Refuse


def place(need: MemoryEstimate, residents: Sequence[Resident], room: Room) -> Decision:
    """Decide how a model that needs ``need`` comes into memory.

    1. At once, if it fits beside all residents.
    2. Once those have gone that go anyway, or have loaded that load.
    3. In place of idle ones, the least recently used first, no more than it takes.
    4. In place of busy ones when they are done, or of those that load.
    5. Not at all.
    """
    if not (lacking := _lacking(need, residents, (), room)):  # 1
        return Start()
    leaving = [r for r in residents if r.state == "leaving"]
    idle = _oldest(r for r in residents if r.state == "idle" and not r.pinned)
    busy = _oldest(r for r in residents if r.state == "busy" and not r.pinned)
    loading = [r for r in residents if r.state == "loading"]
    at_best = _at_best(room, loading)
    if not _lacking(need, residents, leaving, at_best):  # 2
        return Wait()
    gone = _enough(need, residents, leaving, idle, room)  # 3
    if gone is not None:
        return Evict(tuple(r.id for r in gone))
    gone = _enough(need, residents, [*leaving, *idle], busy, room)  # 4
    if gone is not None:
        return Drain(tuple(r.id for r in gone))
    hopeless = _lacking(need, residents, _movable(residents), at_best)
    if loading and not hopeless:
        return Wait()
    return (hopeless or lacking)[0]  # 5


def most(
    need: MemoryEstimate, residents: Sequence[Resident], room: Room
) -> dict[str, int]:
    """Return the bytes of each device that a model can have at most.

    It would have ``need`` if it could. What one model may take in all leaves that to
    the device with most of it which the others do not need.
    """
    movable = _movable(residents)
    found = {name: _free(name, residents, movable, room) for name in room.capacity}
    if room.max_need:
        largest = max(need.devices, key=need.on)
        elsewhere = need.total - need.on(largest)
        found[largest] = min(found.get(largest, 0), room.max_need - elsewhere)
    return found


def _movable(residents: Sequence[Resident]) -> list[Resident]:
    """Return those that go, or can in the end."""
    return [r for r in residents if r.state == "leaving" or not r.pinned]


def _at_best(room: Room, loading: Sequence[Resident]) -> Room:
    """Return the room there may prove to be once those have loaded.

    What they had taken when it was looked what is free may be counted twice until then.
    """
    available = {
        device: count + sum(r.unsure(device) for r in loading)
        for device, count in room.available.items()
    }
    return msgspec.structs.replace(room, available=available)


def _enough(
    need: MemoryEstimate,
    residents: Sequence[Resident],
    gone: Sequence[Resident],
    candidates: Sequence[Resident],
    room: Room,
) -> list[Resident] | None:
    """Return which candidates have to follow those already gone; None if all fail."""
    chosen: list[Resident] = []
    for candidate in candidates:
        chosen.append(candidate)
        if not _lacking(need, residents, [*gone, *chosen], room):
            break
    else:
        return None
    for candidate in tuple(chosen):  # a small old one may turn out not to matter
        others = [r for r in chosen if r is not candidate]
        if not _lacking(need, residents, [*gone, *others], room):
            chosen = others
    return chosen


def _lacking(
    need: MemoryEstimate,
    residents: Sequence[Resident],
    gone: Sequence[Resident],
    room: Room,
) -> list[Refuse]:
    """Return what is short if those gone were gone; empty if it fits."""
    found = []
    if room.max_need and need.total > room.max_need:
        found.append(Refuse("", need.total, room.max_need))
    for device in need.devices:
        needed, free = need.on(device), _free(device, residents, gone, room)
        if needed > free:
            found.append(Refuse(device, needed, max(0, free)))
    left = sum(r not in gone for r in residents)
    if room.max_models and left >= room.max_models:
        found.append(Refuse("", 0, 0))
    return found


def _free(
    device: str, residents: Sequence[Resident], gone: Sequence[Resident], room: Room
) -> int:
    """Return the bytes that can be had if those gone were gone."""
    kept = sum(r.need.on(device) for r in residents if r not in gone)
    returned = sum(r.need.on(device) for r in gone)
    allowed = room.capacity.get(device, 0) - kept
    return min(allowed, room.available.get(device, 0) + returned)


def _oldest(residents: Iterable[Resident]) -> list[Resident]:
    return sorted(residents, key=lambda resident: resident.last_used)


def default_model(
    *, configured: str, ready: list[str], own: list[str], bundled: list[str]
) -> str | None:
    """Return the id of the model for people who name none; None if there is none.

    1. The configured one.
    2. The one that is loaded, if only one is.
    3. The user's first.
    4. The bundled one.
    """
    if configured:  # (1)
        return configured
    if len(ready) == 1:  # (2)
        return ready[0]
    return next(iter([*own, *bundled]), None)  # (3) (4)
