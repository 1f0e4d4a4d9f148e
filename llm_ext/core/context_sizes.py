"""The sizes that llama.cpp's contexts are made with."""

from .memory_kind import MemoryKind

BATCH_SIZE = 512
"""Most tokens in one decode; llama.cpp's own default for its micro-batch."""

POOLED_SEQ_IDS = 64
"""Most texts in one decode that makes vectors. Where cells are shared they cost
nothing."""

MAX_SEQ_IDS = 256
"""Sequence ids that llama.cpp can tell apart (``LLAMA_MAX_SEQ``)."""

KEPT = 32
"""Sequence ids beside the running sequences', for what ended ones leave."""


def seq_ids(kind: MemoryKind, *, slots: int) -> int:
    """Return the sequence ids to ask for.

    Beyond those of the slots they are for kept prefixes. They cost nothing where cells
    are shared; in other memories each has a state or a window of its own.
    """
    return min(slots + KEPT, MAX_SEQ_IDS) if kind == "attention" else slots
