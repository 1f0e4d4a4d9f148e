"""Reads whole answers as they would come, in any pieces."""

import itertools
from collections.abc import Iterable
from typing import Any, NamedTuple

from llm_ext.chat.family import Family
from llm_ext.chat.reader import AnswerReader
from llm_ext.chat.reasoning import ReasoningStyle
from llm_ext.core.events import Delta, FinishReason
from llm_ext.core.messages import ChatMessage
from llm_ext.core.requests import ChatRequest
from llm_ext.core.sampling import SamplingOptions
from llm_ext.core.tools import Tool
from llm_ext.core.whole_answer import WholeAnswer

LOOK = Tool(
    name="look",
    description="Looks at something.",
    parameters={
        "type": "object",
        "properties": {
            "at": {"type": "string"},
            "times": {"type": "integer"},
            "how": {"enum": ["closely", "briefly"]},
        },
        "required": ["at"],
        "additionalProperties": False,
    },
)
LISTEN = Tool(name="listen", description="Listens.")
TOOLS = (LOOK, LISTEN)


def request(*messages: ChatMessage, **fields: Any) -> ChatRequest:  # noqa: ANN401  # any field
    """Return a request; without ``messages`` it asks something."""
    return ChatRequest(
        model="m",
        messages=messages or (ChatMessage(role="user", content="x"),),
        sampling=SamplingOptions(),
        **fields,
    )


class Read(NamedTuple):
    """What was made of an answer."""

    content: str
    calls: list[tuple[str, str]]
    reason: FinishReason
    reasoning: str = ""


def read(
    family: Family | None,
    pieces: Iterable[str],
    *,
    tools: tuple[Tool, ...] = TOOLS,
    many: bool = True,
    style: ReasoningStyle | None = None,
    opened: bool = False,
    thoughts: bool = True,
    reason: FinishReason = "stop",
) -> Read:
    """Read an answer that comes in ``pieces``."""
    numbers = itertools.count()
    reader = AnswerReader(
        family,
        tools=tools,
        many=many,
        style=style,
        opened=opened,
        thoughts=thoughts,
        new_id=lambda: f"id-{next(numbers)}",
    )
    answer = WholeAnswer()
    deltas: list[Delta] = []
    for piece in pieces:
        deltas += reader.feed(piece)
        if reader.done:
            break
    last, reason = reader.finish(reason)
    for delta in (*deltas, *last):
        answer.add(delta)
    calls = [(call.name, call.arguments) for call in answer.tool_calls]
    return Read(answer.content, calls, reason, answer.reasoning)
