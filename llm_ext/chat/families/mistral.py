"""Mistral: a token, then a JSON list, or a name and its arguments for each call.

::

    [TOOL_CALLS][{"name": "look", "arguments": {"at": "the sky"}}]
    [TOOL_CALLS]look[ARGS]{"at": "the sky"}
    [TOOL_CALLS]look[CALL_ID]0a1b2c3d4[ARGS]{"at": "the sky"}

After https://docs.mistral.ai/capabilities/function_calling and the chat templates. The
first is of the models up to 2024, the others of those that followed.
"""

import hashlib
from collections.abc import Sequence

from llm_ext.chat.family import MAX_NAME, NAME, Family, json_call, parameters
from llm_ext.chat.json_calls import read_calls
from llm_ext.chat.json_values import read_object
from llm_ext.chat.lark import Lark
from llm_ext.chat.output import Output
from llm_ext.chat.prose import Prose
from llm_ext.chat.source import Mismatch, Reading, Source
from llm_ext.chat.template import Turn
from llm_ext.core.messages import ToolCall
from llm_ext.core.tools import Tool

_CALLS, _ID, _ARGUMENTS = "[TOOL_CALLS]", "[CALL_ID]", "[ARGS]"
_ID_LENGTH = 9
"""Letters and digits of a call's id; templates refuse others."""


class Mistral(Family):
    """See the module."""

    markers = (_CALLS, _ID, _ARGUMENTS)

    def __init__(self, template: str) -> None:
        super().__init__(template)
        self._by_name = _ARGUMENTS in template
        self._with_id = _ID in template

    @classmethod
    def detects(cls, template: str) -> bool:
        """See Family."""
        return _CALLS in template

    def read(self, source: Source, output: Output) -> Reading[None]:
        """See Family."""
        yield from Prose(source, output, marks=(_CALLS,)).read(_attempt)

    def write(self, calls: Sequence[ToolCall]) -> str:
        """See Family."""
        if self._by_name:
            return "".join(
                f"{_CALLS}{call.name}{self._id(call.id)}{_ARGUMENTS}{call.arguments}"
                for call in calls
            )
        listed = ", ".join(
            f'{{"name": "{call.name}", "arguments": {call.arguments}, '
            f'"id": "{short_id(call.id)}"}}'
            for call in calls
        )
        return f"{_CALLS}[{listed}]"

    def grammar(self, tools: Sequence[Tool], lark: Lark, *, many: bool) -> str:
        """See Family."""
        if not self._by_name:
            call = lark.either(json_call(lark, tool) for tool in tools)
            calls = lark.repeated(call, lark.text(", "), many=many)
            return lark.sequence(lark.text(f"{_CALLS}["), calls, lark.text("]"))
        number = f"/[a-zA-Z0-9]{{{_ID_LENGTH}}}/"
        call_id = [lark.text(_ID), lark.rule(number)] if self._with_id else []
        call = lark.either(
            lark.sequence(
                lark.text(f"{_CALLS}{tool.name}"),
                *call_id,
                lark.text(_ARGUMENTS),
                lark.json(parameters(tool)),
            )
            for tool in tools
        )
        return lark.repeated(call, "", many=many)

    def shape(self, turns: list[Turn], _tools: Sequence[Tool]) -> list[Turn]:
        """Give calls and results ids of the length that templates demand."""
        return [_with_short_ids(turn) for turn in turns]

    def _id(self, call_id: str) -> str:
        return f"{_ID}{short_id(call_id)}" if self._with_id else ""


def short_id(call_id: str) -> str:
    """Return an id of nine letters and digits for a call, always the same."""
    if len(call_id) == _ID_LENGTH and call_id.isalnum():
        return call_id
    return hashlib.sha256(call_id.encode()).hexdigest()[:_ID_LENGTH]


def _with_short_ids(turn: Turn) -> Turn:
    if "tool_call_id" in turn:
        return {**turn, "tool_call_id": short_id(turn["tool_call_id"])}
    if "tool_calls" in turn:
        calls = [{**call, "id": short_id(call["id"])} for call in turn["tool_calls"]]
        return {**turn, "tool_calls": calls}
    return turn


def _attempt(source: Source, output: Output, _mark: str) -> Reading[None]:
    yield from source.skip_space()
    if (yield from source.peek()) in ("[", "{"):
        yield from read_calls(source, output)
        return
    name = yield from source.word(NAME, most=MAX_NAME)
    if name not in output.tools:
        raise Mismatch
    if (yield from source.accept(_ID)):
        yield from source.word(NAME, most=MAX_NAME)
    yield from source.accept(_ARGUMENTS)
    yield from source.skip_space()
    output.start_call(name)
    yield from read_object(source, output.arguments)
    output.complete_call()
