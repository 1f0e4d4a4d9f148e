"""gpt-oss: messages in channels, of which some are thoughts and some are calls.

::

    <|channel|>analysis<|message|>They want the sky.<|end|><|start|>assistant
    <|channel|>commentary to=functions.look <|constrain|>json<|message|>{"at": "sky"}

    <|channel|>final<|message|>It is blue.

After https://cookbook.openai.com/articles/openai-harmony. The prompt ends with
``<|start|>assistant``; the recipient may also come before the channel.
"""

import re
from collections.abc import Sequence

from llm_ext.chat.family import Family, parameters
from llm_ext.chat.json_values import Emit, read_object
from llm_ext.chat.lark import Lark
from llm_ext.chat.output import Output
from llm_ext.chat.source import Mismatch, Reading, Source
from llm_ext.chat.template import Turn
from llm_ext.core.messages import ToolCall
from llm_ext.core.tools import Tool

_START, _CHANNEL, _MESSAGE = "<|start|>", "<|channel|>", "<|message|>"
_CONSTRAIN, _END = "<|constrain|>", "<|end|>"
_ENDS = (_END, "<|return|>", "<|call|>")
_BEGINNINGS = (_START, _CHANNEL)
_THOUGHTS = "analysis"
_RECIPIENT = re.compile(r"to=(?:functions\.)?([\w.:/-]+)")
_HEADERS = (_START, _CHANNEL, " to=", "to=")
_MAX_HEADER = 300


class Harmony(Family):
    """See the module."""

    markers = (_START, _CHANNEL, _MESSAGE, _CONSTRAIN, _END)
    thinks = True

    @classmethod
    def detects(cls, template: str) -> bool:
        """See Family."""
        return f"{_CHANNEL}{_THOUGHTS}" in template

    def read(self, source: Source, output: Output) -> Reading[None]:
        """See Family."""
        while (yield from source.peek()):
            start = source.position
            mark = yield from source.accept_one(_HEADERS)
            try:
                yield from _read_message(source, output, mark)
            except Mismatch:
                output.break_call()
                source.position = start
                output.content(start, start + len(mark))
                source.position += len(mark)
                yield from _show(source, output)
            if output.full:
                return
            source.forget()

    def write(self, calls: Sequence[ToolCall]) -> str:
        """See Family."""
        return f"{_ENDS[2]}{_START}assistant".join(
            f"{_head(call.name)}{call.arguments}" for call in calls
        )

    def grammar(self, tools: Sequence[Tool], lark: Lark, *, many: bool) -> str:  # noqa: ARG002  # an answer ends with its first call
        """See Family."""
        call = lark.either(
            lark.sequence(lark.text(_head(tool.name)), lark.json(parameters(tool)))
            for tool in tools
        )
        return _after_thought(call, lark)

    def answer(self, answer: str, lark: Lark) -> str:
        """See Family."""
        head = lark.text(f"{_CHANNEL}final{_MESSAGE}")
        return _after_thought(lark.sequence(head, answer), lark)

    def shape(self, turns: list[Turn], _tools: Sequence[Tool]) -> list[Turn]:
        """Give thoughts by the name that the template knows; not beside content."""
        return [_with_thinking(turn) for turn in turns]


def _head(name: str) -> str:
    return f"{_CHANNEL}commentary to=functions.{name} {_CONSTRAIN}json{_MESSAGE}"


def _after_thought(message: str, lark: Lark) -> str:
    opening = lark.text(f"{_CHANNEL}{_THOUGHTS}{_MESSAGE}")
    after = lark.text(f"{_START}assistant")
    thought = lark.sequence(opening, lark.until(_END), after)
    return lark.rule(f"{thought}? {message}")


def _with_thinking(turn: Turn) -> Turn:
    thought = turn.get("reasoning_content")
    if not thought or turn["content"]:
        return turn
    return {**turn, "thinking": thought}


def _read_message(source: Source, output: Output, mark: str) -> Reading[None]:
    """Read a message after what its header begins with.

    Raises:
        Mismatch: There is no header, or no valid call where one is announced.
    """
    if not mark:
        raise Mismatch
    header = mark + (yield from source.until((_MESSAGE,), most=_MAX_HEADER))
    recipient = _RECIPIENT.search(header)
    if recipient is not None:
        yield from _read_call(source, output, recipient[1])
    elif _THOUGHTS in header and output.thoughts:
        yield from _pass(source, output.reasoning, strip=True)
    else:
        yield from _show(source, output)


def _read_call(source: Source, output: Output, name: str) -> Reading[None]:
    yield from source.skip_space()
    output.start_call(name)
    yield from read_object(source, output.arguments)
    yield from source.skip_space()
    yield from source.accept_one(_ENDS)
    output.complete_call()


def _show(source: Source, output: Output) -> Reading[None]:
    def show(text: str) -> None:
        output.content(source.position, source.position + len(text))

    yield from _pass(source, show, strip=False)


def _pass(source: Source, emit: Emit, *, strip: bool) -> Reading[None]:
    """Pass on the text of a message, up to its end or the next one's beginning."""
    marks = (*_ENDS, *_BEGINNINGS)
    mark = yield from source.pass_to(marks, emit, strip=strip)
    if mark in _BEGINNINGS:
        source.position -= len(mark)
