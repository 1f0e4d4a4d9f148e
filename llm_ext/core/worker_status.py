"""What can be said of a worker process at one moment."""

from datetime import datetime
from typing import Literal

import msgspec

from .device import MemoryEstimate
from .model_status import Problem

WorkerState = Literal["loading", "ready", "busy", "unloading", "ended", "failed"]


class WorkerStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One process that holds one model.

    Attributes:
        id: What requests call it.
        model: The model's id.
        state: ``ended`` and ``failed`` are said once, then it is no longer listed.
        pid: The process id; None before it runs and after it ended.
        devices: Names of the devices that it computes on.
        memory: What was set aside for it.
        rss: Bytes of main memory that it really has; None where it cannot be told.
        ephemeral: Whether it is one caller's own and ends with it.
        since: When the state began.
        error: Why it failed.
    """

    id: str
    model: str
    state: WorkerState
    pid: int | None = None
    devices: tuple[str, ...] = ()
    memory: MemoryEstimate | None = None
    rss: int | None = None
    ephemeral: bool = False
    since: datetime
    error: Problem | None = None
