"""``downloads``: models on their way from a hub."""

from http import HTTPStatus

from jupyter_server.auth.decorator import authorized
from tornado import web
from tornado.iostream import StreamClosedError

from llm_ext.downloads.jobs import Downloads
from llm_ext.wire import downloads as wire, sse

from .base import LLMHandler
from .streaming import EventWriter, with_heartbeats


class _DownloadHandler(LLMHandler):
    @property
    def downloads(self) -> Downloads:
        """All downloads."""
        return self.services.downloads


class DownloadsHandler(_DownloadHandler):
    """``downloads``."""

    @web.authenticated
    @authorized
    def get(self) -> None:
        """List all downloads, the oldest first."""
        self.reply(wire.DownloadsReply(downloads=self.downloads.list()))

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Begin a download, and answer at once; it outlives this request.

        A client that accepts server-sent events is told how far it is, until its end.
        """
        call = wire.parse_call(self.request.body)
        status = await self.downloads.add(call.model, self.user)
        if self.wants_events:
            await self._tell(status.id)
        else:
            self.reply(status, HTTPStatus.ACCEPTED)

    async def _tell(self, download_id: str) -> None:
        writer = EventWriter(self)
        watch = self.downloads.watch(download_id)
        try:
            await writer.open()
            while (status := await with_heartbeats(watch.next(), writer)) is not None:
                await writer.write([wire.event(status)])
        except StreamClosedError:
            return
        self.finish(set_content_type=sse.MEDIA_TYPE)


class DownloadHandler(_DownloadHandler):
    """``downloads/{id}``."""

    @web.authenticated
    @authorized
    def get(self, download_id: str) -> None:
        """Show one download."""
        self.reply(self.downloads.get(download_id))

    @web.authenticated
    @authorized
    async def delete(self, download_id: str) -> None:
        """Forget a download that has ended."""
        await self.downloads.remove(download_id)
        self.set_status(HTTPStatus.NO_CONTENT)
        self.finish()


class PauseHandler(_DownloadHandler):
    """``downloads/{id}/pause``."""

    @web.authenticated
    @authorized
    async def post(self, download_id: str) -> None:
        """Stop for now, keeping what has arrived."""
        self.reply(await self.downloads.pause(download_id))


class ResumeHandler(_DownloadHandler):
    """``downloads/{id}/resume``."""

    @web.authenticated
    @authorized
    async def post(self, download_id: str) -> None:
        """Go on, or try again."""
        self.reply(await self.downloads.resume(download_id))


class CancelHandler(_DownloadHandler):
    """``downloads/{id}/cancel``."""

    @web.authenticated
    @authorized
    async def post(self, download_id: str) -> None:
        """Stop for good, and delete what has arrived."""
        self.reply(await self.downloads.cancel(download_id))
