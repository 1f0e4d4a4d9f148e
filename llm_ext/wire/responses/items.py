"""``v1/responses``: the items of a conversation, as clients send them."""

from collections.abc import Callable, Sequence
from typing import Any, NoReturn, TypeAlias

import msgspec

from llm_ext.core.messages import ChatMessage, Role, ToolCall
from llm_ext.errors import InvalidRequestError


class Part(msgspec.Struct):
    """A part of a message, of a thought or of a result."""

    type: str
    text: str | None = None
    refusal: str | None = None


class Item(msgspec.Struct):
    """A message, a thought, a call or its result, or a reference to one of an answer.

    Without a type it is a message.
    """

    type: str = "message"
    id: str | None = None
    role: str | None = None
    content: str | list[Part] | None = None
    summary: list[Part] | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    output: str | list[Part] | None = None
    status: str | None = None


Recall: TypeAlias = Callable[[str], Item]
"""Returns the item of an earlier answer that has an id; LookupError without one."""


class _Answer(msgspec.Struct):
    output: list[Item]


_answers = msgspec.json.Decoder(_Answer)

_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
}
_TEXTS = {"input_text", "output_text", "text", "reasoning_text", "summary_text"}
_NAMES = {"input_image": "Images", "input_file": "Files", "input_audio": "Audio"}


def nothing_kept(item_id: str) -> NoReturn:
    """Recall nothing; LookupError."""
    raise LookupError(item_id)


def answered(body: bytes, item_id: str) -> Item:
    """Return an item of an answer, which is a response as JSON.

    Raises:
        LookupError: There is none with this id.
    """
    for item in _answers.decode(body).output:
        if item.id == item_id:
            return item
    raise LookupError(item_id)


def chat_messages(
    given: str | Sequence[Item], recall: Recall = nothing_kept
) -> tuple[ChatMessage, ...]:
    """Return the turns of a chat; a text is one of the user's.

    What the assistant thought, said and called becomes one turn.

    Raises:
        InvalidRequestError: An item is of an unknown type, lacks something, holds
            what is no text, or refers to nothing that is kept; names the field.
    """
    if isinstance(given, str):
        return (ChatMessage(role="user", content=given),)
    turns = _Turns()
    for index, item in enumerate(given):
        where = f"input[{index}]"
        if item.type == "item_reference":
            turns.add(_referred(item, where, recall), where)
        else:
            turns.add(item, where)
    return turns.done()


def _referred(item: Item, where: str, recall: Recall) -> Item:
    try:
        return recall(item.id or "")
    except LookupError:
        raise InvalidRequestError(
            f"There is no item {item.id!r} to refer to. Only those of the last "
            f"responses are kept, until the server ends: send the item itself.",
            param=f"{where}.id",
        ) from None


class _Turns:
    """Puts turns together from items."""

    def __init__(self) -> None:
        self._turns: list[ChatMessage] = []
        self._assistant: ChatMessage | None = None

    def add(self, item: Item, where: str) -> None:
        match item.type:
            case "message":
                self._say(item, where)
            case "reasoning":
                thought = _text(item.content or item.summary, f"{where}.content")
                self._go_on(reasoning=thought)
            case "function_call":
                # One that was cut off means nothing.
                if item.status != "incomplete":
                    self._go_on(call=_call(item, where))
            case "function_call_output":
                self._turn(_result(item, where))
            case other:
                raise InvalidRequestError(
                    f"An item of type '{other}' is not supported; known ones are "
                    f"message, reasoning, function_call, function_call_output and "
                    f"item_reference.",
                    param=f"{where}.type",
                )

    def done(self) -> tuple[ChatMessage, ...]:
        self._close()
        return tuple(self._turns)

    def _say(self, item: Item, where: str) -> None:
        role = _ROLES.get(item.role or "")
        if role is None:
            raise InvalidRequestError(
                f"'{item.role}' is no role; known ones are {', '.join(_ROLES)}.",
                param=f"{where}.role",
            )
        text = _text(item.content, f"{where}.content")
        if role == "assistant":
            self._go_on(text=text)
        else:
            self._turn(ChatMessage(role=role, content=text))

    def _go_on(
        self, *, text: str = "", reasoning: str = "", call: ToolCall | None = None
    ) -> None:
        last = self._assistant or ChatMessage(role="assistant")
        self._assistant = msgspec.structs.replace(
            last,
            content=last.content + text,
            reasoning=last.reasoning + reasoning,
            tool_calls=last.tool_calls if call is None else (*last.tool_calls, call),
        )

    def _turn(self, message: ChatMessage) -> None:
        self._close()
        self._turns.append(message)

    def _close(self) -> None:
        if self._assistant is not None:
            self._turns.append(self._assistant)
            self._assistant = None


def _call(item: Item, where: str) -> ToolCall:
    if item.call_id is None or item.name is None:
        raise InvalidRequestError(
            "A call needs a 'call_id' and the function's 'name'.", param=where
        )
    return ToolCall(id=item.call_id, name=item.name, arguments=item.arguments or "{}")


def _result(item: Item, where: str) -> ChatMessage:
    if item.call_id is None:
        raise InvalidRequestError(
            "A result needs the 'call_id' of its call.", param=f"{where}.call_id"
        )
    text = _text(item.output, f"{where}.output")
    return ChatMessage(role="tool", content=text, tool_call_id=item.call_id)


def _text(content: str | list[Part] | None, where: str) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    return "".join(
        _said(part, f"{where}[{index}]") for index, part in enumerate(content)
    )


def _said(part: Part, where: str) -> str:
    if part.type in _TEXTS and part.text is not None:
        return part.text
    if part.type == "refusal":
        return part.refusal or ""
    what = _NAMES.get(part.type, f"Parts of type '{part.type}'")
    raise InvalidRequestError(
        f"{what} cannot be read here; this version reads text.", param=where
    )


def written(items: Sequence[Any]) -> tuple[ChatMessage, ...]:
    """Return the turns that items of an answer are, to go on from."""
    return chat_messages(msgspec.convert(msgspec.to_builtins(items), list[Item]))
