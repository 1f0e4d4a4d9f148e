"""Models that were taught no notation, or one that is not known here: plain JSON.

::

    {"name": "look", "arguments": {"at": "the sky"}}

The object, or a list of them, begins a line; it may be fenced as Markdown, or tagged.
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

_FENCE, _TAG, _TAG_END = "```", "<tool_call>", "</tool_call>"
_LANGUAGES = ("json", "tool_call", "tool_code")


class Generic(Family):
    """See the module."""

    @classmethod
    def detects(cls, template: str) -> bool:  # noqa: ARG003  # it takes all
        """See Family."""
        return True

    def read(self, source: Source, output: Output) -> Reading[None]:
        """See Family."""
        marks = ("{", "[", _FENCE, _TAG)
        prose = Prose(source, output, marks=(), line_marks=marks)
        yield from prose.read(_attempt)

    def write(self, calls: Sequence[ToolCall]) -> str:
        """See Family."""
        return "\n".join(map(written_call, calls))

    def grammar(self, tools: Sequence[Tool], lark: Lark, *, many: bool) -> str:
        """See Family."""
        call = lark.either(json_call(lark, tool) for tool in tools)
        return lark.repeated(call, lark.text("\n"), many=many)


def _attempt(source: Source, output: Output, mark: str) -> Reading[None]:
    if mark == _FENCE:
        yield from source.accept_one(_LANGUAGES)
        yield from _read_enclosed(source, output, _FENCE)
    elif mark == _TAG:
        yield from _read_enclosed(source, output, _TAG_END)
    else:
        source.position -= len(mark)
        yield from read_calls(source, output)


def _read_enclosed(source: Source, output: Output, closing: str) -> Reading[None]:
    """Read calls, which may be on lines of their own, and what closes them."""
    while True:
        yield from read_calls(source, output)
        if output.full:
            return
        yield from source.skip_space()
        if (yield from source.accept(closing)):
            break
        if (yield from source.peek()) not in ("{", "["):
            source.position = output.committed
            return
    output.commit()
