"""Calls that are written as JSON: an object with a name and arguments, or a list."""

import json
from collections.abc import Callable

from .json_values import ignore, json_text, read_object, read_text, read_value
from .output import Output
from .source import Mismatch, Reading, Source

NAME_KEYS = frozenset({"name", "function", "tool_name"})
ARGUMENT_KEYS = frozenset({"arguments", "parameters", "args"})
_OTHER_KEYS = frozenset({"id", "type", "call_id"})


def read_calls(source: Source, output: Output) -> Reading[None]:
    """Read one call, or a list of them; ``Mismatch`` if there is something else.

    Stops where no further call is wanted.
    """
    yield from source.skip_space()
    if not (yield from source.accept("[")):
        yield from read_call(source, output)
        output.complete_call()
        return
    yield from read_list(source, output, read_call)


def read_list(
    source: Source, output: Output, read_one: Callable[[Source, Output], Reading[None]]
) -> Reading[None]:
    """Read a list of calls after its bracket, up to and with the closing one.

    Stops where no further call is wanted.

    Args:
        source: What is read.
        output: What takes the calls.
        read_one: Reads a call, but leaves it open.

    Raises:
        Mismatch: There is something else; calls before it are complete.
    """
    while True:
        yield from source.skip_space()
        yield from read_one(source, output)
        output.complete_call()
        if output.full:
            return
        yield from source.skip_space()
        if (yield from source.accept("]")):
            output.commit()
            return
        yield from source.expect(",")


def read_call(source: Source, output: Output) -> Reading[None]:
    """Read one call, but leave it open, for what its family writes after it.

    The arguments are passed on as they come once the name is known. They may come as
    a text that holds the object, or not at all where there are none.

    Raises:
        Mismatch: It is no call of a tool that there is.
    """
    yield from _JSONCall(source, output).read()


class _JSONCall:
    def __init__(self, source: Source, output: Output) -> None:
        self._source = source
        self._output = output
        self._name = ""
        self._held: list[str] = []
        self._begun = False

    def read(self) -> Reading[None]:
        yield from self._read_members()
        if not self._name:
            raise Mismatch
        if not self._begun:
            self._begin()
            self._output.arguments("".join(self._held) or "{}")

    def _read_members(self) -> Reading[None]:
        source = self._source
        yield from source.expect("{")
        while True:
            yield from source.skip_space()
            key = yield from read_text(source)
            yield from source.skip_space()
            yield from source.expect(":")
            yield from source.skip_space()
            yield from self._read_member(key)
            yield from source.skip_space()
            if (yield from source.accept("}")):
                return
            yield from source.expect(",")

    def _read_member(self, key: str) -> Reading[None]:
        """Read the value of a key; one that no call has ends the attempt early."""
        source = self._source
        if key == "function" and (yield from source.peek()) == "{":
            yield from self._read_members()
        elif key in NAME_KEYS and not self._name:
            self._name = yield from read_text(source)
            if self._name not in self._output.tools:
                raise Mismatch
        elif key in ARGUMENT_KEYS and not self._begun and not self._held:
            yield from self._read_arguments()
        elif key in _OTHER_KEYS:
            yield from read_value(source, ignore)
        else:
            raise Mismatch

    def _read_arguments(self) -> Reading[None]:
        source = self._source
        emit = self._held.append
        if self._name:
            self._begin()
            emit = self._output.arguments
        match (yield from source.peek()):
            case "{":
                yield from read_object(source, emit)
            case '"':
                emit(_checked_object((yield from read_text(source))))
            case _:
                yield from source.expect("null")
                emit("{}")

    def _begin(self) -> None:
        self._begun = True
        self._output.start_call(self._name)


def _checked_object(text: str) -> str:
    """Return an object that can be sent; ``Mismatch`` if it is none, or too deep."""
    try:
        value = json.loads(text)
        if isinstance(value, dict):
            return json_text(value)
    except (ValueError, RecursionError):
        pass
    raise Mismatch
