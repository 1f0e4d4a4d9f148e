"""Anthropic's routes."""

import uuid

from jupyter_server.auth.decorator import authorized
from tornado import web

from llm_ext.wire.anthropic import errors
from llm_ext.wire.anthropic.messages_reply import MessagesReply, TokenCount
from llm_ext.wire.anthropic.messages_request import FIELDS, parse, parse_count

from .answering import answer
from .base import LLMHandler
from .counting import prompt_tokens


class _AnthropicHandler(LLMHandler):
    """Base of Anthropic's routes: its errors, and the id that its clients show."""

    auth_resource = "llm_ext:inference"
    accepts_keys = True
    error_shape = errors

    def set_default_headers(self) -> None:
        """See Jupyter."""
        super().set_default_headers()
        self.set_header("request-id", f"req_{uuid.uuid4().hex}")


class MessagesHandler(_AnthropicHandler):
    """``v1/messages``."""

    @web.authenticated
    @authorized("execute")  # type: ignore[untyped-decorator]  # it types the bare form
    async def post(self) -> None:
        """Answer a chat, whole or as a stream."""
        call = parse(self.request.body)
        self.tell_ignored(FIELDS)
        stream = await self.generate(call.request)
        reply = MessagesReply(call, reply_id=uuid.uuid4().hex, model=stream.model)
        await answer(self, stream, reply, streaming=call.stream)


class CountTokensHandler(_AnthropicHandler):
    """``v1/messages/count_tokens``."""

    @web.authenticated
    @authorized("execute")  # type: ignore[untyped-decorator]  # it types the bare form
    async def post(self) -> None:
        """Count the tokens of a chat; no model is loaded for it."""
        request = parse_count(self.request.body)
        count = await prompt_tokens(self, request)
        self.reply(TokenCount(input_tokens=count))
