"""Chats that the server remembers.

The messages of a conversation are a tree: an edited question, or an answer that was
drawn again, stands beside the one before. The path from a root to the conversation's
head is what is shown and gone on with.
"""

from datetime import datetime
from typing import Any, Literal

import msgspec

from .messages import Role


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """What a message came with.

    Attributes:
        kind: What it is, such as "cell", "file" or "image", in its writer's words.
        name: What people call it.
        content: Its text; of an image its data URL.
    """

    kind: str
    name: str = ""
    content: str = ""


class CalledFunction(msgspec.Struct, frozen=True, kw_only=True):
    """The function that a call names, and its arguments as the text of an object."""

    name: str
    arguments: str


class ToolCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call that the assistant made, in OpenAI's shape."""

    id: str
    function: CalledFunction
    type: Literal["function"] = "function"


class Draft(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A message before it is stored.

    Attributes:
        role: Whose turn it is; ``tool`` is a call's result.
        content: What was said.
        reasoning: What the assistant thought before it said that.
        tool_calls: What the assistant called.
        tool_call_id: The call that this is the result of.
        model: The id of the model that answered.
        usage: Token counts, in OpenAI's shape.
        timings: How fast it went.
        finish_reason: Why the answer ended: OpenAI's words, or "cancelled" or "error".
        attachments: What a question came with.
    """

    role: Role
    content: str
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    model: str | None = None
    usage: dict[str, Any] | None = None
    timings: dict[str, Any] | None = None
    finish_reason: str | None = None
    attachments: tuple[Attachment, ...] = ()


class Message(Draft, frozen=True, kw_only=True):
    """A stored message; ``parent`` is the one it follows, None at a root."""

    id: str
    parent: str | None
    created: datetime


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a conversation beside its messages.

    Attributes:
        id: Its own.
        title: Given, or the beginning of its first question.
        model: The id of the model that is to answer; None takes the default.
        system: What the model is told before everything else.
        options: Chat options for each answer, such as ``temperature``.
        created: When it was begun.
        updated: When anything of it last changed.
        message_count: Messages on the path to its head.
        revision: Grows with every change.
    """

    id: str
    title: str
    model: str | None
    system: str
    options: dict[str, Any]
    created: datetime
    updated: datetime
    message_count: int
    revision: int


class OpenConversation(Conversation, frozen=True, kw_only=True):
    """A conversation with its messages.

    Attributes:
        messages: The path to the head, in order.
        branches: For each message on it that has siblings, the ids of all of them,
            oldest first, its own included.
    """

    messages: tuple[Message, ...]
    branches: dict[str, tuple[str, ...]]


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What is to change of a conversation; unset fields stay.

    ``head`` is a message: the path then goes through it, to what was last written
    below it.
    """

    title: str | msgspec.UnsetType = msgspec.UNSET
    model: str | msgspec.UnsetType | None = msgspec.UNSET
    system: str | msgspec.UnsetType = msgspec.UNSET
    options: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    head: str | msgspec.UnsetType = msgspec.UNSET


class Transcript(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation outside the store: to be begun, exported or imported.

    Attributes:
        messages: Each after its parent; the ids only say what follows what.
        head: The id of the last message to show; None is the last of ``messages``.
    """

    title: str = ""
    model: str | None = None
    system: str = ""
    options: dict[str, Any] = {}
    messages: tuple[Message, ...] = ()
    head: str | None = None

    @property
    def path(self) -> tuple[Message, ...]:
        """The messages from a root to the head, in order."""
        known = {message.id: message for message in self.messages}
        last = known.get(self.head or "", self.messages[-1] if self.messages else None)
        found: list[Message] = []
        while last is not None:
            found.append(last)
            last = known.get(last.parent or "")
        return tuple(reversed(found))


def chain(drafts: tuple[Draft, ...], now: datetime) -> tuple[Message, ...]:
    """Return ``drafts`` as messages of which each follows the one before."""
    return tuple(
        Message(
            **{field: getattr(draft, field) for field in Draft.__struct_fields__},
            id=str(number),
            parent=str(number - 1) if number else None,
            created=now,
        )
        for number, draft in enumerate(drafts)
    )
