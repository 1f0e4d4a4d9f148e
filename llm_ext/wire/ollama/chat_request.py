"""``api/chat``: what clients send."""

import msgspec

from llm_ext.core.requests import ChatRequest
from llm_ext.wire.openai.body import decode
from llm_ext.wire.openai.chat_tools import ToolBody, tools

from .call import AnswerBody, Call
from .messages import Message, chat_messages


class _Body(AnswerBody, kw_only=True):
    """The fields that are understood; null equals absent, others are ignored."""

    messages: list[Message] | None = None
    tools: list[ToolBody] | None = None


_decoder = msgspec.json.Decoder(_Body)


def parse(data: bytes) -> Call:
    """Return the call that a request's body makes.

    Raises:
        InvalidRequestError: It is no JSON, lacks a field, or holds one of a wrong
            type or out of range; names the field.
        NotSupportedError: There are images.
    """
    body = decode(_decoder, data)
    return Call(
        model=body.model,
        request=_request(body) if body.messages else None,
        stream=body.stream is not False,
        keep_alive=body.kept,
        load=body.load,
        thinks=bool(body.think),
    )


def _request(body: _Body) -> ChatRequest:
    return ChatRequest(
        model=body.model,
        messages=chat_messages(body.messages or ()),
        sampling=body.sampling,
        constraint=body.constraint,
        tools=tools(body.tools or ()),
        template_options=body.template_options,
    )
