"""``conversations``: what the server remembers of chats."""

import asyncio
from datetime import datetime, timezone
from http import HTTPStatus

from jupyter_server.auth.decorator import authorized
from tornado import web

from llm_ext.replies import Key
from llm_ext.store.conversations import Conversations
from llm_ext.wire import conversations as wire
from llm_ext.wire.transcripts import formats
from llm_ext.wire.transcripts.facts import file_name

from .base import LLMHandler


class ConversationHandlerBase(LLMHandler):
    """What all of them share. The store blocks, so that it is asked in threads."""

    auth_resource = "llm_ext:conversations"

    @property
    def conversations(self) -> Conversations:
        """All conversations; every method blocks."""
        return self.services.conversations

    @property
    def revision(self) -> int | None:
        """The revision that the client knows; None if it does not say."""
        return wire.parse_revision(self.request.headers.get("If-Match"))

    def reply_key(self, conversation_id: str) -> Key:
        """Return what the answer that is being written is found by."""
        return ("conversation", self.user, conversation_id)

    async def stop_answer(self, conversation_id: str) -> None:
        """End the answer that is being written, and return when it is stored."""
        answer = self.services.replies.find(self.reply_key(conversation_id))
        if answer is not None:
            answer.stop()
            await answer.wait()

    def done(self) -> None:
        """Finish without a body."""
        self.set_status(HTTPStatus.NO_CONTENT)
        self.finish()


class ConversationsHandler(ConversationHandlerBase):
    """``conversations``."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """List the caller's conversations, the one that was changed last first."""
        names = ("search", "limit", "before")
        given = {name: self.get_query_argument(name, "") for name in names}
        call = wire.parse_list({name: text for name, text in given.items() if text})
        found = await asyncio.to_thread(
            self.conversations.newest,
            self.user,
            search=call.search,
            limit=call.limit,
            before=call.before,
        )
        self.reply(wire.ConversationsReply(conversations=found))

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Begin a conversation."""
        transcript = wire.parse_create(self.request.body, datetime.now(timezone.utc))
        made = await asyncio.to_thread(self.conversations.create, self.user, transcript)
        self.reply(made, HTTPStatus.CREATED)


class ConversationHandler(ConversationHandlerBase):
    """``conversations/{id}``."""

    @web.authenticated
    @authorized
    async def get(self, conversation_id: str) -> None:
        """Show one, with its messages."""
        self.reply(
            await asyncio.to_thread(self.conversations.get, self.user, conversation_id)
        )

    @web.authenticated
    @authorized
    async def patch(self, conversation_id: str) -> None:
        """Change its title, model, system text, options or head."""
        changes = wire.parse_change(self.request.body)
        self.reply(
            await asyncio.to_thread(
                self.conversations.change,
                self.user,
                conversation_id,
                changes,
                revision=self.revision,
            )
        )

    @web.authenticated
    @authorized
    async def delete(self, conversation_id: str) -> None:
        """Delete it, and end the answer that is being written in it."""
        await asyncio.to_thread(
            self.conversations.delete,
            self.user,
            conversation_id,
            revision=self.revision,
        )
        await self.stop_answer(conversation_id)
        self.done()


class MessagesHandler(ConversationHandlerBase):
    """``conversations/{id}/messages``."""

    @web.authenticated
    @authorized
    async def post(self, conversation_id: str) -> None:
        """Add messages."""
        call = wire.parse_append(self.request.body)
        stored = await asyncio.to_thread(
            self.conversations.append,
            self.user,
            conversation_id,
            [message.draft() for message in call.messages],
            parent=call.parent,
            revision=self.revision,
        )
        self.reply(wire.MessagesReply(messages=stored), HTTPStatus.CREATED)


class MessageHandler(ConversationHandlerBase):
    """``conversations/{id}/messages/{message}``."""

    @web.authenticated
    @authorized
    async def delete(self, conversation_id: str, message_id: str) -> None:
        """Delete a message and what follows it."""
        await asyncio.to_thread(
            self.conversations.remove_message,
            self.user,
            conversation_id,
            message_id,
            revision=self.revision,
        )
        self.done()


class ExportHandler(ConversationHandlerBase):
    """``conversations/{id}/export``."""

    @web.authenticated
    @authorized
    async def get(self, conversation_id: str) -> None:
        """Send the conversation as a file."""
        kind = formats.named(self.get_query_argument("format", "markdown"))
        transcript = await asyncio.to_thread(
            self.conversations.transcript, self.user, conversation_id
        )
        self.set_attachment_header(file_name(transcript, kind.suffix))
        self.finish(
            await asyncio.to_thread(kind.write, transcript),
            set_content_type=f"{kind.media_type}; charset=utf-8",
        )


class ImportHandler(ConversationHandlerBase):
    """``conversations/import``."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Begin a conversation with what a file holds."""
        if name := self.get_query_argument("format", ""):
            kind = formats.named(name)
        else:
            kind = formats.of_media_type(self.request.headers.get("Content-Type", ""))
        transcript = await asyncio.to_thread(
            formats.read, kind, self.request.body, datetime.now(timezone.utc)
        )
        made = await asyncio.to_thread(self.conversations.create, self.user, transcript)
        self.reply(made, HTTPStatus.CREATED)
