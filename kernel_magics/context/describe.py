"""Says what a Python value is, in few enough characters to be part of a prompt."""

import inspect
import reprlib
from contextlib import suppress
from types import FunctionType
from typing import Any

OMITTED = "\n... ({count} characters left out) ...\n"
_ROWS = 10
_ITEMS = 20


def describe(value: object, limit: int) -> str:
    """Return ``value`` as text of about ``limit`` characters at most.

    Texts are kept as they are, and cut in their middle where they are too long: the
    beginning and the end say most. Functions and classes are their source. Tables and
    arrays are summed up with their shape and their first rows; a single number of
    theirs is that number. It never raises, whatever a value's own methods do.
    """
    try:
        return shortened(_text(value, limit), limit)
    # A value of the user's may raise anything when it is looked at.
    except Exception as error:  # noqa: BLE001  # see above
        name = type(value).__name__
        return f"<{name}, which cannot be shown: {type(error).__name__}>"


def shortened(text: str, limit: int) -> str:
    """Return ``text``, without its middle where it is longer than ``limit``."""
    left_out = len(text) - limit
    if left_out <= 0:
        return text
    head = max(limit * 2 // 3, 1)
    tail = max(limit - head, 1)
    return text[:head] + OMITTED.format(count=left_out) + text[-tail:]


def _text(value: object, limit: int) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (FunctionType, type)):
        return _source(value)
    if isinstance(value, (list, tuple, set, frozenset, dict)):
        return _collection(value, limit)
    if is_table(value):
        return _table(value, limit)
    return _array(value, limit) if _is_array(value) else _plain(value)


def _plain(value: object) -> str:
    own = type(value).__str__ is not object.__str__
    return str(value) if own else repr(value)


def is_table(value: Any) -> bool:  # noqa: ANN401  # any value
    """Whether ``value`` is a table or a column of one, pandas' or another's."""
    return not isinstance(value, type) and all(
        hasattr(value, name) for name in ("shape", "head", "to_numpy")
    )


def _is_array(value: Any) -> bool:  # noqa: ANN401  # any value
    return not isinstance(value, type) and all(
        hasattr(value, name) for name in ("shape", "dtype", "__getitem__")
    )


def _source(definition: Any) -> str:  # noqa: ANN401  # a function or class
    try:
        return inspect.getsource(definition)
    except (OSError, TypeError):
        return repr(definition)


def _table(table: Any, limit: int) -> str:  # noqa: ANN401  # pandas' or another's
    shape = " x ".join(str(size) for size in table.shape)
    head = f"{type(table).__name__} of {shape}"
    types = getattr(table, "dtypes", getattr(table, "dtype", None))
    columns = getattr(table, "columns", None)
    if columns is not None and types is not None:
        listed = types if isinstance(types, list) else list(types)
        pairs = zip(columns, listed, strict=False)
        head += ", columns " + ", ".join(f"{name} ({kind})" for name, kind in pairs)
    elif types is not None:
        head += f" {types}"
    head = shortened(head, max(limit // 2, 1))
    rows = _first_rows(table, limit - len(head))
    return f"{head}\n{rows}" if rows else head


def _first_rows(table: Any, limit: int) -> str:  # noqa: ANN401  # pandas' or another's
    """Return as many of the first rows as fit; the whole table where it does."""
    total = table.shape[0]
    for count in (_ROWS, 5, 2, 1):
        rows = table.head(count)
        text = rows.to_string() if hasattr(rows, "to_string") else str(rows)
        note = f"\n... {total - count} more rows" if total > count else ""
        if len(text) + len(note) <= limit:
            return f"{text}{note}"
    return ""


def _array(array: Any, limit: int) -> str:  # noqa: ANN401  # numpy's or another's
    if not array.shape:
        return str(array)
    shape = " x ".join(str(size) for size in array.shape)
    head = f"{type(array).__name__} of {shape}, {array.dtype}"
    if getattr(array, "size", 0) and hasattr(array, "min"):
        with suppress(TypeError, ValueError):  # texts and objects have no order
            head += f", from {array.min()} to {array.max()}"
    return f"{head}\n{shortened(str(array), max(limit - len(head), 1))}"


def _collection(value: Any, limit: int) -> str:  # noqa: ANN401  # list, tuple, set or dict
    whole = repr(value) if len(value) <= max(limit, _ITEMS) else ""
    if whole and len(whole) <= limit:
        return whole
    short = reprlib.Repr()
    short.maxlist = short.maxtuple = short.maxset = short.maxdict = _ITEMS
    short.maxfrozenset = _ITEMS
    short.maxstring = short.maxother = max(limit // _ITEMS, 30)
    return f"{type(value).__name__} with {len(value)} items: {short.repr(value)}"
