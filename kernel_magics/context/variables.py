"""The notebook's variables: what they are, and a little of what they hold."""

from collections.abc import Iterator, Mapping, Set as AbstractSet
from types import BuiltinFunctionType, FunctionType, ModuleType
from typing import Any

from .budget import Excerpt
from .describe import describe, is_table

_EACH = 300
"""Characters of one variable; tables, which say most of what data is, get more."""

_TABLE = 1200
_NO_DATA = (ModuleType, FunctionType, BuiltinFunctionType, type)
_OWN = {"In", "Out", "exit", "quit", "get_ipython", "open"}


def excerpts(
    values: Mapping[str, Any], hidden: AbstractSet[str] = frozenset()
) -> Iterator[Excerpt]:
    """Yield the variables that a person made, tables first, then the newest first.

    ``values`` is the notebook's namespace; ``hidden`` are names that came with the
    shell.
    """
    names = [name for name in values if _is_own(name, values[name], hidden)]
    names.reverse()
    names.sort(key=lambda name: not is_table(values[name]))
    for name in names:
        value = values[name]
        kind = type(value).__name__
        text = describe(value, _TABLE if is_table(value) else _EACH)
        yield Excerpt(title=f"Variable `{name}` ({kind})", text=text)


def _is_own(name: str, value: object, hidden: AbstractSet[str]) -> bool:
    if name.startswith("_") or name in hidden or name in _OWN:
        return False
    return not isinstance(value, _NO_DATA)
