"""Ollama's routes about models: which there are, what they are, to pull and delete."""

import asyncio
from datetime import datetime, timezone
from pathlib import Path

from jupyter_server.auth.decorator import authorized
from tornado import web
from tornado.iostream import StreamClosedError

from llm_ext._version import __version__
from llm_ext.catalog import gguf
from llm_ext.core.provider_status import RemoteModel
from llm_ext.downloads.watch import Watch
from llm_ext.keyring import allows
from llm_ext.wire import sse
from llm_ext.wire.ollama import models, pull
from llm_ext.wire.ollama.show import (
    ShowCall,
    parse as parse_show,
    show,
    show_remote,
)

from .ollama import OllamaHandler
from .streaming import EventWriter, LineWriter, with_heartbeats


class _KnockedAt(OllamaHandler):
    """Base of the routes by which clients find out whether a server is there."""

    @web.authenticated
    @authorized
    def head(self) -> None:
        """Say that the server is there."""
        self.finish()


class RootHandler(_KnockedAt):
    """Where Ollama's clients knock before they ask."""

    @web.authenticated
    @authorized
    def get(self) -> None:
        """Say, in the words that clients look for, that the server is there."""
        self.finish("Ollama is running", set_content_type="text/plain")


class VersionHandler(_KnockedAt):
    """``api/version``."""

    @web.authenticated
    @authorized
    def get(self) -> None:
        """Tell this server's version."""
        self.reply(models.Version(version=__version__))


class TagsHandler(_KnockedAt):
    """``api/tags``."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """List the models."""
        found = await self.providers.everywhere()
        self.reply(models.tags(m for m in found if allows(self.key, m.id)))


class ProcessesHandler(OllamaHandler):
    """``api/ps``."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """List the loaded models."""
        found = await self.router.models()
        allowed = (model for model in found if allows(self.key, model.id))
        self.reply(models.processes(allowed, now=datetime.now(timezone.utc)))


class ShowHandler(OllamaHandler):
    """``api/show``."""

    @web.authenticated
    @authorized("read")  # type: ignore[untyped-decorator]  # it types the bare form
    async def post(self) -> None:
        """Tell what a model's file says."""
        call = parse_show(self.request.body)
        shown = await self.found(call.wanted)
        if isinstance(shown, RemoteModel):
            self.reply(show_remote(shown))
            return
        header = await asyncio.to_thread(gguf.read, Path(shown.path))
        verbose = bool(call.verbose)
        self.reply(await asyncio.to_thread(show, shown, header, verbose=verbose))


class DeleteHandler(OllamaHandler):
    """``api/delete``."""

    auth_resource = "llm_ext:models"
    accepts_keys = False

    @web.authenticated
    @authorized
    async def delete(self) -> None:
        """Delete a model's files; one that is loaded for nobody is unloaded."""
        call: ShowCall = parse_show(self.request.body)
        model = await self.found(self.providers.own(call.wanted))
        await self.router.unload(model.id)
        await self.router.delete(model.id)
        self.finish()


class PullHandler(OllamaHandler):
    """``api/pull``."""

    auth_resource = "llm_ext:models"
    accepts_keys = False

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Download a model, and tell how far it is; it outlives this request."""
        call = pull.parse(self.request.body)
        status = await self.services.downloads.add(call.wanted, self.user)
        watch = self.services.downloads.watch(status.id)
        if call.stream is False:
            await self._wait(watch)
        else:
            await self._tell(watch)

    async def _wait(self, watch: Watch) -> None:
        async for status in watch:
            error = pull.failure(status)
            if error is not None:
                raise error
        self.reply(pull.SUCCESS)

    async def _tell(self, watch: Watch) -> None:
        events = self.wants_events
        writer = EventWriter(self) if events else LineWriter(self)
        reply = pull.PullReply()
        try:
            await writer.open()
            while (status := await with_heartbeats(watch.next(), writer)) is not None:
                documents = reply.tell(status)
                await writer.write(map(sse.event, documents) if events else documents)
        except StreamClosedError:
            return
        self.finish(set_content_type=writer.media_type)
