"""What a model keeps of what it read."""

from typing import Literal, TypeAlias

MemoryKind: TypeAlias = Literal["attention", "window", "recurrent", "hybrid"]
"""Attention keeps every element, and can be cut anywhere; a sliding window has lost
what lies before it; a recurrent state is of the last element only; a hybrid has
attention layers and recurrent ones."""
