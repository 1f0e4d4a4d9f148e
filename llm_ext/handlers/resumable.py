"""Streams that a client can lose and come back to, under an id of its own."""

import hashlib
import re
from collections.abc import Awaitable, Callable
from http import HTTPStatus

from jupyter_server.auth.decorator import authorized
from tornado import web
from tornado.iostream import StreamClosedError

from llm_ext.errors import InvalidRequestError, StreamNotFoundError, StreamTakenError
from llm_ext.replies import Answer, Key
from llm_ext.wire import sse

from .base import LLMHandler
from .streaming import EventWriter, with_heartbeats

STREAM_ID = "X-Stream-Id"
"""The header by which a client names a stream."""

PATIENCE = 300.0
"""Seconds that such a stream goes on without a reader."""

_ID = re.compile(r"[\w.:-]{1,128}", re.ASCII)


async def follow(handler: LLMHandler, answer: Answer) -> None:
    """Send an answer from its beginning to its end; it goes on if the client goes."""
    writer = EventWriter(handler)
    seen = 0
    with answer.reading():
        try:
            await writer.open()
            while chunks := await with_heartbeats(answer.after(seen), writer):
                await writer.write(chunks)
                seen += len(chunks)
        except StreamClosedError:
            return
    handler.finish(set_content_type=sse.MEDIA_TYPE)


def names_stream(handler: LLMHandler) -> bool:
    """Return whether the client wants to be able to come back."""
    return STREAM_ID in handler.request.headers


def digest(handler: LLMHandler) -> bytes:
    """Return what tells this request from others."""
    request = handler.request
    return hashlib.sha256(request.path.encode() + b"\0" + request.body).digest()


async def answer(handler: LLMHandler, begin: Callable[[], Awaitable[Answer]]) -> None:
    """Send the answer that ``begin`` begins; the same request again attaches to it.

    Raises:
        InvalidRequestError: The stream's id is no id.
        StreamTakenError: It belongs to another request.
    """
    stream_id = handler.request.headers[STREAM_ID]
    if not _ID.fullmatch(stream_id):
        raise InvalidRequestError(
            f"{STREAM_ID} must be up to 128 letters, digits and '._:-'.",
            param=STREAM_ID,
        )
    replies, key = handler.services.replies, _key(handler, stream_id)
    found = replies.find(key)
    if found is None:
        with replies.reserve(key, StreamTakenError(stream_id)):
            found = await begin()
            replies.begin(key, found)
    elif found.request != digest(handler):
        raise StreamTakenError(stream_id)
    await follow(handler, found)


def _key(handler: LLMHandler, stream_id: str) -> Key:
    return ("stream", handler.owner, stream_id)


class StreamHandler(LLMHandler):
    """``streams/{id}``."""

    auth_resource = "llm_ext:inference"
    accepts_keys = True

    @web.authenticated
    @authorized
    async def get(self, stream_id: str) -> None:
        """Send the stream once more, and then what comes."""
        await follow(self, self._answer(stream_id))

    @web.authenticated
    @authorized
    async def delete(self, stream_id: str) -> None:
        """End the stream."""
        answer = self._answer(stream_id)
        answer.stop()
        await answer.wait()
        self.set_status(HTTPStatus.NO_CONTENT)
        self.finish()

    def _answer(self, stream_id: str) -> Answer:
        found = self.services.replies.find(_key(self, stream_id))
        if found is None:
            raise StreamNotFoundError(stream_id)
        return found
