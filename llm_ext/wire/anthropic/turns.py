"""``v1/messages``: the turns that clients send."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from llm_ext.core.messages import ChatMessage, ToolCall
from llm_ext.errors import InvalidRequestError


class Document(msgspec.Struct):
    """Where a document is from, and what it says, where that is text."""

    type: str | None = None
    data: str | None = None
    content: "str | list[Block] | None" = None


class Block(msgspec.Struct):
    """A part of a turn; which fields it has depends on its type.

    The source is an address where the block is a search result.
    """

    type: str
    text: str | None = None
    thinking: str | None = None
    id: str | None = None
    name: str | None = None
    input: dict[str, Any] | None = None
    tool_use_id: str | None = None
    content: "str | list[Block] | None" = None
    is_error: bool | None = None
    source: Document | str | None = None
    title: str | None = None
    context: str | None = None


class Turn(msgspec.Struct):
    """One message; a text stands for one block of it."""

    role: str
    content: str | list[Block]


_NAMES = {"image": "Images", "document": "Documents"}


def chat_messages(
    system: str | Sequence[Block] | None, turns: Sequence[Turn]
) -> tuple[ChatMessage, ...]:
    """Return the turns of a chat. Turns of one role that follow each other are one.

    Raises:
        InvalidRequestError: There is none, or one of an unknown role, or with a block
            that cannot be read; names the field.
    """
    said: list[ChatMessage] = []
    for index, turn in enumerate(turns):
        said += _messages(turn, f"messages[{index}]")
    if not said:
        raise InvalidRequestError(
            "There must be at least one message, and something in it.",
            param="messages",
        )
    first = _text(system or "", "system")
    told = [ChatMessage(role="system", content=first)] if first else []
    return tuple(_joined([*told, *said]))


def _messages(turn: Turn, where: str) -> Iterable[ChatMessage]:
    match turn.role:
        case "user":
            return _of_user(turn.content, f"{where}.content")
        case "assistant":
            return [_of_assistant(turn.content, f"{where}.content")]
        case "system":
            text = _text(turn.content, f"{where}.content")
            return [ChatMessage(role="system", content=text)]
    raise InvalidRequestError(
        f"'{turn.role}' is no role; known ones are user, assistant and system.",
        param=f"{where}.role",
    )


def _of_user(content: str | list[Block], where: str) -> Iterator[ChatMessage]:
    """Yield what the user says, and results of calls, in their order."""
    if isinstance(content, str):
        yield ChatMessage(role="user", content=content)
        return
    for index, block in enumerate(content):
        at = f"{where}[{index}]"
        if block.type == "tool_result":
            yield _result(block, at)
        else:
            yield ChatMessage(role="user", content=_said(block, at))


def _result(block: Block, where: str) -> ChatMessage:
    if block.tool_use_id is None:
        raise InvalidRequestError(
            "A result needs the 'tool_use_id' of its call.",
            param=f"{where}.tool_use_id",
        )
    text = _text(block.content or "", f"{where}.content")
    return ChatMessage(
        role="tool",
        # Chat templates know results, but no failures.
        content=f"Error: {text}" if block.is_error else text,
        tool_call_id=block.tool_use_id,
    )


def _of_assistant(content: str | list[Block], where: str) -> ChatMessage:
    if isinstance(content, str):
        return ChatMessage(role="assistant", content=content)
    text, thought = "", ""
    calls = []
    for index, block in enumerate(content):
        match block.type:
            case "thinking":
                thought += block.thinking or ""
            case "redacted_thinking":
                pass  # only who wrote it can read it
            case "tool_use":
                calls.append(_call(block, f"{where}[{index}]"))
            case _:
                text += _said(block, f"{where}[{index}]")
    return ChatMessage(
        role="assistant", content=text, reasoning=thought, tool_calls=tuple(calls)
    )


def _call(block: Block, where: str) -> ToolCall:
    if block.id is None or block.name is None:
        raise InvalidRequestError(
            "A call needs an 'id' and the tool's 'name'.", param=where
        )
    arguments = msgspec.json.encode(block.input or {}).decode()
    return ToolCall(id=block.id, name=block.name, arguments=arguments)


def _text(content: str | Sequence[Block], where: str) -> str:
    """Return what blocks say, each a paragraph."""
    if isinstance(content, str):
        return content
    parts = [_said(block, f"{where}[{index}]") for index, block in enumerate(content)]
    return "\n".join(parts)


def _said(block: Block, where: str) -> str:
    match block:
        case Block(type="text", text=str(text)):
            return text
        case Block(type="document", source=Document(type="text", data=str(text))):
            return _titled(block, text)
        case Block(type="document", source=Document(type="content", content=content)):
            return _titled(block, _text(content or "", f"{where}.source.content"))
        case Block(type="search_result", source=str(), content=[*content]):
            return _titled(block, _text(content, f"{where}.content"))
    what = _NAMES.get(block.type, f"Blocks of type '{block.type}'")
    raise InvalidRequestError(
        f"{what} cannot be read here; this version reads text.", param=where
    )


def _titled(block: Block, text: str) -> str:
    """Return a text below what is said of it: its title, where it is from, its use."""
    source = block.source if isinstance(block.source, str) else None
    above = [line for line in (block.title, source, block.context) if line]
    return "\n".join([*above, text])


def _joined(messages: Iterable[ChatMessage]) -> Iterator[ChatMessage]:
    """Yield the messages, those of one role that follow each other as one.

    Results stay apart: each is of its own call.
    """
    last: ChatMessage | None = None
    for message in messages:
        if last is None:
            last = message
        elif message.role == last.role != "tool":
            last = _both(last, message)
        else:
            yield last
            last = message
    if last is not None:
        yield last


def _both(first: ChatMessage, second: ChatMessage) -> ChatMessage:
    # What the assistant wrote is gone on with; what others say are paragraphs.
    between = "" if first.role == "assistant" else "\n"
    return msgspec.structs.replace(
        first,
        content=f"{first.content}{between}{second.content}",
        reasoning=first.reasoning + second.reasoning,
        tool_calls=(*first.tool_calls, *second.tool_calls),
    )
