"""The project's own model routes: list, load, unload."""

from contextlib import closing
from http import HTTPStatus

from jupyter_server.auth.decorator import authorized
from tornado import web
from tornado.iostream import StreamClosedError

from llm_ext.wire import native, sse

from .base import LLMHandler
from .streaming import EventWriter, next_event


class ModelsHandler(LLMHandler):
    """``models``."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """List all models with their states."""
        models = await self.router.models()
        default = await self.router.default()
        remote = self.providers.models()
        self.reply(native.ModelsReply(default=default, models=models, remote=remote))


class ModelHandler(LLMHandler):
    """``models/{id}``."""

    @web.authenticated
    @authorized
    async def get(self, name: str) -> None:
        """Show one model."""
        self.reply(await self.providers.model(name))

    @web.authenticated
    @authorized
    async def delete(self, name: str) -> None:
        """Delete a model's files."""
        await self.router.delete(self.providers.own(name))
        self.set_status(HTTPStatus.NO_CONTENT)
        self.finish()


class PinHandler(LLMHandler):
    """``models/{id}/pin``."""

    @web.authenticated
    @authorized
    async def post(self, name: str) -> None:
        """Let a model stay loaded whoever needs room, or no longer."""
        call = native.parse(self.request.body, native.PinCall)
        own = self.providers.own(name)
        self.reply(await self.router.pin(own, pinned=call.pinned))


class LoadHandler(LLMHandler):
    """``models/{id}/load``."""

    @web.authenticated
    @authorized
    async def post(self, name: str) -> None:
        """Begin to load, and answer at once; the load outlives this request.

        A client that accepts server-sent events is told how far the load is, until
        the model is ready or an error says why it is not.
        """
        call = native.parse(self.request.body, native.LoadCall)
        name = self.providers.own(name)
        stream = await self.router.load(
            name,
            options=call.options,
            keep_alive=call.seconds,
            pinned=call.pinned,
        )
        if not self.wants_events:
            stream.close()
            self.reply(await self.router.model(name), HTTPStatus.ACCEPTED)
            return
        self.stream = stream
        writer = EventWriter(self)
        with closing(stream):
            try:
                await writer.open()
                while (event := await next_event(stream, writer)) is not None:
                    await writer.write([native.load_event(event)])
            except StreamClosedError:
                return
        self.finish(set_content_type=sse.MEDIA_TYPE)


class UnloadHandler(LLMHandler):
    """``models/{id}/unload``."""

    @web.authenticated
    @authorized
    async def post(self, name: str) -> None:
        """Unload, and answer when the memory is free."""
        call = native.parse(self.request.body, native.UnloadCall)
        own = self.providers.own(name)
        self.reply(await self.router.unload(own, force=call.force))
