"""Whether a model would load here, and why not."""

from typing import Literal

import msgspec

from .device import MemoryEstimate


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that has to be right; ``message`` says how it is, in words."""

    name: Literal["file", "version", "support", "memory"]
    ok: bool
    message: str


class Preflight(msgspec.Struct, frozen=True, kw_only=True):
    """What was found without loading.

    Attributes:
        model: The model's id.
        ok: Whether every check passed.
        checks: In the order in which they were made; the first that fails ends them.
        memory: What the model needs.
        evicts: Ids of loaded models that would make room for it.
    """

    model: str
    ok: bool
    checks: tuple[Check, ...]
    memory: MemoryEstimate | None = None
    evicts: tuple[str, ...] = ()
