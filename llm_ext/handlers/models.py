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
        self.reply(native.ModelsReply(default=default, models=models))


class ModelHandler(LLMHandler):
    """``models/{id}``."""

    @web.authenticated
    @authorized
    async def get(self, name: str) -> None:
        """Show one model."""
        self.reply(await self.router.model(name))


class LoadHandler(LLMHandler):
    """``models/{id}/load``."""

    @web.authenticated
    @authorized
    async def post(self, name: str) -> None:
        """Begin to load, and answer at once; the load outlives this request.

        A client that accepts server-sent events is told how far the load is, until
        the model is ready or an error says why it is not.
        """
        stream = await self.router.load(name)
        if sse.MEDIA_TYPE not in self.request.headers.get("Accept", ""):
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
        call = native.parse_unload(self.request.body)
        self.reply(await self.router.unload(name, force=call.force))
