"""What can be said of a model at one moment."""

from datetime import datetime
from typing import Literal

import msgspec

from .events import LoadStage

ModelState = Literal["unloaded", "loading", "ready", "busy", "unloading", "failed"]


class LoadProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a load is; ``fraction`` (0 to 1) is of ``stage``."""

    stage: LoadStage
    fraction: float


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why a model failed; ``code`` is a class in :mod:`llm_ext.errors`."""

    code: str
    message: str


class SlotCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Sequences that can run at once, that run, and that wait."""

    total: int
    busy: int
    waiting: int


class EngineCounts(msgspec.Struct, frozen=True, kw_only=True):
    """The engine's own counts; see :class:`llm_ext.ipc.messages.EngineStatus`."""

    steps: int
    cancelled: int
    cancel_steps: int


class ModelStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One model of the catalog, and the worker that holds it, if any.

    Attributes:
        id: What requests call it.
        name: The file's name without its ending.
        path: The file.
        size: Bytes of the file.
        modified: When the file was last written.
        state: ``busy`` is ready with requests running.
        progress: While it loads.
        error: Why it failed, or why its file cannot be read.
        description: Architecture, size and quantisation, once loaded.
        context_length: Tokens that fit, prompt and answer, once loaded.
        slots: Once loaded.
        engine: Once loaded.
        requests: Requests that run or wait for it now.
        pid: The worker's process id.
        loaded_at: When it became ready.
    """

    id: str
    name: str
    path: str
    size: int
    modified: datetime
    state: ModelState
    progress: LoadProgress | None = None
    error: Problem | None = None
    description: str | None = None
    context_length: int | None = None
    slots: SlotCounts | None = None
    engine: EngineCounts | None = None
    requests: int = 0
    pid: int | None = None
    loaded_at: datetime | None = None
