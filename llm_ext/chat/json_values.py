"""JSON as a model writes it: read value by value, and passed on as it comes."""

import ast
import json
import re
import warnings
from collections.abc import Callable

from llm_ext.core.bounds import is_deeper

from .source import Mismatch, Reading, Source
from .surrogates import without_surrogates

Emit = Callable[[str], None]
"""Takes the next part of a value's text."""

MAX_DEPTH = 64
"""Objects and lists within each other; more is refused."""

_MAX_WORD = 400
"""Characters of a number or a literal."""

_STRING_RUN = re.compile(r'[^"\\\x00-\x1f]+')
_WORD_RUN = re.compile(r"[-+.\w]+")
_SPACE_RUN = re.compile(r"[ \t\r\n]+")
_WORD = re.compile(
    r"true|false|null|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?"
)
_HEX = set("0123456789abcdefABCDEF")
_FIRST_HALF = re.compile(r"\\u[dD][89abAB]..")
_SECOND_HALF = re.compile(r"\\u[dD][c-fC-F]..")
_LOST = r"\ufffd"
_ESCAPES = set('"\\/bfnrtu')


def ignore(_text: str) -> None:
    """Take a value's text and do nothing with it."""


def read_value(source: Source, emit: Emit, depth: int = 0) -> Reading[None]:
    """Read a value and emit it.

    Control characters in strings, which JSON does not allow but models write, are
    emitted as escapes.

    Raises:
        Mismatch: It is no JSON.
    """
    match (yield from source.peek()):
        case "{":
            yield from read_object(source, emit, depth)
        case "[":
            yield from _read_list(source, emit, depth)
        case '"':
            yield from _read_string(source, emit)
        case _:
            word = yield from source.word(_WORD_RUN, most=_MAX_WORD)
            if not _WORD.fullmatch(word):
                raise Mismatch
            emit(word)


def read_object(source: Source, emit: Emit, depth: int = 0) -> Reading[None]:
    """Read an object and emit it; ``Mismatch`` if there is none."""

    def member() -> Reading[None]:
        yield from _read_string(source, emit)
        yield from _pass_space(source, emit)
        yield from _pass(source, ":", emit)
        yield from _pass_space(source, emit)
        yield from read_value(source, emit, depth + 1)

    yield from _read_items(source, emit, "{}", member, depth)


def read_text(source: Source) -> Reading[str]:
    """Read a string and return what it says; ``Mismatch`` if there is none."""
    parts: list[str] = []
    yield from _read_string(source, parts.append)
    return without_surrogates(json.loads("".join(parts)))


def json_text(value: object) -> str:
    """Return a value as JSON that can be encoded.

    Raises:
        ValueError: It is nested too deep, or a number is none of JSON's.
        TypeError: It is nothing of JSON's.
    """
    if is_deeper(value, MAX_DEPTH):
        raise ValueError("it is nested too deep")
    return without_surrogates(json.dumps(value, ensure_ascii=False, allow_nan=False))


def literal_text(text: str) -> str:
    """Return a value that is written as JSON, or as Python writes it, as JSON.

    Raises:
        ValueError: It is neither, or nothing that :func:`json_text` takes.
    """
    for read in (json.loads, _python_value):
        try:
            value = json_text(read(text))
        # Also what a text can do to Python's parser.
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            continue
        return value
    raise ValueError("it is no literal")


def _python_value(text: str) -> object:
    with warnings.catch_warnings():
        # An escape that Python does not know is a backslash to it, and a warning.
        warnings.simplefilter("ignore")
        value: object = ast.literal_eval(text)
    return value


def quoted(text: str) -> str:
    """Return ``text`` as it stands inside a JSON string, without the quotes."""
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _read_list(source: Source, emit: Emit, depth: int) -> Reading[None]:
    yield from _read_items(
        source, emit, "[]", lambda: read_value(source, emit, depth + 1), depth
    )


def _read_items(
    source: Source,
    emit: Emit,
    brackets: str,
    item: Callable[[], Reading[None]],
    depth: int,
) -> Reading[None]:
    if depth > MAX_DEPTH:
        raise Mismatch
    opening, closing = brackets[0], brackets[1]
    yield from _pass(source, opening, emit)
    yield from _pass_space(source, emit)
    if (yield from source.accept(closing)):
        emit(closing)
        return
    while True:
        yield from item()
        yield from _pass_space(source, emit)
        if (yield from source.accept(closing)):
            emit(closing)
            return
        yield from _pass(source, ",", emit)
        yield from _pass_space(source, emit)


def _read_string(source: Source, emit: Emit) -> Reading[None]:
    yield from _pass(source, '"', emit)
    while True:
        while run := (yield from source.run(_STRING_RUN)):
            emit(run)
        character = yield from _next(source)
        if character == "\\":
            emit((yield from _read_escapes(source)))
        elif character == '"':
            emit(character)
            return
        else:
            emit(quoted(character))


def _read_escapes(source: Source) -> Reading[str]:
    """Return an escape, both where two are the halves of one character.

    A half alone is no text, and becomes ``U+FFFD``.
    """
    lost = ""
    escape = yield from _read_escape(source)
    while _FIRST_HALF.fullmatch(escape):
        if not (yield from source.accept("\\")):
            return lost + _LOST
        following = yield from _read_escape(source)
        if _SECOND_HALF.fullmatch(following):
            return lost + escape + following
        lost, escape = lost + _LOST, following
    return lost + (_LOST if _SECOND_HALF.fullmatch(escape) else escape)


def _read_escape(source: Source) -> Reading[str]:
    """Return an escape as a whole: a part of it would be no text."""
    kind = yield from _next(source)
    if kind not in _ESCAPES:
        raise Mismatch
    digits = ""
    while kind == "u" and len(digits) < 4:  # noqa: PLR2004  # \u and four digits
        digits += yield from _next(source)
    if not set(digits) <= _HEX:
        raise Mismatch
    return f"\\{kind}{digits}"


def _next(source: Source) -> Reading[str]:
    character = yield from source.peek()
    if not character:
        raise Mismatch
    source.position += 1
    return character


def _pass(source: Source, wanted: str, emit: Emit) -> Reading[None]:
    yield from source.expect(wanted)
    emit(wanted)


def _pass_space(source: Source, emit: Emit) -> Reading[None]:
    while run := (yield from source.run(_SPACE_RUN)):
        emit(run)
