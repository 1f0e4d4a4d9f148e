"""Llama 3.x: a JSON object as the whole answer, or Python-style calls.

::

    {"name": "look", "parameters": {"at": "the sky"}}
    <|python_tag|>{"name": "look", "parameters": {"at": "the sky"}}
    <|python_tag|>look.call(at="the sky")
    [look(at="the sky"), listen()]

After https://github.com/meta-llama/llama-models (prompt formats of Llama 3.1 to 3.3).
Several JSON objects are separated by semicolons.
"""

from collections.abc import Sequence

from llm_ext.chat.family import Family, json_call, written_call
from llm_ext.chat.json_calls import read_calls
from llm_ext.chat.lark import Lark
from llm_ext.chat.output import Output
from llm_ext.chat.prose import Prose
from llm_ext.chat.pythonic import read_python_call, read_python_calls
from llm_ext.chat.source import Reading, Source
from llm_ext.core.messages import ToolCall
from llm_ext.core.tools import Tool

_TAG = "<|python_tag|>"
_KEY = "parameters"
_LIST_OF_JSON = ("{", "]")


class Llama(Family):
    """See the module."""

    markers = (_TAG,)

    @classmethod
    def detects(cls, template: str) -> bool:
        """See Family."""
        return _TAG in template or (
            "<|start_header_id|>" in template and '"parameters"' in template
        )

    def read(self, source: Source, output: Output) -> Reading[None]:
        """See Family."""
        prose = Prose(source, output, marks=(_TAG,), line_marks=("{", "["))
        yield from prose.read(_attempt)

    def write(self, calls: Sequence[ToolCall]) -> str:
        """See Family."""
        return "; ".join(written_call(call, key=_KEY) for call in calls)

    def grammar(self, tools: Sequence[Tool], lark: Lark, *, many: bool) -> str:
        """See Family."""
        call = lark.either(json_call(lark, tool, key=_KEY) for tool in tools)
        return lark.repeated(call, lark.text("; "), many=many)


def _attempt(source: Source, output: Output, mark: str) -> Reading[None]:
    if mark == _TAG:
        yield from source.skip_space()
        mark = yield from source.accept_one(("{", "["))
    if mark == "{":
        source.position -= 1
        yield from _read_objects(source, output)
    elif mark == "[":
        yield from _read_list(source, output)
    else:
        yield from read_python_call(source, output)
        output.complete_call()


def _read_objects(source: Source, output: Output) -> Reading[None]:
    while True:
        yield from read_calls(source, output)
        if output.full:
            return
        yield from source.skip_space()
        yield from source.accept_one((";", _TAG))
        yield from source.skip_space()
        if (yield from source.peek()) != "{":
            source.position = output.committed
            return


def _read_list(source: Source, output: Output) -> Reading[None]:
    start = source.position - 1
    yield from source.skip_space()
    if (yield from source.peek()) in _LIST_OF_JSON:
        source.position = start
        yield from read_calls(source, output)
    else:
        yield from read_python_calls(source, output)
