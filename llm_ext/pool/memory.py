"""Main memory: how much there is for this server, and how much of it is free now."""

from pathlib import Path
from typing import NamedTuple

import psutil

_CGROUP = Path("/sys/fs/cgroup")


class MainMemory(NamedTuple):
    """Bytes that this server may use, and those that nobody uses now."""

    total: int
    available: int


def main_memory(cgroup: Path = _CGROUP) -> MainMemory:
    """Return what the machine has, or the container where that has less.

    A container's limit, which a hub or a cluster sets, is what a process is killed for;
    the machine's own figures say nothing of it. Files in the page cache count as free:
    they are given up when memory is asked for.
    """
    machine = psutil.virtual_memory()
    limits = [_limit_2(cgroup), _limit_1(cgroup / "memory")]
    total, available = int(machine.total), int(machine.available)
    for limit in limits:
        if limit is not None and limit.total < total:
            total, available = limit.total, min(available, limit.available)
    return MainMemory(total, available)


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
        files = _inactive_files(stat.read_text())
    except (OSError, ValueError):
        return None  # no such group, or "max": no limit
    return MainMemory(total, max(0, total - used + files))


def _inactive_files(stat: str) -> int:
    pairs = dict(line.split(maxsplit=1) for line in stat.splitlines() if " " in line)
    return int(pairs.get("total_inactive_file") or pairs.get("inactive_file") or 0)


def resident(pid: int) -> int | None:
    """Return the bytes of main memory that a process has; None if it is gone."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return None
