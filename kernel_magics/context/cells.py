"""The cells that ran before, and what they put out."""

from collections.abc import Iterator, Mapping
from typing import Any

from .budget import Excerpt
from .describe import describe

_OUTPUT = 1000
"""Characters of one cell's output."""


def excerpts(values: Mapping[str, Any]) -> Iterator[Excerpt]:
    """Yield the cells that ran, the last one first.

    ``values`` is the notebook's namespace. The running cell is not among them, nor are
    those that only talk to a model.
    """
    inputs = values.get("In") or [""]
    outputs = values.get("Out") or {}
    for number in range(len(inputs) - 2, 0, -1):
        code = inputs[number].strip()
        if not code or "'llm'" in code.partition("\n")[0]:
            continue
        text = f"```python\n{code}\n```"
        if number in outputs:
            shown = describe(outputs[number], _OUTPUT)
            text += f"\nOutput:\n```\n{shown}\n```"
        yield Excerpt(title=f"Cell [{number}]", text=text)


def source(values: Mapping[str, Any], number: int | None) -> str:
    """Return the code of cell ``number``, or of the one before the running cell.

    Empty where there is no such cell.
    """
    inputs = values.get("In") or [""]
    if number is None:
        ran = [code for code in inputs[1:-1] if code.strip()]
        own = [code for code in ran if "'llm'" not in code.partition("\n")[0]]
        return str(own[-1]) if own else ""
    return str(inputs[number]) if 0 < number < len(inputs) else ""
