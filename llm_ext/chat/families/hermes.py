"""Hermes, Qwen 2.5 and 3, Granite 4 and many others: JSON between tags.

::

    <tool_call>
    {"name": "look", "arguments": {"at": "the sky"}}
    </tool_call>

After https://github.com/NousResearch/Hermes-Function-Calling, and the chat templates of
these models.
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

OPENING, CLOSING = "<tool_call>", "</tool_call>"


class Hermes(Family):
    """See the module."""

    markers = (OPENING, CLOSING)

    @classmethod
    def detects(cls, template: str) -> bool:
        """See Family."""
        inside = '"name' in template.replace("\\", "") and "arguments" in template
        return OPENING in template and inside and "<arg_key>" not in template

    def read(self, source: Source, output: Output) -> Reading[None]:
        """See Family."""
        yield from Prose(source, output, marks=(OPENING,)).read(_attempt)

    def write(self, calls: Sequence[ToolCall]) -> str:
        """See Family."""
        return "\n".join(f"{OPENING}\n{written_call(c)}\n{CLOSING}" for c in calls)

    def grammar(self, tools: Sequence[Tool], lark: Lark, *, many: bool) -> str:
        """See Family."""
        inside = lark.either(json_call(lark, tool) for tool in tools)
        call = lark.sequence(
            lark.text(f"{OPENING}\n"), inside, lark.text(f"\n{CLOSING}")
        )
        return lark.repeated(call, lark.text("\n"), many=many)


def _attempt(source: Source, output: Output, _mark: str) -> Reading[None]:
    yield from read_calls(source, output)
    yield from source.skip_space()
    yield from source.accept(CLOSING)
    output.commit()
