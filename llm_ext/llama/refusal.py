"""Why llama.cpp refused, made of what it printed."""

import re
from collections.abc import Sequence
from pathlib import Path

from llm_ext.errors import InsufficientMemoryError, ModelError, ModelLoadError

_NO_MEMORY = re.compile(
    r"(?:failed|unable) to (?:allocate|reserve)|out of (?:device |host )?memory",
    re.IGNORECASE,
)
"""What it says, in its several ways, where memory is short."""

_BUFFER = re.compile(r"allocate (\w+?)(?:_Private|_REPACK)? buffer")


def load_refusal(path: Path, errors: Sequence[str]) -> ModelError:
    """Return the error for a model that could not be loaded."""
    if memory := _short_memory(errors):
        return InsufficientMemoryError(
            f"{path.name} does not fit: {memory}. Put fewer layers on GPUs, unload "
            f"other models, or take a smaller file."
        )
    why = _reason(errors[:1]) or "it gave no reason"
    return ModelLoadError(
        f"llama.cpp could not load {path.name}: {why}. The file may be damaged, or of "
        f"a kind that this release of llama.cpp does not know."
    )


def context_refusal(cells: int, errors: Sequence[str]) -> ModelError:
    """Return the error for a context of ``cells`` tokens that could not be made."""
    context = f"a context of {cells} tokens for this model"
    if memory := _short_memory(errors):
        return InsufficientMemoryError(
            f"llama.cpp could not make {context}: {memory}. Load it with a shorter "
            f"context, or with fewer layers on GPUs."
        )
    if why := _reason(errors[-1:]):
        return ModelLoadError(f"llama.cpp could not make {context}: {why}.")
    return ModelLoadError(
        f"llama.cpp could not make {context}, mostly for lack of memory. Load it with "
        f"a shorter context."
    )


def _short_memory(errors: Sequence[str]) -> str:
    """Return where memory is short, in words; "" if that is not what is wrong."""
    if not any(_NO_MEMORY.search(line) for line in errors):
        return ""
    names = [found[1] for line in errors if (found := _BUFFER.search(line))]
    where = f"{names[-1]} has" if names else "the device has"
    return f"{where} not enough memory left"


def _reason(lines: Sequence[str]) -> str:
    """Return a line's words, without the name of the function that printed it."""
    return "".join(line.partition(": ")[2] or line for line in lines).strip(" .")
