"""Phi-4-mini: a JSON list between tokens, or after a word.

::

    <|tool_call|>[{"name": "look", "arguments": {"at": "the sky"}}]<|/tool_call|>
    functools[{"name": "look", "arguments": {"at": "the sky"}}]

After the model card at https://huggingface.co/microsoft/Phi-4-mini-instruct, whose
template takes the tools from the system message, as JSON text, each without OpenAI's
wrapping; the second form is what the model writes without the tokens.
"""

import json
from collections.abc import Sequence

from llm_ext.chat.family import Family, json_call, written_call
from llm_ext.chat.json_calls import read_calls
from llm_ext.chat.lark import Lark
from llm_ext.chat.output import Output
from llm_ext.chat.prose import Prose
from llm_ext.chat.source import Mismatch, Reading, Source
from llm_ext.chat.template import Turn
from llm_ext.core.messages import ToolCall
from llm_ext.core.tools import Tool

_OPENING, _CLOSING = "<|tool_call|>", "<|/tool_call|>"
_WORD = "functools"


class Phi(Family):
    """See the module."""

    markers = (_OPENING, _CLOSING)

    @classmethod
    def detects(cls, template: str) -> bool:
        """See Family."""
        return "<|/tool|>" in template or f"{_WORD}[" in template

    def read(self, source: Source, output: Output) -> Reading[None]:
        """See Family."""
        yield from Prose(source, output, marks=(_OPENING, _WORD)).read(_attempt)

    def write(self, calls: Sequence[ToolCall]) -> str:
        """See Family."""
        return f"{_OPENING}[{', '.join(map(written_call, calls))}]{_CLOSING}"

    def grammar(self, tools: Sequence[Tool], lark: Lark, *, many: bool) -> str:
        """See Family."""
        call = lark.either(json_call(lark, tool) for tool in tools)
        calls = lark.repeated(call, lark.text(", "), many=many)
        opening, closing = lark.text(f"{_OPENING}["), lark.text(f"]{_CLOSING}")
        return lark.sequence(opening, calls, closing)

    def shape(self, turns: list[Turn], tools: Sequence[Tool]) -> list[Turn]:
        """Put the tools into the system message."""
        if not tools:
            return turns
        listed = [
            {"name": t.name, "description": t.description, "parameters": t.parameters}
            for t in tools
        ]
        if not turns or turns[0]["role"] != "system":
            turns = [{"role": "system", "content": ""}, *turns]
        return [{**turns[0], "tools": json.dumps(listed)}, *turns[1:]]


def _attempt(source: Source, output: Output, mark: str) -> Reading[None]:
    yield from source.skip_space()
    if mark == _WORD and (yield from source.peek()) != "[":
        raise Mismatch
    yield from read_calls(source, output)
    yield from source.skip_space()
    yield from source.accept(_CLOSING)
    output.commit()
