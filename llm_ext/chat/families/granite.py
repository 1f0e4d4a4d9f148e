"""Granite 3: a JSON list after a token.

::

    <|tool_call|>[{"name": "look", "arguments": {"at": "the sky"}}]

After the chat templates and model cards at https://huggingface.co/ibm-granite. Granite
3.1 also writes the token as a tag, ``<tool_call>``; Granite 4 is Hermes's.
"""

from collections.abc import Sequence

from llm_ext.chat.family import Family, json_call, written_call
from llm_ext.chat.json_calls import read_calls
from llm_ext.chat.lark import Lark
from llm_ext.chat.output import Output
from llm_ext.chat.prose import Prose
from llm_ext.chat.source import Reading, Source
from llm_ext.core.messages import ToolCall
from llm_ext.core.tools import Tool

_OPENING = "<|tool_call|>"
_OPENINGS = (_OPENING, "<tool_call>")
_CLOSINGS = ("</tool_call>", "<|/tool_call|>")


class Granite(Family):
    """See the module."""

    markers = (*_OPENINGS, *_CLOSINGS)

    @classmethod
    def detects(cls, template: str) -> bool:
        """See Family."""
        return _OPENING in template and "<|start_of_role|>" in template

    def read(self, source: Source, output: Output) -> Reading[None]:
        """See Family."""
        yield from Prose(source, output, marks=_OPENINGS).read(_attempt)

    def write(self, calls: Sequence[ToolCall]) -> str:
        """See Family."""
        return f"{_OPENING}[{', '.join(map(written_call, calls))}]"

    def grammar(self, tools: Sequence[Tool], lark: Lark, *, many: bool) -> str:
        """See Family."""
        call = lark.either(json_call(lark, tool) for tool in tools)
        calls = lark.repeated(call, lark.text(", "), many=many)
        return lark.sequence(lark.text(f"{_OPENING}["), calls, lark.text("]"))


def _attempt(source: Source, output: Output, _mark: str) -> Reading[None]:
    yield from read_calls(source, output)
    yield from source.skip_space()
    yield from source.accept_one(_CLOSINGS)
    output.commit()
