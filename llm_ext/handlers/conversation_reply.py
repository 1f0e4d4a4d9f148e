"""``conversations/{id}/reply``: questions, and answers that outlive their readers."""

import asyncio
import logging
import time

import msgspec
from jupyter_server.auth.decorator import authorized
from tornado import web

from llm_ext.core.conversation import Message, OpenConversation
from llm_ext.errors import (
    ConversationBusyError,
    ConversationNotFoundError,
    InvalidRequestError,
    MessageNotFoundError,
)
from llm_ext.pool.stream import EventStream
from llm_ext.replies import Answer
from llm_ext.store.message_tree import new_id
from llm_ext.wire import chat_call
from llm_ext.wire.conversation_reply import ConversationReply, Opening
from llm_ext.wire.conversations import ReplyCall, parse_reply
from llm_ext.wire.openai.chat_request import ChatCall

from .conversations import ConversationHandlerBase
from .resumable import follow

_log = logging.getLogger(__name__)


class ReplyHandler(ConversationHandlerBase):
    """``conversations/{id}/reply``."""

    auth_resource = "llm_ext:inference"

    @web.authenticated
    @authorized
    async def get(self, conversation_id: str) -> None:
        """Attach to the answer that is being written, or failed not long ago."""
        await asyncio.to_thread(self.conversations.get, self.user, conversation_id)
        answer = self.services.replies.find(self.reply_key(conversation_id))
        if answer is None or (answer.ended and not answer.failed):
            self.done()
        else:
            await follow(self, answer)

    @web.authenticated
    @authorized("execute")  # type: ignore[untyped-decorator]  # it types the bare form
    async def post(self, conversation_id: str) -> None:
        """Store a question, and write its answer, whoever reads it."""
        call = parse_reply(self.request.body)
        replies, key = self.services.replies, self.reply_key(conversation_id)
        with replies.reserve(key, ConversationBusyError()):
            answer = await self._ask(conversation_id, call)
            replies.begin(key, answer)
        await follow(self, answer)

    async def _ask(self, conversation_id: str, call: ReplyCall) -> Answer:
        """Store the question, once it is sure that a model will look at it.

        Raises:
            LLMError: The request cannot be taken, and nothing is stored; says why.
        """
        opened = await asyncio.to_thread(
            self.conversations.get, self.user, conversation_id
        )
        path = await self._path(opened, call)
        chat = await self._chat(opened, path, call)
        stream = await self.generate(chat.request, keep_alive=chat.keep_alive)
        self.stream = None  # it outlives this request
        try:
            if call.question is not None:
                path += await asyncio.to_thread(
                    self.conversations.append,
                    self.user,
                    conversation_id,
                    [call.question],
                    parent=path[-1].id if path else None,
                )
        except BaseException:
            stream.close()
            raise
        return self._answer(conversation_id, path, call, chat, stream)

    async def _path(self, opened: OpenConversation, call: ReplyCall) -> list[Message]:
        """Return what was said before the question, or what is to be answered.

        Raises:
            InvalidRequestError: There is nothing to answer, or to go on with.
            MessageNotFoundError: There is no message ``call.parent``.
        """
        path = list(opened.messages)
        if call.parent is not msgspec.UNSET:
            path = await asyncio.to_thread(
                self.conversations.path, self.user, opened.id, call.parent
            )
        by_model = bool(path) and path[-1].role == "assistant"
        if call.carry_on and not by_model:
            raise InvalidRequestError(
                "'continue' goes on with an answer, and 'parent' is none.",
                param="parent",
            )
        if call.question is None and not path:
            raise InvalidRequestError(
                "There is nothing to answer yet. Send a 'content'.", param="content"
            )
        if call.question is None and by_model and not call.carry_on:
            raise InvalidRequestError(
                "The message before is an answer itself. Send a 'content', or name "
                "the question as 'parent' to have it answered again.",
                param="content",
            )
        return path

    async def _chat(
        self, opened: OpenConversation, path: list[Message], call: ReplyCall
    ) -> ChatCall:
        model = call.model or opened.model or await self.router.default()
        if model is None:
            raise InvalidRequestError(
                "There is no model here yet. Download one, or name it.", param="model"
            )
        turns = [*path, call.question] if call.question is not None else path
        options = {**opened.options, **call.options}
        if call.carry_on:
            options["continue_final_message"] = True
        messages = chat_call.written(opened.system, turns)
        return chat_call.chat_call(model, messages, options)

    def _answer(
        self,
        conversation_id: str,
        path: list[Message],
        call: ReplyCall,
        chat: ChatCall,
        stream: EventStream,
    ) -> Answer:
        """Return the answer that is now written, and stored when it ends."""
        last, answer_id = path[-1], new_id()
        parent = last.parent if call.carry_on else last.id
        reply = ConversationReply(
            chat,
            answer=answer_id,
            model=stream.model,
            now=int(time.time()),
            begun=last if call.carry_on else None,
        )
        user, conversations = self.user, self.conversations

        async def keep() -> None:
            draft = reply.draft()
            if draft is None:
                return
            try:
                await asyncio.to_thread(
                    conversations.append,
                    user,
                    conversation_id,
                    [draft],
                    parent=parent,
                    ids=[answer_id],
                )
            except (ConversationNotFoundError, MessageNotFoundError) as error:
                _log.info("an answer is dropped: %s", error)

        opening = Opening(
            message=None if call.question is None else last,
            parent=parent,
            answer=answer_id,
        )
        return Answer(stream, reply.tell, opening=reply.opening(opening), keep=keep)


class StopHandler(ConversationHandlerBase):
    """``conversations/{id}/stop``."""

    @web.authenticated
    @authorized
    async def post(self, conversation_id: str) -> None:
        """End the answer that is being written; what is there of it is stored."""
        await asyncio.to_thread(self.conversations.get, self.user, conversation_id)
        await self.stop_answer(conversation_id)
        self.done()
