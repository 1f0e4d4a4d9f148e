"""Gemma: calls between tokens, in a notation of their own; strings in tokens, too.

::

    <|tool_call>call:look{at:<|"|>the sky<|"|>,times:2}<tool_call|>
    <start_function_call>call:look{at:<escape>the sky<escape>}<end_function_call>

After https://ai.google.dev/gemma/docs and the chat templates: Gemma 4, then
FunctionGemma. Arguments in JSON are understood, too.
"""

import json
import re
from collections.abc import Sequence
from typing import Any

from llm_ext.chat.arguments import arguments_of
from llm_ext.chat.family import MAX_NAME, NAME, Family, parameters
from llm_ext.chat.json_values import MAX_DEPTH, quoted, read_text
from llm_ext.chat.lark import Lark, Member
from llm_ext.chat.output import Output
from llm_ext.chat.plain_schema import PlainProperty, plain_properties
from llm_ext.chat.prose import Prose
from llm_ext.chat.source import Mismatch, Reading, Source
from llm_ext.core.messages import ToolCall
from llm_ext.core.tools import Tool

_GEMMA_4 = ("<|tool_call>", "<tool_call|>", '<|"|>')
_FUNCTION_GEMMA = ("<start_function_call>", "<end_function_call>", "<escape>")
_QUOTES = (_GEMMA_4[2], _FUNCTION_GEMMA[2])

_WORD = re.compile(r"[^\s,:{}\[\]<\"]+")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_LITERALS = {"true": "true", "false": "false", "null": "null", "None": "null"}


class Gemma(Family):
    """See the module."""

    markers = (*_GEMMA_4, *_FUNCTION_GEMMA)

    def __init__(self, template: str) -> None:
        super().__init__(template)
        newer = _GEMMA_4[0] in template
        self._opening, self._closing, self._quote = (
            _GEMMA_4 if newer else _FUNCTION_GEMMA
        )

    @classmethod
    def detects(cls, template: str) -> bool:
        """See Family."""
        return _GEMMA_4[0] in template or _FUNCTION_GEMMA[0] in template

    def read(self, source: Source, output: Output) -> Reading[None]:
        """See Family."""
        marks = (_GEMMA_4[0], _FUNCTION_GEMMA[0])
        yield from Prose(source, output, marks=marks).read(_attempt)

    def write(self, calls: Sequence[ToolCall]) -> str:
        """See Family."""
        return "".join(
            f"{self._opening}call:{call.name}"
            f"{self._written(arguments_of(call.arguments))}{self._closing}"
            for call in calls
        )

    def grammar(self, tools: Sequence[Tool], lark: Lark, *, many: bool) -> str:
        """See Family."""
        call = lark.either(
            lark.sequence(
                lark.text(f"{self._opening}call:{tool.name}"),
                self._arguments(tool, lark),
                lark.text(self._closing),
            )
            for tool in tools
        )
        return lark.repeated(call, "", many=many)

    def _arguments(self, tool: Tool, lark: Lark) -> str:
        """Return arguments in the model's notation where it can hold the schema."""
        properties = plain_properties(tool)
        if properties is None or any(plain.kind == "nested" for plain in properties):
            return lark.json(parameters(tool))
        members = [
            Member(
                lark.sequence(lark.text(f"{plain.name}:"), self._value(plain, lark)),
                plain.required,
            )
            for plain in properties
        ]
        return lark.members("{", members, ",", "}")

    def _value(self, plain: PlainProperty, lark: Lark) -> str:
        quote = self._quote
        if plain.kind == "text":
            return lark.sequence(lark.text(quote), lark.until(quote))
        if plain.kind == "option":
            return lark.either(lark.text(f"{quote}{o}{quote}") for o in plain.options)
        return lark.json(plain.schema)

    def _written(self, value: Any) -> str:  # noqa: ANN401  # any JSON
        match value:
            case str():
                return f"{self._quote}{value}{self._quote}"
            case dict():
                members = (f"{key}:{self._written(v)}" for key, v in value.items())
                return f"{{{','.join(members)}}}"
            case list():
                return f"[{','.join(map(self._written, value))}]"
            case _:
                return json.dumps(value)


def _attempt(source: Source, output: Output, _mark: str) -> Reading[None]:
    yield from source.skip_space()
    yield from source.expect("call:")
    name = yield from source.word(NAME, most=MAX_NAME)
    yield from source.skip_space()
    if (yield from source.peek()) != "{":
        raise Mismatch
    output.start_call(name)
    yield from _pass_value(source, output, depth=0)
    yield from source.skip_space()
    yield from source.accept_one((_GEMMA_4[1], _FUNCTION_GEMMA[1]))
    output.complete_call()


def _pass_value(source: Source, output: Output, *, depth: int) -> Reading[None]:
    """Read a value, and pass it on as JSON while it comes."""
    if depth > MAX_DEPTH:
        raise Mismatch
    quote = yield from source.accept_one(_QUOTES)
    if quote:
        yield from _pass_string(source, output, quote)
    elif (yield from source.accept("{")):
        yield from _pass_items(source, output, "{}", depth=depth)
    elif (yield from source.accept("[")):
        yield from _pass_items(source, output, "[]", depth=depth)
    elif (yield from source.peek()) == '"':
        output.arguments(f'"{quoted((yield from read_text(source)))}"')
    else:
        word = yield from source.word(_WORD, most=MAX_NAME)
        output.arguments(_json_word(word))


def _pass_string(source: Source, output: Output, quote: str) -> Reading[None]:
    output.arguments('"')
    marks = (quote,)
    end = yield from source.pass_to(marks, lambda text: output.arguments(quoted(text)))
    if not end:
        raise Mismatch
    output.arguments('"')


def _pass_items(
    source: Source, output: Output, brackets: str, *, depth: int
) -> Reading[None]:
    output.arguments(brackets[0])
    yield from source.skip_space()
    first = True
    while not (yield from source.accept(brackets[1])):
        if not first:
            yield from source.expect(",")
            yield from source.skip_space()
            output.arguments(", ")
        first = False
        if brackets == "{}":
            yield from _pass_key(source, output)
        yield from _pass_value(source, output, depth=depth + 1)
        yield from source.skip_space()
    output.arguments(brackets[1])


def _pass_key(source: Source, output: Output) -> Reading[None]:
    quote = yield from source.accept_one(_QUOTES)
    if quote:
        key = yield from source.until((quote,), most=MAX_NAME)
    elif (yield from source.peek()) == '"':
        key = yield from read_text(source)
    else:
        key = yield from source.word(_WORD, most=MAX_NAME)
    if not key:
        raise Mismatch
    yield from source.skip_space()
    yield from source.expect(":")
    yield from source.skip_space()
    output.arguments(f'"{quoted(key)}": ')


def _json_word(word: str) -> str:
    """Return a bare word as JSON: a literal, a number, else a text."""
    if not word:
        raise Mismatch
    if word in _LITERALS:
        return _LITERALS[word]
    return word if _NUMBER.fullmatch(word) else f'"{quoted(word)}"'
