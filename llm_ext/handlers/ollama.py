"""Ollama's routes that ask a model."""

from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import datetime, timezone
from functools import partial

import msgspec
from jupyter_server.auth.decorator import authorized
from tornado import web

from llm_ext.core.events import (
    Accepted,
    Event,
    Finished,
    Loading,
    PromptProgress,
    Queued,
    Ready,
    Rerouted,
    Vectors,
)
from llm_ext.core.model_status import ModelStatus
from llm_ext.core.provider_status import RemoteModel
from llm_ext.core.requests import ChatRequest, CompletionRequest, EmbedRequest
from llm_ext.errors import ModelNotFoundError, NotSupportedError
from llm_ext.keyring import check_allowed
from llm_ext.pool.stream import EventStream
from llm_ext.pool.timing import Timing
from llm_ext.wire import progress, sse
from llm_ext.wire.ollama import chat_request, embed, errors, generate_request
from llm_ext.wire.ollama.call import Call, DoneReason
from llm_ext.wire.ollama.embed import EmbedCall
from llm_ext.wire.ollama.names import without_latest
from llm_ext.wire.ollama.reply import Reply

from . import missing
from .answering import all_events, checked, one_answer, send, send_events
from .base import LLMHandler
from .streaming import LineWriter

_IDLE = {"unloaded", "failed"}
_PROGRESS = (Loading, Ready, Rerouted, Accepted, Queued, PromptProgress)


class OllamaHandler(LLMHandler):
    """Base of Ollama's routes."""

    auth_resource = "llm_ext:inference"
    accepts_keys = True
    error_shape = errors

    async def found(self, name: str) -> ModelStatus | RemoteModel:
        """Return the model that a client means.

        Raises:
            ModelNotFoundError: There is none.
            ModelNotAllowedError: The caller's key is for other models.
        """
        try:
            status = await self.providers.model(name)
        except ModelNotFoundError:
            plain = without_latest(name)
            if plain is None:
                raise
            status = await self.providers.model(plain)
        check_allowed(self.key, status.id)
        return status

    async def ask(
        self,
        call: Call | EmbedCall,
        request: ChatRequest | CompletionRequest | EmbedRequest,
        model: ModelStatus | RemoteModel,
    ) -> EventStream:
        """Return the stream that answers; a model that is idle is loaded as wanted.

        One that is loaded stays as it is: two clients of different wishes would have
        it loaded again and again.
        """
        is_idle = isinstance(model, ModelStatus) and model.state in _IDLE
        if call.load and is_idle and self.autoload:
            begun = await self.router.load(
                model.id, options=call.load, keep_alive=call.keep_alive
            )
            begun.close()
        return await self.generate(
            msgspec.structs.replace(request, model=model.id),
            keep_alive=call.keep_alive,
        )

    async def load_or_unload(
        self, call: Call | EmbedCall, model: ModelStatus | RemoteModel
    ) -> DoneReason:
        """Do what an empty request is for; another server loads as it likes."""
        if self.key is not None:
            self.services.keyring.admit(self.key, model.id)
        wanted: DoneReason = "unload" if call.keep_alive == 0 else "load"
        if isinstance(model, RemoteModel):
            return wanted
        if wanted == "load":
            self.stream = await self.router.load(
                model.id, options=call.load or None, keep_alive=call.keep_alive
            )
            with closing(self.stream):
                await all_events(self.stream)
        elif model.state not in _IDLE:
            (await self.router.load(model.id, keep_alive=0)).close()
        return wanted


