"""The turns of a chat."""

from typing import Literal

import msgspec

Role = Literal["system", "user", "assistant", "tool"]


class ToolCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call that the assistant made.

    Attributes:
        id: By which its result refers to it.
        name: The tool.
        arguments: A JSON object, as text.
    """

    id: str
    name: str
    arguments: str


class ChatMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One turn, as a chat template sees it.

    Attributes:
        role: Whose turn it is; ``tool`` is a call's result.
        content: What was said.
        reasoning: What the assistant thought before it said that.
        tool_calls: What the assistant called.
        tool_call_id: The call that this is the result of.
        name: Of the tool whose result this is, where the client says it.
    """

    role: Role
    content: str = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    name: str | None = None
