"""OpenAI's routes, and reranking, which it does not have."""

import time
import uuid
from contextlib import closing

from jupyter_server.auth.decorator import authorized
from tornado import web

from llm_ext.core.events import Scores, Vectors
from llm_ext.errors import ModelNotFoundError
from llm_ext.keyring import allows
from llm_ext.pool.stream import EventStream
from llm_ext.replies import Answer
from llm_ext.wire.openai import embeddings, models, rerank
from llm_ext.wire.openai.chat_reply import ChatReply
from llm_ext.wire.openai.chat_request import FIELDS, ChatCall, parse

from . import resumable
from .answering import answer, checked, one_answer
from .base import LLMHandler
from .fingerprint import fingerprint


class ModelListHandler(LLMHandler):
    """``v1/models``."""

    accepts_keys = True

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """List the models."""
        found = await self.providers.everywhere()
        allowed = [model for model in found if allows(self.key, model.id)]
        self.reply(models.model_list(allowed))


class ModelHandler(LLMHandler):
    """``v1/models/{id}``."""

    accepts_keys = True

    @web.authenticated
    @authorized
    async def get(self, name: str) -> None:
        """Show one model."""
        found = await self.providers.model(name)
        if not allows(self.key, found.id):
            raise ModelNotFoundError(name)
        self.reply(models.model(found))


class ChatCompletionsHandler(LLMHandler):
    """``v1/chat/completions``."""

    auth_resource = "llm_ext:inference"
    accepts_keys = True

    @web.authenticated
    @authorized("execute")  # type: ignore[untyped-decorator]  # it types the bare form
    async def post(self) -> None:
        """Answer a chat, whole or as a stream."""
        call = parse(self.request.body)
        self.tell_ignored(FIELDS)
        if call.stream and resumable.names_stream(self):
            await resumable.answer(self, lambda: self._begin(call))
            return
        stream, reply = await self._ask(call)
        await answer(self, stream, reply, streaming=call.stream)

    async def _ask(self, call: ChatCall) -> tuple[EventStream, ChatReply]:
        stream = await self.generate(call.request)
        reply = ChatReply(
            call,
            reply_id=uuid.uuid4().hex,
            model=stream.model,
            now=int(time.time()),
            fingerprint=fingerprint(stream),
        )
        return stream, reply

    async def _begin(self, call: ChatCall) -> Answer:
        """Return an answer that outlives this request."""
        stream, reply = await self._ask(call)
        self.stream = None
        try:
            first = [] if stream.cold else await checked(stream)
        except BaseException:
            stream.close()
            raise
        return Answer(
            stream,
            reply.stream,
            first=first,
            patience=resumable.PATIENCE,
            request=resumable.digest(self),
        )


class EmbeddingsHandler(LLMHandler):
    """``v1/embeddings``."""

    auth_resource = "llm_ext:inference"
    accepts_keys = True

    @web.authenticated
    @authorized("execute")  # type: ignore[untyped-decorator]  # it types the bare form
    async def post(self) -> None:
        """Turn texts into vectors."""
        call = embeddings.parse(self.request.body)
        self.tell_ignored(embeddings.FIELDS)
        stream = await self.generate(call.request)
        with closing(stream):
            answer = await one_answer(stream, Vectors)
        if answer is not None:
            self.finish(embeddings.reply(call, *answer, model=stream.model))


class RerankHandler(LLMHandler):
    """``v1/rerank``."""

    auth_resource = "llm_ext:inference"
    accepts_keys = True

    @web.authenticated
    @authorized("execute")  # type: ignore[untyped-decorator]  # it types the bare form
    async def post(self) -> None:
        """Order documents by how well they fit a query."""
        call = rerank.parse(self.request.body)
        self.tell_ignored(rerank.FIELDS)
        stream = await self.generate(call.request)
        with closing(stream):
            answer = await one_answer(stream, Scores)
        if answer is not None:
            self.finish(rerank.reply(call, *answer, model=stream.model))
