"""What can be said of a download at one moment."""

from datetime import datetime
from typing import Literal

import msgspec

from .model_status import Problem

DownloadState = Literal[
    "waiting",
    "resolving",
    "downloading",
    "paused",
    "verifying",
    "done",
    "failed",
    "cancelled",
]


class DownloadStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One model on its way from a hub to this machine.

    Attributes:
        id: What requests call it.
        reference: What was asked for, such as "hf:org/repo:Q4_K_M".
        state: ``paused`` goes on when told to; ``done``, ``failed`` and ``cancelled``
            are ends, though a failed one can be tried again, with what it has.
        files: Names of its files in the repository; empty until it is resolved.
        done: Bytes on the disk; while ``verifying``, those known to be right.
        total: Bytes of all files; None until it is resolved.
        rate: Bytes a second, of late; None unless it is downloading.
        seconds_left: At that rate.
        model: The model's id in the catalog, once done.
        error: Why it failed.
        created: When it was asked for.
    """

    id: str
    reference: str
    state: DownloadState
    files: tuple[str, ...] = ()
    done: int = 0
    total: int | None = None
    rate: float | None = None
    seconds_left: float | None = None
    model: str | None = None
    error: Problem | None = None
    created: datetime
