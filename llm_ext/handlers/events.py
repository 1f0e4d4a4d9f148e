"""``events``: every change, as it happens."""

from jupyter_server.auth.decorator import authorized
from tornado import web
from tornado.iostream import StreamClosedError

from llm_ext.core.whole_number import whole_number
from llm_ext.wire import changes

from .base import LLMHandler
from .streaming import EventWriter, with_heartbeats


class EventsHandler(LLMHandler):
    """``events``."""

    # An open page that only watches must not keep an idle server alive for ever.
    _track_activity = False

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Tell what changes, after a snapshot, or after what the client saw last."""
        writer = EventWriter(self)
        feed = self.services.feed
        number = self._seen()
        try:
            await writer.open()
            while True:
                news = None if number is None else feed.since(number)
                if news is None:
                    number = feed.number
                    state = await self.services.snapshot()
                    await writer.write([changes.snapshot(number, state)])
                else:
                    await writer.write([changes.change(*change) for change in news])
                    number = news[-1].number if news else number
                await with_heartbeats(feed.wait(number or 0), writer)
        except StreamClosedError:
            return

    def _seen(self) -> int | None:
        """Return the number of the last change that the client saw; None for none."""
        text = self.request.headers.get("Last-Event-ID", "")
        text = text or self.get_query_argument("since", "")
        return whole_number(text)
