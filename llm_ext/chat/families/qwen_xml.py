"""Qwen 3 Coder, Qwen 3.5 and Nemotron 3: a tag for each parameter.

::

    <tool_call>
    <function=look>
    <parameter=at>
    the sky
    </parameter>
    </function>
    </tool_call>

After the chat templates of these models. Calls in JSON, as other models of the makers
write them, are understood, too.
"""

import json
from collections.abc import Sequence
from typing import Any

from llm_ext.chat.arguments import arguments_of
from llm_ext.chat.family import MAX_NAME, Family, json_call
from llm_ext.chat.json_calls import read_calls
from llm_ext.chat.json_values import literal_text, quoted
from llm_ext.chat.lark import Lark
from llm_ext.chat.output import Output
from llm_ext.chat.plain_schema import (
    PlainProperty,
    plain_properties,
    takes_null,
    takes_text,
)
from llm_ext.chat.prose import Prose
from llm_ext.chat.source import Mismatch, Reading, Source
from llm_ext.core.messages import ToolCall
from llm_ext.core.tools import Tool

_CALL, _CALL_END = "<tool_call>", "</tool_call>"
_FUNCTION, _FUNCTION_END = "<function=", "</function>"
_PARAMETER, _PARAMETER_END = "<parameter=", "</parameter>"
_VALUE_ENDS = (f"\n{_PARAMETER_END}", _PARAMETER_END)
_NULLS = tuple(f"null{end}" for end in _VALUE_ENDS)


class QwenXML(Family):
    """See the module."""

    markers = (_CALL, _CALL_END)

    @classmethod
    def detects(cls, template: str) -> bool:
        """See Family."""
        return _CALL in template and _FUNCTION in template and _PARAMETER in template

    def read(self, source: Source, output: Output) -> Reading[None]:
        """See Family."""
        yield from Prose(source, output, marks=(_CALL, _FUNCTION)).read(_attempt)

    def write(self, calls: Sequence[ToolCall]) -> str:
        """See Family."""
        return "\n".join(map(_written, calls))

    def grammar(self, tools: Sequence[Tool], lark: Lark, *, many: bool) -> str:
        """See Family."""
        inside = lark.either(self._call(tool, lark) for tool in tools)
        call = lark.sequence(
            lark.text(f"{_CALL}\n"), inside, lark.text(f"\n{_CALL_END}")
        )
        return lark.repeated(call, lark.text("\n"), many=many)

    def _call(self, tool: Tool, lark: Lark) -> str:
        properties = plain_properties(tool)
        if properties is None:
            return json_call(lark, tool)
        parts = [_parameter(plain, lark) for plain in properties]
        head = lark.text(f"{_FUNCTION}{tool.name}>\n")
        return lark.sequence(head, *parts, lark.text(_FUNCTION_END))


def _parameter(plain: PlainProperty, lark: Lark) -> str:
    head, tail = lark.text(f"{_PARAMETER}{plain.name}>\n"), f"{_VALUE_ENDS[0]}\n"
    if plain.kind == "text":
        written = lark.sequence(head, lark.until(tail))
    elif plain.kind == "option":
        options = lark.either(map(lark.text, plain.options))
        written = lark.sequence(head, options, lark.text(tail))
    else:
        written = lark.sequence(head, lark.json(plain.schema), lark.text(tail))
    return written if plain.required else lark.rule(f"{written}?")


def _written(call: ToolCall) -> str:
    parameters = "".join(
        f"{_PARAMETER}{key}>\n{_written_value(value)}{_VALUE_ENDS[0]}\n"
        for key, value in arguments_of(call.arguments).items()
    )
    function = f"{_FUNCTION}{call.name}>\n{parameters}{_FUNCTION_END}"
    return f"{_CALL}\n{function}\n{_CALL_END}"


def _written_value(value: Any) -> str:  # noqa: ANN401  # any JSON
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _attempt(source: Source, output: Output, mark: str) -> Reading[None]:
    if mark == _CALL:
        yield from source.skip_space()
        if not (yield from source.accept(_FUNCTION)):
            yield from read_calls(source, output)
            yield from _read_end(source, output)
            return
    yield from _read_function(source, output)
    output.complete_call()
    yield from _read_end(source, output)


def _read_end(source: Source, output: Output) -> Reading[None]:
    yield from source.skip_space()
    yield from source.accept(_CALL_END)
    output.commit()


def _read_function(source: Source, output: Output) -> Reading[None]:
    name = yield from source.until((">",), most=MAX_NAME)
    output.start_call(name)
    tool = output.tools[name]
    output.arguments("{")
    separator = ""
    yield from source.skip_space()
    while (yield from source.accept(_PARAMETER)):
        key = yield from source.until((">",), most=MAX_NAME)
        output.arguments(f'{separator}"{quoted(key)}": ')
        separator = ", "
        yield from source.accept("\n")
        if takes_null(tool, key) and (yield from source.accept_one(_NULLS)):
            output.arguments("null")
        elif takes_text(tool, key):
            yield from _pass_text(source, output)
        else:
            yield from _pass_value(source, output)
        yield from source.skip_space()
    yield from source.expect(_FUNCTION_END)
    output.arguments("}")


def _pass_text(source: Source, output: Output) -> Reading[None]:
    output.arguments('"')
    end = yield from source.pass_to(
        _VALUE_ENDS, lambda text: output.arguments(quoted(text))
    )
    if not end:
        raise Mismatch
    output.arguments('"')


def _pass_value(source: Source, output: Output) -> Reading[None]:
    """Pass on a value that is no text, when it is complete."""
    parts: list[str] = []
    if not (yield from source.pass_to(_VALUE_ENDS, parts.append)):
        raise Mismatch
    output.arguments(_json("".join(parts).strip()))


def _json(text: str) -> str:
    """Return a value as JSON: it is JSON, or Python's, or else a text."""
    try:
        return literal_text(text)
    except ValueError:
        return f'"{quoted(text)}"'
