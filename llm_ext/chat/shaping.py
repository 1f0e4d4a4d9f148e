"""Messages as chat templates take them; what a template cannot show becomes text."""

import json
from collections.abc import Sequence
from typing import Any

from llm_ext.core.messages import ChatMessage, ToolCall
from llm_ext.core.tools import Tool

from .arguments import arguments_of
from .family import Family
from .template import ChatTemplate, Turn


def shaped_turns(
    messages: Sequence[ChatMessage],
    tools: Sequence[Tool],
    *,
    template: ChatTemplate,
    family: Family,
) -> list[Turn]:
    """Return the messages for ``template``.

    Where it would leave out tools, calls, results or system messages, they become a
    part of the text of other messages, as models of ``family`` write them.
    """
    names = {call.id: call.name for message in messages for call in message.tool_calls}
    turns = [_turn(message, names, template, family) for message in messages]
    turns = family.shape(turns, tools)
    if tools and not template.knows_tools and not _shown(turns):
        turns = _with_system(turns, instructions(tools, family))
    if turns and turns[0]["role"] == "system" and not template.knows_system:
        turns = _without_system(turns)
    if template.wants_parts:
        turns = [{**turn, "content": _parts(turn["content"])} for turn in turns]
    return turns


def template_tools(tools: Sequence[Tool]) -> list[dict[str, Any]]:
    """Return the tools as templates know them: OpenAI's shape."""
    return [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.description,
                "parameters": tool.parameters,
            },
        }
        for tool in tools
    ]


def instructions(tools: Sequence[Tool], family: Family) -> str:
    """Return what a model is told of tools that its chat template does not show."""
    listed = [json.dumps(tool["function"]) for tool in template_tools(tools)]
    example = ToolCall(id="0", name="NAME", arguments='{"PARAMETER": "VALUE"}')
    return "\n".join(
        [
            "You can call these tools:",
            *listed,
            "To call one, write its name and arguments exactly like this:",
            family.write([example]),
            "You are then told the result. Call a tool only where it helps.",
        ]
    )


def _turn(
    message: ChatMessage, names: dict[str, str], template: ChatTemplate, family: Family
) -> Turn:
    if message.role == "tool":
        return _result(message, names, template)
    turn: Turn = {"role": message.role, "content": message.content}
    if message.reasoning:
        turn["reasoning_content"] = message.reasoning
    if message.tool_calls and template.knows_calls:
        as_text = template.wants_text_arguments
        turn["tool_calls"] = [_call(call, as_text) for call in message.tool_calls]
    elif message.tool_calls:
        parts = (message.content, family.write(message.tool_calls))
        turn["content"] = "\n".join(part for part in parts if part)
    return turn


def _result(
    message: ChatMessage, names: dict[str, str], template: ChatTemplate
) -> Turn:
    call_id = message.tool_call_id or ""
    name = message.name or names.get(call_id, "")
    if template.knows_results:
        return {
            "role": "tool",
            "content": message.content,
            "tool_call_id": call_id,
            "name": name,
        }
    told = f"The result of {name or 'the tool'}:\n{message.content}"
    return {"role": "user", "content": told}


def _call(call: ToolCall, as_text: bool) -> dict[str, Any]:  # noqa: FBT001  # one caller
    arguments: object = call.arguments if as_text else arguments_of(call.arguments)
    function = {"name": call.name, "arguments": arguments}
    return {"id": call.id, "type": "function", "function": function}


def _shown(turns: list[Turn]) -> bool:
    """Whether the family has put the tools into a message already."""
    return any("tools" in turn for turn in turns)


def _with_system(turns: list[Turn], text: str) -> list[Turn]:
    if turns and turns[0]["role"] == "system":
        content = "\n\n".join(part for part in (turns[0]["content"], text) if part)
        return [{**turns[0], "content": content}, *turns[1:]]
    return [{"role": "system", "content": text}, *turns]


def _without_system(turns: list[Turn]) -> list[Turn]:
    """Put the system message before what the user says first."""
    text = turns[0]["content"]
    rest = [dict(turn) for turn in turns[1:]]
    for turn in rest:
        if turn["role"] == "user":
            turn["content"] = f"{text}\n\n{turn['content']}"
            return rest
    return [{"role": "user", "content": text}, *rest]


def _parts(content: str | None) -> list[dict[str, str]]:
    return [{"type": "text", "text": content or ""}]
