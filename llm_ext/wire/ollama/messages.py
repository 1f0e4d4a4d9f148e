"""``api/chat``: the messages that clients send."""

from collections.abc import Sequence
from typing import Any

import msgspec

from llm_ext.core.messages import ChatMessage, Role, ToolCall
from llm_ext.errors import InvalidRequestError

from .call import refuse_images


class _CalledFunction(msgspec.Struct):
    name: str
    arguments: dict[str, Any] = {}


class _ToolCall(msgspec.Struct):
    function: _CalledFunction
    id: str | None = None


class Message(msgspec.Struct):
    """A turn."""

    role: str
    content: str | None = None
    thinking: str | None = None
    images: list[str] | None = None
    tool_calls: list[_ToolCall] | None = None
    tool_name: str | None = None
    tool_call_id: str | None = None


_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
}


def chat_messages(messages: Sequence[Message]) -> tuple[ChatMessage, ...]:
    """Return the turns of a chat.

    Raises:
        InvalidRequestError: A role is not known; names the field.
        NotSupportedError: There are images.
    """
    calls = _Calls()
    return tuple(
        _message(message, f"messages[{index}]", calls)
        for index, message in enumerate(messages)
    )


class _Calls:
    """Calls that have no result yet. Ollama's clients need not say which one it is of.

    A call without an id gets one, and a result goes to the first call of its tool, or
    else to the first of all.
    """

    def __init__(self) -> None:
        self._made = 0
        self._open: list[ToolCall] = []

    def made(self, call: _ToolCall) -> ToolCall:
        """Take notice of a call."""
        self._made += 1
        made = ToolCall(
            id=call.id or f"call_{self._made}",
            name=call.function.name,
            arguments=msgspec.json.encode(call.function.arguments).decode(),
        )
        self._open.append(made)
        return made

    def answered(self, message: Message) -> str | None:
        """Return the id of the call that a message is the result of."""
        wanted = message.tool_call_id
        found = [call for call in self._open if call.id == wanted]
        if wanted is None:
            named = [call for call in self._open if call.name == message.tool_name]
            found = named or self._open
        if not found:
            return wanted
        call = found[0]
        self._open.remove(call)
        return call.id


def _message(message: Message, where: str, calls: _Calls) -> ChatMessage:
    role = _ROLES.get(message.role)
    if role is None:
        raise InvalidRequestError(
            f"'{message.role}' is no role; known ones are {', '.join(_ROLES)}.",
            param=f"{where}.role",
        )
    refuse_images(message.images, param=f"{where}.images")
    return ChatMessage(
        role=role,
        content=message.content or "",
        reasoning=message.thinking or "",
        tool_calls=tuple(map(calls.made, message.tool_calls or ())),
        tool_call_id=calls.answered(message) if role == "tool" else None,
        name=message.tool_name,
    )
