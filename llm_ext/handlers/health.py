"""``health/live`` and ``health/ready``."""

from jupyter_server.auth.decorator import allow_unauthenticated, authorized
from tornado import web

from llm_ext._version import __version__
from llm_ext.wire.native import Health

from .base import LLMHandler


class LiveHandler(LLMHandler):
    """Whether the server runs. The one route without a token: for probes."""

    _track_activity = False

    @allow_unauthenticated
    def get(self) -> None:
        """Say so."""
        self.reply(Health(version=__version__))


class ReadyHandler(LLMHandler):
    """Whether requests can be served to this caller."""

    _track_activity = False

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Say so, once the catalog could be read.

        A caller without a token gets the cookie with which it may then post.
        """
        await self.router.models()
        if not self.token_authenticated:
            self.xsrf_token  # noqa: B018  # reading it sets the cookie
        self.reply(Health(version=__version__))
