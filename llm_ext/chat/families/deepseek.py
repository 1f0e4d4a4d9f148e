"""DeepSeek: calls between tokens, of which V3.1 needs fewer than R1 and V3.

::

    <|tool calls begin|><|tool call begin|>function<|tool sep|>look
    ```json
    {"at": "the sky"}
    ```<|tool call end|><|tool calls end|>

    <|tool calls begin|><|tool call begin|>look<|tool sep|>{"at": "the sky"}
    <|tool call end|><|tool calls end|>

Their bars are full-width, their spaces lower blocks, and the second form has no line
break. After the chat templates and model cards at https://huggingface.co/deepseek-ai.
"""

from collections.abc import Sequence

from llm_ext.chat.family import MAX_NAME, NAME, Family, parameters
from llm_ext.chat.json_values import read_object
from llm_ext.chat.lark import Lark
from llm_ext.chat.output import Output
from llm_ext.chat.prose import Prose
from llm_ext.chat.source import Reading, Source
from llm_ext.chat.template import Turn
from llm_ext.core.messages import ToolCall
from llm_ext.core.tools import Tool


def _token(words: str) -> str:
    bar, space = "\N{FULLWIDTH VERTICAL LINE}", "\N{LOWER ONE EIGHTH BLOCK}"
    return f"<{bar}{words.replace(' ', space)}{bar}>"


_CALLS, _CALLS_END = _token("tool calls begin"), _token("tool calls end")
_CALL, _CALL_END = _token("tool call begin"), _token("tool call end")
_BETWEEN = _token("tool sep")
_KIND = "function"


class DeepSeek(Family):
    """See the module."""

    markers = (_CALLS, _CALLS_END, _CALL, _CALL_END, _BETWEEN)

    def __init__(self, template: str) -> None:
        super().__init__(template)
        self._fenced = "```json" in template

    @classmethod
    def detects(cls, template: str) -> bool:
        """See Family."""
        return _CALLS in template

    def read(self, source: Source, output: Output) -> Reading[None]:
        """See Family."""
        yield from Prose(source, output, marks=(_CALLS, _CALL)).read(_attempt)

    def write(self, calls: Sequence[ToolCall]) -> str:
        """See Family."""
        written = (
            f"{_CALL}{self._head(call.name)}{call.arguments}{self._tail}"
            for call in calls
        )
        return f"{_CALLS}{self._separator.join(written)}{_CALLS_END}"

    def grammar(self, tools: Sequence[Tool], lark: Lark, *, many: bool) -> str:
        """See Family."""
        call = lark.either(
            lark.sequence(
                lark.text(_CALL + self._head(tool.name)),
                lark.json(parameters(tool)),
                lark.text(self._tail),
            )
            for tool in tools
        )
        separator = lark.text(self._separator)
        calls = lark.repeated(call, separator, many=many)
        return lark.sequence(lark.text(_CALLS), calls, lark.text(_CALLS_END))

    def shape(self, turns: list[Turn], _tools: Sequence[Tool]) -> list[Turn]:
        """Leave out the empty content of turns with calls.

        Templates write a turn for it.
        """
        return [
            {**turn, "content": turn["content"] or None}
            if "tool_calls" in turn
            else turn
            for turn in turns
        ]

    def _head(self, name: str) -> str:
        if self._fenced:
            return f"{_KIND}{_BETWEEN}{name}\n```json\n"
        return f"{name}{_BETWEEN}"

    @property
    def _tail(self) -> str:
        return f"\n```{_CALL_END}" if self._fenced else _CALL_END

    @property
    def _separator(self) -> str:
        return "\n" if self._fenced else ""


def _attempt(source: Source, output: Output, mark: str) -> Reading[None]:
    """Read calls up to the end of all; each but the first is optional."""
    yield from source.skip_space()
    if mark == _CALLS:
        yield from source.expect(_CALL)
    while True:
        yield from _read_call(source, output)
        output.complete_call()
        if output.full:
            return
        yield from source.skip_space()
        if not (yield from source.accept(_CALL)):
            break
    yield from source.accept(_CALLS_END)
    output.commit()


def _read_call(source: Source, output: Output) -> Reading[None]:
    yield from source.skip_space()
    name = yield from source.word(NAME, most=MAX_NAME)
    yield from source.expect(_BETWEEN)
    yield from source.skip_space()
    if (yield from source.peek()) != "{":
        name = yield from source.word(NAME, most=MAX_NAME)
        yield from source.skip_space()
        yield from source.accept("```json")
        yield from source.skip_space()
    output.start_call(name)
    yield from read_object(source, output.arguments)
    yield from source.skip_space()
    yield from source.accept("```")
    yield from source.skip_space()
    yield from source.accept(_CALL_END)
