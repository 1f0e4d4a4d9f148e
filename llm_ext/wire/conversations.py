"""``conversations``: what clients send and get."""

from datetime import datetime
from typing import Annotated, Any

import msgspec

from llm_ext.core.conversation import (
    Attachment,
    Changes,
    Conversation,
    Draft,
    Message,
    ToolCall,
    Transcript,
    chain,
)
from llm_ext.core.messages import Role
from llm_ext.core.whole_number import whole_number
from llm_ext.errors import InvalidRequestError

from .chat_call import check_options
from .openai.body import decode

MAX_LIMIT = 200
"""Conversations that one list may have."""

Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class ConversationsReply(msgspec.Struct, frozen=True, kw_only=True):
    """A list of conversations."""

    conversations: list[Conversation]


class MessagesReply(msgspec.Struct, frozen=True, kw_only=True):
    """Messages that were added."""

    messages: list[Message]


class MessageBody(msgspec.Struct, frozen=True, kw_only=True):
    """A message that is to be stored; see :class:`Draft`. Other fields are ignored.

    ``reasoning_content`` is another name of ``reasoning``, as in chats.
    """

    role: Role
    content: str | None = None
    reasoning: str | None = None
    reasoning_content: str | None = None
    tool_calls: tuple[ToolCall, ...] | None = None
    tool_call_id: str | None = None
    model: str | None = None
    usage: dict[str, Any] | None = None
    timings: dict[str, Any] | None = None
    finish_reason: str | None = None
    attachments: tuple[Attachment, ...] | None = None

    def draft(self) -> Draft:
        """Return what is to be stored."""
        return Draft(
            role=self.role,
            content=self.content or "",
            reasoning=self.reasoning or self.reasoning_content or "",
            tool_calls=self.tool_calls or (),
            tool_call_id=self.tool_call_id,
            model=self.model,
            usage=self.usage,
            timings=self.timings,
            finish_reason=self.finish_reason,
            attachments=self.attachments or (),
        )


class ListCall(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be listed."""

    search: str = ""
    limit: int = 50
    before: Moment | None = None


class AppendCall(msgspec.Struct, frozen=True, kw_only=True):
    """Messages to add; see ``Conversations.append``."""

    messages: tuple[MessageBody, ...]
    parent: str | msgspec.UnsetType | None = msgspec.UNSET


class ReplyCall(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked.

    Attributes:
        parent: What the question follows, or without a question the message to answer;
            None is a new root, unset the head.
        question: What is asked; None answers what is there.
        model: The model that answers; None takes the conversation's.
        carry_on: Whether ``parent``, an answer, is to be gone on with.
        options: Chat options.
    """

    parent: str | msgspec.UnsetType | None
    question: Draft | None
    model: str | None
    carry_on: bool
    options: dict[str, Any]


class _Create(msgspec.Struct):
    title: str | None = None
    model: str | None = None
    system: str | None = None
    options: dict[str, Any] | None = None
    messages: tuple[MessageBody, ...] = ()


class _Reply(msgspec.Struct):
    parent: str | msgspec.UnsetType | None = msgspec.UNSET
    content: str | None = None
    attachments: tuple[Attachment, ...] | None = None
    model: str | None = None
    carry_on: bool | None = msgspec.field(name="continue", default=None)


_create_decoder = msgspec.json.Decoder(_Create)
_change_decoder = msgspec.json.Decoder(Changes)
_append_decoder = msgspec.json.Decoder(AppendCall)
_reply_decoder = msgspec.json.Decoder(_Reply)
_object_decoder = msgspec.json.Decoder(dict[str, Any])
_OWN = {"parent", "content", "attachments", "model", "continue"}


def parse_list(arguments: dict[str, str]) -> ListCall:
    """Return the call that a query says.

    Raises:
        InvalidRequestError: ``limit`` or ``before`` makes no sense.
    """
    try:
        call = msgspec.convert(arguments, ListCall, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidRequestError(f"The query is wrong: {error}.") from error
    if not 1 <= call.limit <= MAX_LIMIT:
        raise InvalidRequestError(
            f"'limit' must be from 1 to {MAX_LIMIT}.", param="limit"
        )
    return call


def parse_create(data: bytes, now: datetime) -> Transcript:
    """Return the conversation to begin; an empty body is one without fields.

    Raises:
        InvalidRequestError: A field is wrong; names it.
    """
    body = decode(_create_decoder, data or b"{}")
    options = body.options or {}
    check_options(options)
    return Transcript(
        title=body.title or "",
        model=body.model,
        system=body.system or "",
        options=options,
        messages=chain(tuple(message.draft() for message in body.messages), now),
    )


def parse_change(data: bytes) -> Changes:
    """Return the changes that a body asks for; InvalidRequestError names the field."""
    changes = decode(_change_decoder, data)
    if changes.options is not msgspec.UNSET:
        check_options(changes.options)
    return changes


def parse_append(data: bytes) -> AppendCall:
    """Return the messages to add; InvalidRequestError names the field."""
    return decode(_append_decoder, data)


def parse_reply(data: bytes) -> ReplyCall:
    """Return what is asked; an empty body answers the head.

    Raises:
        InvalidRequestError: A field is wrong; names it. Chat options are not looked at.
    """
    body = decode(_reply_decoder, data or b"{}")
    given = decode(_object_decoder, data or b"{}")
    question = None
    if body.content is not None or body.attachments:
        question = Draft(
            role="user",
            content=body.content or "",
            attachments=body.attachments or (),
        )
    if body.carry_on and question is not None:
        raise InvalidRequestError(
            "'continue' goes on with an answer, and takes no question.", param="content"
        )
    return ReplyCall(
        parent=body.parent,
        question=question,
        model=body.model,
        carry_on=bool(body.carry_on),
        options={name: value for name, value in given.items() if name not in _OWN},
    )


def parse_revision(header: str | None) -> int | None:
    """Return the revision that an ``If-Match`` header names; None is any.

    Raises:
        InvalidRequestError: It names none.
    """
    if header is None or header.strip() == "*":
        return None
    number = whole_number(header.strip().strip('"'))
    if number is None:
        raise InvalidRequestError(
            f"If-Match: {header} is no revision of a conversation, which is a number.",
            param="If-Match",
        )
    return number