class _AnswerHandler(OllamaHandler):
    """Base of the routes that write an answer."""

    chat = False
    parse: Callable[[bytes], Call]

    @web.authenticated
    @authorized("execute")  # type: ignore[untyped-decorator]  # it types the bare form
    async def post(self) -> None:
        """Answer, piece by piece unless told otherwise; or load or unload a model."""
        call = type(self).parse(self.request.body)
        model = await self.found(call.model)
        _check_thinking(call, model)
        if call.request is None:
            self._finish_empty(call, await self.load_or_unload(call, model))
            return
        stream = await self.ask(call, call.request, model)
        reply = self._reply(call, stream.timing)
        with closing(stream):
            if not call.stream:
                await self._answer_whole(stream, reply)
            elif self.wants_events:
                await send_events(self, stream, partial(_told, reply))
            else:
                await self._answer_in_lines(stream, reply)

    async def _answer_whole(self, stream: EventStream, reply: Reply) -> None:
        events = await all_events(stream)
        if events and isinstance(events[-1], Finished):
            self.finish(reply.whole(events))

    async def _answer_in_lines(self, stream: EventStream, reply: Reply) -> None:
        """Stream the answer; nothing is sent before the worker accepts the request.

        Clients would stumble over any other line, so that a load goes on in silence.
        """
        first = await checked(stream)
        await send(LineWriter(self), self, stream, reply.stream, first=first)

    def _finish_empty(self, call: Call, done: DoneReason) -> None:
        document = self._reply(call, Timing(0)).loaded(done)
        if call.stream and self.wants_events:
            self.write(sse.event(document))
            self.finish(set_content_type=sse.MEDIA_TYPE)
        else:
            self.finish(document)

    def _reply(self, call: Call, timing: Timing) -> Reply:
        return Reply(call, chat=self.chat, timing=timing, now=_now)


class GenerateHandler(_AnswerHandler):
    """``api/generate``."""

    parse = staticmethod(generate_request.parse)


class ChatHandler(_AnswerHandler):
    """``api/chat``."""

    chat = True
    parse = staticmethod(chat_request.parse)


class EmbedHandler(OllamaHandler):
    """``api/embed``."""

    @web.authenticated
    @authorized("execute")  # type: ignore[untyped-decorator]  # it types the bare form
    async def post(self) -> None:
        """Turn texts into vectors; without any load or unload the model."""
        call = embed.parse(self.request.body)
        model = await self.found(call.model)
        if call.request is None:
            await self.load_or_unload(call, model)
            self.reply(embed.empty_reply(call))
            return
        stream = await self.ask(call, call.request, model)
        with closing(stream):
            answer = await one_answer(stream, Vectors)
        if answer is not None:
            self.reply(embed.reply(call, *answer, timing=stream.timing))


class EmbeddingsHandler(OllamaHandler):
    """``api/embeddings``."""

    @web.authenticated
    @authorized("execute")  # type: ignore[untyped-decorator]  # it types the bare form
    async def post(self) -> None:
        """Turn a text into a vector; without one load or unload the model."""
        call = embed.parse_one(self.request.body)
        model = await self.found(call.model)
        if call.request is None:
            await self.load_or_unload(call, model)
            self.reply(embed.empty_one_reply())
            return
        stream = await self.ask(call, call.request, model)
        with closing(stream):
            answer = await one_answer(stream, Vectors)
        if answer is not None:
            self.reply(embed.one_reply(answer[0]))


class MissingHandler(missing.MissingHandler):
    """Routes that do not exist, such as to create or to push models."""

    below = "api/"
    error_shape = errors


def _check_thinking(call: Call, model: ModelStatus | RemoteModel) -> None:
    """Refuse to let a model think that was not made for it."""
    if isinstance(model, RemoteModel):
        return  # its provider knows
    if call.thinks and model.capabilities and "thinking" not in model.capabilities:
        raise NotSupportedError(
            f"{call.model!r} does not support thinking. Leave 'think' out.",
            param="think",
        )


def _told(reply: Reply, event: Event) -> Iterable[bytes]:
    """Return the server-sent events that say ``event``: progress is a comment."""
    if isinstance(event, _PROGRESS):
        return [sse.comment(progress.words(event))]
    return map(sse.event, reply.stream(event))


def _now() -> datetime:
    return datetime.now(timezone.utc)
