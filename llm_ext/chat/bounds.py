"""How much a chat template may compute."""

import re
import sys
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Sized, ValuesView
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, NoReturn

from jinja2.exceptions import SecurityError
from jinja2.utils import Namespace

MAX_TEXT = 8_000_000
"""Characters of one text that a template makes, its output among them; also the most
items of a list. A million tokens are some four million characters."""

MAX_ROUNDS = 4_000_000
"""Rounds of all loops of one rendering together. Some templates look back from every
message over all others: two thousand of these are two million rounds."""

MAX_MADE = 256 * 2**20
"""Bytes of all texts and lists that one rendering makes, kept or not. Templates in the
field make some ten times of what they write; one of them adds each message to all those
before it, which for 500 messages of 1,000 characters are 250 million."""

_MAX_POWER = 10_000
_MAX_BITS = 1_000_000
"""Bits of a product."""

_PUNCTUATION = 4
"""Characters that a text has at least for each value in a list or an object."""

_WIDTH = re.compile(r"\d{5,}|\*")


class Rounds:
    """Counts the rounds of loops in one rendering."""

    def __init__(self) -> None:
        self._left = MAX_ROUNDS

    def count(self, items: Iterable[Any]) -> Iterator[Any]:
        """Yield ``items``; ``SecurityError`` when there were too many."""
        for item in items:
            self._left -= 1
            if self._left < 0:
                _refuse(f"its loops go round more than {MAX_ROUNDS} times")
            yield item


class _Made:
    """What a rendering has made so far, in bytes."""

    size = 0


_made: ContextVar[_Made] = ContextVar("made")


@contextmanager
def bounded_making() -> Iterator[None]:
    """Let :func:`check_size` add up what is made in the block."""
    before = _made.set(_Made())
    try:
        yield
    finally:
        _made.reset(before)


def check_operation(operator: str, left: Any, right: Any) -> None:  # noqa: ANN401  # any operands
    """Refuse an operation whose result would be too large, before it is computed.

    Raises:
        SecurityError: It would.
    """
    if operator == "*":
        _check_repeat(left, right)
        _check_repeat(right, left)
        _check_product(left, right)
    elif operator == "**" and (abs(left) > _MAX_POWER or abs(right) > _MAX_POWER):
        _refuse("it raises to a huge power")
    elif operator == "%" and isinstance(left, str):
        check_weight(right)
        if _WIDTH.search(left):
            _refuse("it pads text to a huge width")


def check_call(function: Any, arguments: Iterable[Any]) -> None:  # noqa: ANN401  # anything callable
    """Refuse a call of a text's method whose result would be too large.

    Raises:
        SecurityError: It would.
    """
    # The sandbox wraps a text's own ``format``.
    method = getattr(function, "__wrapped__", function)
    text = getattr(method, "__self__", None)
    if not isinstance(text, str):
        return
    given = list(arguments)
    check_weight(given)
    if any(isinstance(value, int) and value > MAX_TEXT for value in given):
        _refuse("it pads text to a huge width")
    name = getattr(method, "__name__", "")
    if name in {"format", "format_map"} and _WIDTH.search(text):
        _refuse("it pads text to a huge width")
    if name == "replace" and len(given) > 1:
        check_growth(len(text), len(str(given[1])))
    if name == "join" and given and isinstance(given[0], Sized):
        check_growth(len(given[0]), len(text))
    if name == "expandtabs":
        check_growth(text.count("\t"), given[0] if given else 8)
    if name == "translate":
        _refuse("it replaces characters by a table")


def check_weight(value: Any) -> None:  # noqa: ANN401  # any value
    """Refuse a value of which the text would be too long.

    A list that holds another one twice, which holds another one twice, is small in
    memory.

    Raises:
        SecurityError: It would.
    """
    weight = 0
    todo = [value]
    while todo:
        one = todo.pop()
        if isinstance(one, str):
            weight += len(one)
        elif isinstance(one, Namespace):
            _refuse("it writes what it has set")
        elif isinstance(one, dict):
            todo += one.keys()
            todo += one.values()
        elif isinstance(one, _COLLECTIONS):
            todo += one
        weight += _PUNCTUATION
        if weight > MAX_TEXT:
            check_growth(weight, 1)


_COLLECTIONS = (list, tuple, set, frozenset, KeysView, ValuesView, ItemsView)


def check_growth(times: int, size: int) -> None:
    """Refuse to put a text of ``size`` characters into a result ``times`` times.

    Raises:
        SecurityError: The result would be too large.
    """
    if times * size > MAX_TEXT:
        _refuse(f"it makes a text of more than {MAX_TEXT} characters")


def check_size(value: Any) -> None:  # noqa: ANN401  # any result
    """Refuse a result that is too large, alone or with all that was made before.

    Raises:
        SecurityError: It is.
    """
    if isinstance(value, str | list | tuple):
        check_growth(len(value), 1)
        made = _made.get()
        made.size += sys.getsizeof(value)
        if made.size > MAX_MADE:
            _refuse(f"it makes texts and lists of more than {MAX_MADE} bytes")


def _check_repeat(times: object, value: object) -> None:
    if isinstance(times, int) and isinstance(value, str | list | tuple):
        check_growth(max(0, times), len(value))


def _check_product(left: object, right: object) -> None:
    if isinstance(left, int) and isinstance(right, int):
        bits = left.bit_length() + right.bit_length()
        if bits > _MAX_BITS:
            _refuse("it computes a huge number")


def _refuse(why: str) -> NoReturn:
    raise SecurityError(why)
