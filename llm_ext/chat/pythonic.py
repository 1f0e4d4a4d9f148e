"""Calls that are written as Python's: ``look(at="the sky", times=2)``."""

import json
import re

from llm_ext.core.tools import Tool

from .family import MAX_NAME, parameters
from .json_calls import read_list
from .json_values import MAX_DEPTH, literal_text
from .output import Output
from .source import Mismatch, Reading, Source

_NAME = re.compile(r"[\w.]+")
_PLAIN = re.compile(r"[^\"'()\[\]{},\\]+")
_OPENING = "([{"
_CLOSING = ")]}"
_METHOD = ".call"


def read_python_calls(source: Source, output: Output) -> Reading[None]:
    """Read a list of calls after its bracket, up to and with the closing one.

    Raises:
        Mismatch: There is something else; calls before it are complete.
    """
    yield from read_list(source, output, read_python_call)


def read_python_call(source: Source, output: Output) -> Reading[None]:
    """Read one call, but leave it open, for what its family writes after it.

    Each argument is passed on when it is complete, as a member of a JSON object.

    Raises:
        Mismatch: It is no call of a tool that there is, or a value is no literal.
    """
    written = yield from source.word(_NAME, most=MAX_NAME)
    name = written if written in output.tools else written.removesuffix(_METHOD)
    yield from source.expect("(")
    output.start_call(name)
    keys = _positions(output.tools[name])
    output.arguments("{")
    separator = ""
    yield from source.skip_space()
    while not (yield from source.accept(")")):
        if separator:
            yield from source.expect(",")
            yield from source.skip_space()
            if (yield from source.accept(")")):
                break
        key = yield from _read_key(source)
        value = yield from _read_literal(source)
        if not key:
            key = keys.pop(0) if keys else ""
        elif key in keys:
            keys.remove(key)
        if not key:
            raise Mismatch
        output.arguments(f"{separator}{json.dumps(key)}: {value}")
        separator = ", "
        yield from source.skip_space()
    output.arguments("}")


def _positions(tool: Tool) -> list[str]:
    """Return the names of parameters in their order, for arguments without one."""
    properties = parameters(tool).get("properties")
    return list(properties) if isinstance(properties, dict) else []


def _read_key(source: Source) -> Reading[str]:
    """Read ``key=``, if it is there; return the key or ""."""
    start = source.position
    key = yield from source.word(_NAME, most=MAX_NAME)
    yield from source.skip_space()
    if key.isidentifier() and (yield from source.accept("=")):
        return key
    source.position = start
    return ""


def _read_literal(source: Source) -> Reading[str]:
    """Read a value up to the comma or bracket after it; return it as JSON."""
    parts: list[str] = []
    depth = 0
    while True:
        while run := (yield from source.run(_PLAIN)):
            parts.append(run)
        character = yield from source.peek()
        if not character:
            raise Mismatch
        if depth == 0 and character in ",)":
            return _json("".join(parts).strip())
        source.position += 1
        parts.append(character)
        if character in "\"'":
            yield from _read_string(source, character, parts)
        depth += (character in _OPENING) - (character in _CLOSING)
        if not 0 <= depth <= MAX_DEPTH:
            raise Mismatch


def _read_string(source: Source, quote: str, parts: list[str]) -> Reading[None]:
    """Read the rest of a string, with its end."""
    run = re.compile(rf"[^\\{quote}]+")
    while True:
        while text := (yield from source.run(run)):
            parts.append(text.replace("\r", "\\r").replace("\n", "\\n"))
        character = yield from source.peek()
        if not character:
            raise Mismatch
        source.position += 1
        parts.append(character)
        if character == quote:
            return
        escaped = yield from source.peek()
        source.position += len(escaped)
        parts.append(escaped)


def _json(literal: str) -> str:
    try:
        return literal_text(literal)
    except ValueError:
        raise Mismatch from None
