"""The cells that ran before, and what they put out."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kernel_magics.fences import fenced

from .budget import Excerpt
from .describe import describe

_OUTPUT = 1000
"""Characters of one cell's output."""


def excerpts(cells: Sequence[str], values: Mapping[str, Any]) -> Iterator[Excerpt]:
    """Yield the cells that ran, the last one first.

    ``cells`` are their texts by number, as they were written; ``values`` is the
    notebook's namespace. The running cell is not among them, nor are those that only
    talk to a model.
    """
    outputs = values.get("Out") or {}
    for number in range(len(cells) - 2, 0, -1):
        code = _own(cells[number])
        if not code:
            continue
        text = fenced(code, "python")
        if number in outputs:
            shown = describe(outputs[number], _OUTPUT)
            text += f"\nOutput:\n{fenced(shown)}"
        yield Excerpt(title=f"Cell [{number}]", text=text)


def source(cells: Sequence[str], number: int | None) -> str:
    """Return the code of cell ``number``, or of the one before the running cell.

    Empty where there is no such cell.
    """
    if number is None:
        own = [code for cell in cells[1:-1] if (code := _own(cell))]
        return own[-1] if own else ""
    return cells[number] if 0 < number < len(cells) else ""


def _own(cell: str) -> str:
    """Return what a person wrote for Python to run."""
    if cell.lstrip().startswith("%%llm"):
        return ""
    lines = cell.strip().splitlines()
    return "\n".join(line for line in lines if not line.startswith("%llm")).strip()
