"""Main memory: how much there is for this server, and how much of it is free now."""

import contextlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import psutil

_CGROUP = Path("/sys/fs/cgroup")
_OWN_GROUPS = Path("/proc/self/cgroup")


class MainMemory(NamedTuple):
    """Bytes that this server may use, and those that nobody uses now."""

    total: int
    available: int


def main_memory(cgroup: Path = _CGROUP, own: Path = _OWN_GROUPS) -> MainMemory:
    """Return what the machine has, or the container where that has less.

    The limit of a container or a service, which a hub, a cluster or systemd sets, is
    what a process is killed for; the machine's own figures say nothing of it. Files in
    the page cache count as free: they are given up when memory is asked for.
    """
    machine = psutil.virtual_memory()
    total, available = int(machine.total), int(machine.available)
    for limit in _limits(cgroup, own):
        total, available = min(total, limit.total), min(available, limit.available)
    return MainMemory(total, available)


def _limits(cgroup: Path, own: Path) -> Iterator[MainMemory]:
    """Return the limits of this process's control groups and of those around them.

    A container may see its own group as the root, but be told the name that it has
    outside: what is not there has no limit.
    """
    groups = {"": "/", "memory": "/"}  # of version 2, and of version 1
    with contextlib.suppress(OSError):  # not Linux
        for line in own.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            groups |= dict.fromkeys(groups.keys() & controllers.split(","), path)
    for name, read in (("", _limit_2), ("memory", _limit_1)):
        group = PurePosixPath(groups[name].lstrip("/"))
        for folder in (group, *group.parents):
            limit = read(cgroup / name / folder)
            if limit is not None:
                yield limit


def _limit_2(folder: Path) -> MainMemory | None:
    """Return the limit of a control group, version 2, as its files show it."""
    return _limit(
        folder / "memory.max", folder / "memory.current", folder / "memory.stat"
    )


def _limit_1(folder: Path) -> MainMemory | None:
    """Return that of version 1."""
    return _limit(
        folder / "memory.limit_in_bytes",
        folder / "memory.usage_in_bytes",
        folder / "memory.stat",
    )


def _limit(limit: Path, usage: Path, stat: Path) -> MainMemory | None:
    try:
        total = int(limit.read_text())
        used = int(usage.read_text())
        files = _cached_files(stat.read_text())
    except (OSError, ValueError):
        return None  # no such group, or "max": no limit
    return MainMemory(total, max(0, total - used + files))


def _cached_files(stat: str) -> int:
    """Return the bytes of the page cache: what was read once, and more than once."""
    pairs = dict(line.split(maxsplit=1) for line in stat.splitlines() if " " in line)
    total = "total_" if "total_inactive_file" in pairs else ""  # with groups inside
    kinds = ("inactive_file", "active_file")
    return sum(int(pairs.get(total + kind, 0)) for kind in kinds)


def own(pid: int) -> int | None:
    """Return the bytes that a process has beside files that it mapped.

    Those look free, as all of the page cache. None if it is gone, and on systems where
    it cannot be told.
    """
    try:
        info = psutil.Process(pid).memory_info()
    except psutil.Error:
        return None
    return int(info.rss - info.shared) if psutil.LINUX else None


def resident(pid: int) -> int | None:
    """Return the bytes of main memory that a process has; None if it is gone."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return None
