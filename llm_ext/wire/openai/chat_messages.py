"""``v1/chat/completions``: the messages that clients send."""

from collections.abc import Sequence
from typing import Any

import msgspec

from llm_ext.core.messages import ChatMessage, Role, ToolCall
from llm_ext.errors import InvalidRequestError


class _Part(msgspec.Struct):
    type: str
    text: str | None = None


class _CalledFunction(msgspec.Struct):
    name: str
    arguments: str | dict[str, Any] = "{}"


class _ToolCall(msgspec.Struct):
    function: _CalledFunction
    id: str = ""


class Message(msgspec.Struct):
    """A turn; ``reasoning`` is vLLM's name of ``reasoning_content``."""

    role: str
    content: str | list[_Part] | None = None
    name: str | None = None
    tool_calls: list[_ToolCall] | None = None
    tool_call_id: str | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None


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
        InvalidRequestError: There is none, or one of an unknown role, with parts that
            are no text, or with a result of no call; names the field.
    """
    if not messages:
        raise InvalidRequestError(
            "There must be at least one message.", param="messages"
        )
    return tuple(
        _message(message, f"messages[{index}]")
        for index, message in enumerate(messages)
    )


def _message(message: Message, where: str) -> ChatMessage:
    role = _ROLES.get(message.role)
    if role is None:
        known = ", ".join(_ROLES)
        raise InvalidRequestError(
            f"'{message.role}' is no role; known ones are {known}.",
            param=f"{where}.role",
        )
    if role == "tool" and message.tool_call_id is None:
        raise InvalidRequestError(
            "A message of the role 'tool' needs the 'tool_call_id' of its call.",
            param=f"{where}.tool_call_id",
        )
    return ChatMessage(
        role=role,
        content=_text(message.content, where),
        reasoning=message.reasoning_content or message.reasoning or "",
        tool_calls=tuple(map(_tool_call, message.tool_calls or ())),
        tool_call_id=message.tool_call_id,
        name=message.name,
    )


def _tool_call(call: _ToolCall) -> ToolCall:
    given = call.function.arguments
    text = given if isinstance(given, str) else msgspec.json.encode(given).decode()
    return ToolCall(id=call.id, name=call.function.name, arguments=text)


def _text(content: str | list[_Part] | None, where: str) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    for index, part in enumerate(content):
        if part.type != "text" or part.text is None:
            raise InvalidRequestError(
                f"A message part of type '{part.type}' is not supported; "
                f"this version reads text.",
                param=f"{where}.content[{index}]",
            )
    return "".join(part.text or "" for part in content)
