"""``workers``: the processes behind the models."""

from contextlib import closing
from http import HTTPStatus

from jupyter_server.auth.decorator import authorized
from tornado import web
from tornado.iostream import StreamClosedError

from llm_ext.core.worker_status import WorkerStatus
from llm_ext.errors import InvalidRequestError
from llm_ext.pool.process import ModelProcess
from llm_ext.pool.stream import EventStream
from llm_ext.wire import native, sse

from .base import LLMHandler
from .streaming import EventWriter, next_event, with_heartbeats


class WorkersHandler(LLMHandler):
    """``workers``."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """List all workers."""
        self.reply(native.WorkersReply(workers=await self.router.workers()))

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Start a worker, and answer at once; ``events`` tells when it is ready.

        An ephemeral one is the caller's own: it lives as long as the connection, on
        which its states are told.
        """
        call = native.parse(self.request.body, native.WorkerCall)
        if call.ephemeral:
            await self._lend(call)
            return
        worker = await self.router.start_worker(
            self.providers.own(call.model), call.load_options
        )
        self.reply(worker, HTTPStatus.ACCEPTED)

    async def _lend(self, call: native.WorkerCall) -> None:
        if not self.wants_events:
            raise InvalidRequestError(
                "An ephemeral worker ends with its caller's connection. Keep one open: "
                "send 'Accept: text/event-stream'.",
                param="ephemeral",
            )
        process, stream = await self.router.own_worker(
            self.providers.own(call.model), call.load_options
        )
        self.stream = stream
        try:
            with closing(stream):
                await self._tell(process, stream)
        except StreamClosedError:
            return
        finally:
            await self.router.give_back(process)
        self.finish(set_content_type=sse.MEDIA_TYPE)

    async def _tell(self, process: ModelProcess, stream: EventStream) -> None:
        """Tell how the load goes, then the worker's states until it has ended."""
        writer = EventWriter(self)
        feed = self.services.feed
        told: WorkerStatus | None = None
        await writer.open()
        while True:
            number, worker = feed.number, process.worker_status()
            if worker is None:
                return
            if worker == told:
                await with_heartbeats(feed.wait(number), writer)
                continue
            await writer.write([native.worker_event(worker)])
            told = worker
            while (event := await next_event(stream, writer)) is not None:
                await writer.write([native.load_event(event)])


class WorkerHandler(LLMHandler):
    """``workers/{id}``."""

    @web.authenticated
    @authorized
    async def get(self, worker_id: str) -> None:
        """Show one worker."""
        self.reply(await self.router.worker(worker_id))

    @web.authenticated
    @authorized
    async def delete(self, worker_id: str) -> None:
        """End a worker, and answer when it has gone."""
        force = self.get_query_argument("force", "") in {"1", "true"}
        await self.router.end_worker(worker_id, force=force)
        self.set_status(HTTPStatus.NO_CONTENT)
        self.finish()
