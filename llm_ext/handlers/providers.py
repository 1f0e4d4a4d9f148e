"""``providers``: who answers, and asking one of them for an answer in one shape."""

from collections.abc import Iterable
from contextlib import closing

from jupyter_server.auth.decorator import authorized
from tornado import web

from llm_ext.core.events import Event, Finished
from llm_ext.wire import providers as wire

from .answering import all_events, send_events
from .base import LLMHandler


class ProvidersHandler(LLMHandler):
    """``providers``."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """List this machine and all other servers, and how they are just now."""
        self.reply(wire.ProvidersReply(providers=await self.providers.statuses()))


class ExecuteHandler(LLMHandler):
    """``providers/execute``."""

    auth_resource = "llm_ext:inference"
    accepts_keys = True

    @web.authenticated
    @authorized("execute")  # type: ignore[untyped-decorator]  # it types the bare form
    async def post(self) -> None:
        """Ask a provider, and answer in the same shape whoever it is."""
        body = wire.parse_execute(self.request.body)
        self.providers.provider(body.provider)
        call = wire.execute_call(body, default=await self.router.default())
        stream = await self.generate(call.request)
        reply = wire.ProviderReply(call)

        def tell(event: Event) -> Iterable[bytes]:
            return reply.tell(event, provider=stream.provider, model=stream.model)

        with closing(stream):
            if call.stream:
                await send_events(self, stream, tell)
                return
            events = await all_events(stream)
            if events and isinstance(events[-1], Finished):
                self.reply(
                    reply.whole(events, provider=stream.provider, model=stream.model)
                )
