"""OpenAI's two completion routes: answers that are whole, streamed, or come back to."""

import time
import uuid
from collections.abc import Callable
from typing import TypeAlias, TypedDict

from msgspec import UnsetType

from llm_ext.pool.stream import EventStream
from llm_ext.replies import Answer
from llm_ext.wire.openai.chat_request import ChatCall
from llm_ext.wire.openai.completions import CompletionCall

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
    handler: LLMHandler, call: ChatCall | CompletionCall, begin: Begin
) -> None:
    """Answer ``call``, under a name of the client's where it is to come back.

    Raises:
        LLMError: The request failed before anything was sent.
    """
    if call.stream and resumable.names_stream(handler):
        await resumable.answer(handler, lambda: _lasting(handler, call, begin))
        return
    stream = await handler.generate(call.request, keep_alive=call.keep_alive)
    await answer(handler, stream, begin(_identity(stream)), streaming=call.stream)


async def _lasting(
    handler: LLMHandler, call: ChatCall | CompletionCall, begin: Begin
) -> Answer:
    """Return an answer that outlives the request."""
    stream = await handler.generate(call.request, keep_alive=call.keep_alive)
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
