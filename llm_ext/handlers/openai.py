"""OpenAI's routes, and reranking, which it does not have."""

import time
import uuid
from contextlib import closing
from typing import TypeVar

from jupyter_server.auth.decorator import authorized
from tornado import web
from tornado.iostream import StreamClosedError

from llm_ext.core.events import Accepted, Event, Failed, Finished, Scores, Vectors
from llm_ext.pool.stream import EventStream
from llm_ext.wire import sse
from llm_ext.wire.openai import embeddings, models, rerank
from llm_ext.wire.openai.chat_reply import ChatReply
from llm_ext.wire.openai.chat_request import parse

from .base import LLMHandler
from .streaming import EventWriter, next_event

_T = TypeVar("_T", Vectors, Scores)


class ModelListHandler(LLMHandler):
    """``v1/models``."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """List the models."""
        self.reply(models.model_list(await self.router.models()))


class ModelHandler(LLMHandler):
    """``v1/models/{id}``."""

    @web.authenticated
    @authorized
    async def get(self, name: str) -> None:
        """Show one model."""
        self.reply(models.model(await self.router.model(name)))


class ChatCompletionsHandler(LLMHandler):
    """``v1/chat/completions``."""

    auth_resource = "llm_ext:inference"

    @web.authenticated
    @authorized("execute")  # type: ignore[untyped-decorator]  # it types the bare form
    async def post(self) -> None:
        """Answer a chat, whole or as a stream."""
        call = parse(self.request.body)
        stream = await self.router.generate(call.request)
        self.stream = stream
        reply = ChatReply(
            call,
            reply_id=uuid.uuid4().hex,
            model=stream.model,
            now=int(time.time()),
        )
        with closing(stream):
            if call.stream:
                await self._answer_in_chunks(stream, reply)
            else:
                await self._answer_whole(stream, reply)

    async def _answer_whole(self, stream: EventStream, reply: ChatReply) -> None:
        events: list[Event] = []
        async for event in stream:
            if isinstance(event, Failed):
                raise event.error()
            events.append(event)
        self.finish(reply.whole(events))

    async def _answer_in_chunks(self, stream: EventStream, reply: ChatReply) -> None:
        """Stream the answer.

        A cold stream opens at once and carries the load. Otherwise the worker's
        checks come first, so that what they find is an HTTP status.
        """
        writer = EventWriter(self)
        first = [] if stream.cold else await _checked(stream)
        try:
            await writer.open()
            for event in first:
                await writer.write(reply.stream(event))
            while (event_or_end := await next_event(stream, writer)) is not None:
                await writer.write(reply.stream(event_or_end))
        except StreamClosedError:
            return
        self.finish(set_content_type=sse.MEDIA_TYPE)


class EmbeddingsHandler(LLMHandler):
    """``v1/embeddings``."""

    auth_resource = "llm_ext:inference"

    @web.authenticated
    @authorized("execute")  # type: ignore[untyped-decorator]  # it types the bare form
    async def post(self) -> None:
        """Turn texts into vectors."""
        call = embeddings.parse(self.request.body)
        self.stream = stream = await self.router.generate(call.request)
        with closing(stream):
            answer = await _answer(stream, Vectors)
        if answer is not None:
            self.finish(embeddings.reply(call, *answer, model=stream.model))


class RerankHandler(LLMHandler):
    """``v1/rerank``."""

    auth_resource = "llm_ext:inference"

    @web.authenticated
    @authorized("execute")  # type: ignore[untyped-decorator]  # it types the bare form
    async def post(self) -> None:
        """Order documents by how well they fit a query."""
        call = rerank.parse(self.request.body)
        self.stream = stream = await self.router.generate(call.request)
        with closing(stream):
            answer = await _answer(stream, Scores)
        if answer is not None:
            self.finish(rerank.reply(call, *answer, model=stream.model))


async def _answer(stream: EventStream, kind: type[_T]) -> tuple[_T, Finished] | None:
    """Return the one event of ``kind``, and the end; None if the client went away.

    Raises:
        LLMError: The request failed.
    """
    answer: _T | None = None
    async for event in stream:
        if isinstance(event, Failed):
            raise event.error()
        if isinstance(event, kind):
            answer = event
        if isinstance(event, Finished) and answer is not None:
            return answer, event
    return None


async def _checked(stream: EventStream) -> list[Event]:
    """Return the events up to the worker's word that it accepts the request.

    Raises:
        LLMError: It does not; says why.
    """
    seen: list[Event] = []
    async for event in stream:
        if isinstance(event, Failed):
            raise event.error()
        seen.append(event)
        if isinstance(event, Accepted):
            break
    return seen
