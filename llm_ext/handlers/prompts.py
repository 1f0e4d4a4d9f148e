"""``prompts``: the caller's library, and running what is in it."""

import asyncio
from contextlib import closing
from http import HTTPStatus

from jupyter_server.auth.decorator import authorized
from tornado import web
from tornado.iostream import StreamClosedError

from llm_ext.errors import InvalidRequestError
from llm_ext.pool.stream import EventStream
from llm_ext.replies import Answer
from llm_ext.store.prompts import Prompts
from llm_ext.wire import prompts as wire, sse

from . import resumable
from .base import LLMHandler
from .streaming import EventWriter, next_event


class _PromptHandler(LLMHandler):
    auth_resource = "llm_ext:prompts"

    @property
    def prompts(self) -> Prompts:
        """All prompts; every method blocks."""
        return self.services.prompts


class PromptsHandler(_PromptHandler):
    """``prompts``."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """List the caller's prompts."""
        prompts = await asyncio.to_thread(self.prompts.all, self.user)
        self.reply(wire.PromptsReply(prompts=prompts))

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Store a prompt."""
        text = wire.parse_text(self.request.body)
        made = await asyncio.to_thread(self.prompts.create, self.user, text)
        self.reply(made, HTTPStatus.CREATED)


class PromptHandler(_PromptHandler):
    """``prompts/{id}``."""

    @web.authenticated
    @authorized
    async def get(self, prompt_id: str) -> None:
        """Show one prompt."""
        self.reply(await asyncio.to_thread(self.prompts.get, self.user, prompt_id))

    @web.authenticated
    @authorized
    async def put(self, prompt_id: str) -> None:
        """Replace what a prompt says."""
        text = wire.parse_text(self.request.body)
        self.reply(
            await asyncio.to_thread(self.prompts.replace, self.user, prompt_id, text)
        )

    @web.authenticated
    @authorized
    async def delete(self, prompt_id: str) -> None:
        """Delete a prompt."""
        await asyncio.to_thread(self.prompts.delete, self.user, prompt_id)
        self.set_status(HTTPStatus.NO_CONTENT)
        self.finish()


class _ExecuteHandler(_PromptHandler):
    auth_resource = "llm_ext:inference"

    async def execute(self, prompt_id: str) -> tuple[EventStream, wire.PromptReply]:
        """Ask a model what the prompt says.

        Raises:
            LLMError: There is no such prompt, a variable is missing, or the request
                cannot be taken; says why.
        """
        call = wire.parse_execute(self.request.body)
        prompt = await asyncio.to_thread(self.prompts.get, self.user, prompt_id)
        model = call.model or prompt.model or await self.router.default()
        if model is None:
            raise InvalidRequestError(
                "There is no model here yet. Download one, or name it.", param="model"
            )
        chat = wire.prompt_call(prompt, call, model=model)
        stream = await self.generate(chat.request, keep_alive=chat.keep_alive)
        return stream, wire.PromptReply(prompt, model=stream.model)


class ExecuteHandler(_ExecuteHandler):
    """``prompts/{id}/execute``."""

    @web.authenticated
    @authorized("execute")  # type: ignore[untyped-decorator]  # it types the bare form
    async def post(self, prompt_id: str) -> None:
        """Answer a prompt in one piece."""
        stream, reply = await self.execute(prompt_id)
        with closing(stream):
            async for event in stream:
                if (whole := reply.add(event)) is not None:
                    self.reply(whole)


class ExecuteStreamHandler(_ExecuteHandler):
    """``prompts/{id}/execute/stream``."""

    @web.authenticated
    @authorized("execute")  # type: ignore[untyped-decorator]  # it types the bare form
    async def post(self, prompt_id: str) -> None:
        """Answer a prompt in events, the first of which comes at once."""
        if resumable.names_stream(self):
            await resumable.answer(self, lambda: self._begin(prompt_id))
            return
        stream, reply = await self.execute(prompt_id)
        writer = EventWriter(self)
        with closing(stream):
            try:
                await writer.open()
                await writer.write(reply.opening())
                while (event := await next_event(stream, writer)) is not None:
                    await writer.write(reply.tell(event))
            except StreamClosedError:
                return
        self.finish(set_content_type=sse.MEDIA_TYPE)

    async def _begin(self, prompt_id: str) -> Answer:
        stream, reply = await self.execute(prompt_id)
        self.stream = None  # it outlives this request
        return Answer(
            stream,
            reply.tell,
            opening=reply.opening(),
            patience=resumable.PATIENCE,
            request=resumable.digest(self),
        )
