"""``status`` and ``preflight``: what there is, and what would happen."""

from jupyter_server.auth.decorator import authorized
from tornado import web

from llm_ext.wire import native

from .base import LLMHandler


class StatusHandler(LLMHandler):
    """``status``."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Show devices, memory and queues."""
        self.reply(await self.services.status())


class PreflightHandler(LLMHandler):
    """``preflight``."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Say whether a model would load, its options in the query."""
        arguments = {
            name: self.get_query_argument(name)
            for name in self.request.query_arguments
            if name not in _NOT_OPTIONS
        }
        await self._answer(native.preflight_query(arguments))

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Say whether a model would load."""
        await self._answer(native.parse(self.request.body, native.PreflightCall))

    async def _answer(self, call: native.PreflightCall) -> None:
        own = self.providers.own(call.model)
        self.reply(await self.router.preflight(own, call.options))


_NOT_OPTIONS = ("token", "no_track_activity", "_")
"""What may be in any query to a Jupyter server."""
