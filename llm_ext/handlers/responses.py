"""OpenAI's Responses routes."""

import uuid
from collections.abc import Iterable

import msgspec
from jupyter_server.auth.decorator import authorized
from tornado import web

from llm_ext.core.events import Event, Finished
from llm_ext.core.messages import ChatMessage
from llm_ext.errors import PreviousResponseError, ResponseNotFoundError
from llm_ext.store.responses import KeptResponse, Responses
from llm_ext.wire.responses.ids import response_of
from llm_ext.wire.responses.items import Item, answered
from llm_ext.wire.responses.response import Deleted, InputTokens
from llm_ext.wire.responses.response_reply import ResponseReply
from llm_ext.wire.responses.response_request import FIELDS, ResponseCall, parse

from .answering import answer
from .base import LLMHandler
from .counting import prompt_tokens


class _ResponsesHandler(LLMHandler):
    """Base of these routes."""

    auth_resource = "llm_ext:inference"
    accepts_keys = True

    @property
    def responses(self) -> Responses:
        """What can be gone on from."""
        return self.services.responses

    def parsed(self) -> ResponseCall:
        """Return the call that the body makes; errors as of ``parse``."""
        return parse(self.request.body, self._recalled)

    def _recalled(self, item_id: str) -> Item:
        try:
            kept = self.responses.find(self.owner, response_of(item_id))
        except ResponseNotFoundError:
            raise LookupError(item_id) from None
        return answered(kept.body, item_id)

    def before(self, call: ResponseCall) -> tuple[ChatMessage, ...]:
        """Return what was said up to the response that the call goes on from.

        Raises:
            PreviousResponseError: There is no such response, or no longer.
        """
        previous = call.body.previous_response_id
        if previous is None:
            return ()
        try:
            return self.responses.find(self.owner, previous).turns
        except ResponseNotFoundError:
            raise PreviousResponseError(previous) from None


class ResponsesHandler(_ResponsesHandler):
    """``v1/responses``."""

    @web.authenticated
    @authorized("execute")  # type: ignore[untyped-decorator]  # it types the bare form
    async def post(self) -> None:
        """Answer, whole or as a stream."""
        call = self.parsed()
        self.tell_ignored(FIELDS, call.ignored)
        before = self.before(call)
        stream = await self.generate(call.after(before))
        reply = ResponseReply(call, reply_id=uuid.uuid4().hex, model=stream.model)
        keeping = _KeepingReply(reply, self, said=(*before, *call.input))
        await answer(
            self, stream, keeping if call.store else reply, streaming=call.stream
        )


class InputTokensHandler(_ResponsesHandler):
    """``v1/responses/input_tokens``."""

    @web.authenticated
    @authorized("execute")  # type: ignore[untyped-decorator]  # it types the bare form
    async def post(self) -> None:
        """Count the tokens of a prompt; no model is loaded for it."""
        call = self.parsed()
        count = await prompt_tokens(self, call.after(self.before(call)))
        self.reply(InputTokens(input_tokens=count))


class ResponseHandler(_ResponsesHandler):
    """``v1/responses/{id}``."""

    @web.authenticated
    @authorized
    async def get(self, response_id: str) -> None:
        """Show a response once more."""
        self.finish(self.responses.find(self.owner, response_id).body)

    @web.authenticated
    @authorized
    async def delete(self, response_id: str) -> None:
        """Forget a response."""
        self.responses.delete(self.owner, response_id)
        self.reply(Deleted(id=response_id))


class _KeepingReply:
    """A reply that is kept once it is complete, before the client knows its end.

    Implements :class:`.answering.Reply`.
    """

    def __init__(
        self,
        reply: ResponseReply,
        handler: _ResponsesHandler,
        *,
        said: tuple[ChatMessage, ...],
    ) -> None:
        self._reply = reply
        self._handler = handler
        self._said = said

    def stream(self, event: Event) -> Iterable[bytes]:
        chunks = list(self._reply.stream(event))
        if isinstance(event, Finished):
            self._keep()
        return chunks

    def whole(self, events: Iterable[Event]) -> bytes:
        body = self._reply.whole(events)
        self._keep()
        return body

    def _keep(self) -> None:
        response = self._reply.response
        if response.status == "in_progress":
            return  # the client went away
        kept = KeptResponse(
            turns=(*self._said, *self._reply.turns),
            body=msgspec.json.encode(response),
        )
        self._handler.responses.keep(self._handler.owner, response.id, kept)
