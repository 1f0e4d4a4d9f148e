"""``workers``: the processes behind the models."""

from contextlib import closing
from datetime import datetime, timezone
from http import HTTPStatus

import msgspec
from jupyter_server.auth.decorator import authorized
from tornado import web
from tornado.iostream import StreamClosedError

from llm_ext.core.model_status import Problem
from llm_ext.core.worker_status import WorkerStatus
from llm_ext.errors import InvalidRequestError, LLMError
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
        while (worker := process.worker_status()) is not None:
            number = feed.number
            if worker == told:
                await with_heartbeats(feed.wait(number), writer)
                continue
            await writer.write([native.worker_event(worker)])
            told = worker
            await _tell_load(stream, writer)
        if told is None:  # a model that cannot be loaded gets no worker
            await _tell_load(stream, writer)
        else:
            await writer.write([native.worker_event(_last(told, process.error))])


async def _tell_load(stream: EventStream, writer: EventWriter) -> None:
    while (event := await next_event(stream, writer)) is not None:
        await writer.write([native.load_event(event)])


def _last(told: WorkerStatus, error: LLMError | None) -> WorkerStatus:
    """Return how a worker ended of which this was ``told`` before."""
    return msgspec.structs.replace(
        told,
        state="ended" if error is None else "failed",
        pid=None,
        since=datetime.now(timezone.utc),
        error=None if error is None else Problem(code=error.code, message=str(error)),
    )


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
