"""The messages, one tagged union for each direction.

The server sends one ``Load`` first. The worker answers with ``Progress`` and then with
``Loaded`` or ``LoadFailed``, after which it ends. Commands that follow carry a request
id of the server's choice. Closing the pipe ends the worker.
"""

from typing import TypeAlias

import msgspec

from llm_ext.core.device import MemoryEstimate
from llm_ext.core.events import EngineEvent, LoadStage
from llm_ext.core.load_options import LoadOptions
from llm_ext.core.memory_kind import MemoryKind
from llm_ext.core.requests import Request


class _Message(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    pass


class Load(_Message, frozen=True):
    """Load the GGUF file at ``path``.

    ``repack`` lets llama.cpp rearrange weights for the processor, as it does by itself.
    ``stream_interval`` is for how many seconds a stream's tokens are told together.
    ``swap`` is how many bytes may be swapped out of the KV cache.
    """

    path: str
    options: LoadOptions
    repack: bool = True
    stream_interval: float = 0.0
    swap: int = 0


class Generate(_Message, frozen=True):
    """Answer ``request``; its events come back with ``request_id``.

    Slots are shared out fairly among users.
    """

    request_id: int
    request: Request
    user: str = ""


class Cancel(_Message, frozen=True):
    """End the request now. Unknown ids are ignored: its end may be on the way."""

    request_id: int


class EngineStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The engine's own counts after a step.

    Attributes:
        steps: Decodes so far.
        slots: How many sequences can run at once.
        busy: How many run.
        waiting: How many wait for a slot.
        backlog: Prompt tokens that are not computed yet, of all who run or wait.
        slot_steps: Slots that were busy in each decode so far, summed up.
        cells: Cells of the KV cache.
        held_cells: Those that running sequences hold, within the last second.
        swapped: Tokens that were swapped out of it, and are kept for later.
        cancelled: Requests that were cancelled so far.
        cancel_steps: Most steps that began between the arrival of a cancel and the
            moment the request's slot was free; 0 while nothing was cancelled.
    """

    steps: int = 0
    slots: int = 0
    busy: int = 0
    waiting: int = 0
    backlog: int = 0
    slot_steps: int = 0
    cells: int = 0
    held_cells: int = 0
    swapped: int = 0
    cancelled: int = 0
    cancel_steps: int = 0


class Progress(_Message, frozen=True):
    """Loading goes on; ``fraction`` (0 to 1) is of ``stage``."""

    stage: LoadStage
    fraction: float


class Loaded(_Message, frozen=True):
    """The model can be used; ``memory`` is what llama.cpp says that it took."""

    description: str
    context_length: int
    memory_kind: MemoryKind
    status: EngineStatus
    memory: MemoryEstimate | None = None


class LoadFailed(_Message, frozen=True):
    """The model cannot be loaded; ``code`` is a class in :mod:`llm_ext.errors`."""

    code: str
    message: str


class Published(_Message, frozen=True):
    """What happened to requests since the last message, in order."""

    events: list[tuple[int, EngineEvent]]
    status: EngineStatus


Command: TypeAlias = Load | Generate | Cancel
Report: TypeAlias = Progress | Loaded | LoadFailed | Published
