"""What can be said of a model at one moment."""

from datetime import datetime
from typing import Literal

import msgspec

from .device import MemoryEstimate
from .events import LoadStage
from .load_options import LoadOptions
from .memory_kind import MemoryKind
from .model_facts import Capability
from .settings import ModelSource

ModelState = Literal["unloaded", "loading", "ready", "busy", "unloading", "failed"]


class LoadProgress(msgspec.Struct, frozen=True, kw_only=True):
    """How far a load is; ``fraction`` (0 to 1) is of the whole load."""

    stage: LoadStage
    fraction: float


_SPANS: dict[LoadStage, tuple[float, float]] = {
    "waiting": (0.0, 0.0),
    "starting": (0.0, 0.02),
    "reading": (0.02, 0.6),
    "loading": (0.6, 0.95),
    "preparing": (0.95, 1.0),
}
"""Where each stage begins and ends on one bar, by the time it mostly takes."""


def load_progress(stage: LoadStage, stage_fraction: float) -> LoadProgress:
    """Return how far the whole load is, given how far its stage is."""
    low, high = _SPANS[stage]
    return LoadProgress(stage=stage, fraction=low + (high - low) * stage_fraction)


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
    slot_steps: int = 0
    cells: int = 0
    held_cells: int = 0
    swapped: int = 0


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
        source: Where it was found.
        aliases: Other names that it answers to.
        architecture: By its file, as are the next four; None where it was not read.
        parameters: How many weights it has.
        quantization: Such as "Q4_K_M".
        trained_context: Tokens that it was trained with.
        capabilities: What it can be asked for.
        pinned: Whether it stays loaded, whoever needs room.
        options: How it is loaded, once it is.
        memory: What is set aside for it, while it loads and once it is loaded.
        worker: The id of the process that holds it.
        expires_at: When it is unloaded if nobody asks for it.
        description: Architecture, size and quantisation, once loaded.
        context_length: Tokens that fit, prompt and answer, once loaded.
        memory_kind: What it keeps of what it read, once loaded.
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
    source: ModelSource = "folder"
    aliases: tuple[str, ...] = ()
    architecture: str | None = None
    parameters: int | None = None
    quantization: str | None = None
    trained_context: int | None = None
    capabilities: tuple[Capability, ...] = ()
    pinned: bool = False
    options: LoadOptions | None = None
    memory: MemoryEstimate | None = None
    worker: str | None = None
    expires_at: datetime | None = None
    description: str | None = None
    context_length: int | None = None
    memory_kind: MemoryKind | None = None
    slots: SlotCounts | None = None
    engine: EngineCounts | None = None
    requests: int = 0
    pid: int | None = None
    loaded_at: datetime | None = None
