"""OpenAI's two completion routes: answers that are whole, streamed, or come back to."""

import time
import uuid
from collections.abc import Callable
from typing import TypeAlias, TypedDict

from msgspec import UnsetType

from llm_ext.core.requests import ChatRequest, CompletionRequest
from llm_ext.pool.stream import EventStream
from llm_ext.replies import Answer

from . import resumable
from .answering import Reply, answer, checked
from .base import LLMHandler
from .fingerprint import fingerprint


class Identity(TypedDict):
    """What an answer, and each part of it, is known by."""

    reply_id: str
    model: str
    now: int
    fingerprint: str | UnsetType


Begin: TypeAlias = Callable[[Identity], Reply]
"""Makes what writes an answer."""


async def complete(
    handler: LLMHandler,
    request: ChatRequest | CompletionRequest,
    begin: Begin,
    *,
    streaming: bool,
) -> None:
    """Answer ``request``, under a name of the client's where it is to come back.

    Raises:
        LLMError: The request failed before anything was sent.
    """
    if streaming and resumable.names_stream(handler):
        await resumable.answer(handler, lambda: _lasting(handler, request, begin))
        return
    stream = await handler.generate(request)
    await answer(handler, stream, begin(_identity(stream)), streaming=streaming)


async def _lasting(
    handler: LLMHandler, request: ChatRequest | CompletionRequest, begin: Begin
) -> Answer:
    """Return an answer that outlives the request."""
    stream = await handler.generate(request)
    handler.stream = None
    try:
        first = [] if stream.cold else await checked(stream)
    except BaseException:
        stream.close()
        raise
    return Answer(
        stream,
        begin(_identity(stream)).stream,
        first=first,
        patience=resumable.PATIENCE,
        request=resumable.digest(handler),
    )


def _identity(stream: EventStream) -> Identity:
    return Identity(
        reply_id=uuid.uuid4().hex,
        model=stream.model,
        now=int(time.time()),
        fingerprint=fingerprint(stream),
    )
