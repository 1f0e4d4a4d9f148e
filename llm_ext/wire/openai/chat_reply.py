"""``v1/chat/completions``: what clients get, whole or in chunks."""

from collections.abc import Iterator
from typing import Literal

import msgspec

from llm_ext.core.events import Event, Failed, Finished, TextDelta, Usage as TokenCounts
from llm_ext.wire import progress, sse

from .chat_request import ChatCall
from .errors import reply as error_reply

FinishReason = Literal["stop", "length"]
DONE = sse.event("[DONE]")


class PromptDetails(msgspec.Struct, frozen=True, kw_only=True):
    """Of the prompt's tokens."""

    cached_tokens: int


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Token counts."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptDetails


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """The answer."""

    content: str
    role: Literal["assistant"] = "assistant"
    refusal: None = None


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """The one choice of a whole answer."""

    message: Message
    finish_reason: FinishReason
    index: int = 0
    logprobs: None = None


class Completion(msgspec.Struct, frozen=True, kw_only=True):
    """A whole answer."""

    id: str
    created: int
    model: str
    choices: list[Choice]
    usage: Usage
    object: Literal["chat.completion"] = "chat.completion"


class Delta(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a chunk adds."""

    role: Literal["assistant"] | None = None
    content: str | msgspec.UnsetType | None = msgspec.UNSET


class ChunkChoice(msgspec.Struct, frozen=True, kw_only=True):
    """The one choice of a chunk."""

    delta: Delta
    index: int = 0
    logprobs: None = None
    finish_reason: FinishReason | None = None


class Chunk(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a streamed answer; ``usage`` is there only where it was asked for."""

    id: str
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: Usage | msgspec.UnsetType | None = msgspec.UNSET
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"


class ChatReply:
    """Makes the answer to one call from its events.

    All chunks of a stream carry the same id, time and model.
    """

    def __init__(self, call: ChatCall, *, reply_id: str, model: str, now: int) -> None:
        self._call = call
        self._id = f"chatcmpl-{reply_id}"
        self._model = model
        self._created = now
        self._begun = False

    def stream(self, event: Event) -> Iterator[bytes]:
        """Yield the server-sent events that say ``event``."""
        match event:
            case TextDelta():
                yield from self._begin()
                yield self._chunk(Delta(content=event.text))
            case Finished():
                yield from self._begin()
                yield self._chunk(Delta(), finish_reason=finish_reason(event))
                if self._call.include_usage:
                    yield self._usage_chunk(event.usage)
                yield DONE
            case Failed():
                yield sse.event(msgspec.json.encode(error_reply(event.error())))
            case _ if self._call.include_progress:
                data = msgspec.json.encode(progress.status(event))
                yield sse.event(data, name="status")
            case _:
                yield sse.comment(progress.words(event))

    def whole(self, text: str, end: Finished) -> bytes:
        """Return the answer in one piece, as JSON."""
        choice = Choice(message=Message(content=text), finish_reason=finish_reason(end))
        return msgspec.json.encode(
            Completion(
                id=self._id,
                created=self._created,
                model=self._model,
                choices=[choice],
                usage=usage(end.usage),
            )
        )

    def _begin(self) -> Iterator[bytes]:
        if not self._begun:
            self._begun = True
            yield self._chunk(Delta(role="assistant", content=None))

    def _chunk(self, delta: Delta, finish_reason: FinishReason | None = None) -> bytes:
        return self._event(
            [ChunkChoice(delta=delta, finish_reason=finish_reason)], None
        )

    def _usage_chunk(self, counts: TokenCounts) -> bytes:
        return self._event([], usage(counts))

    def _event(self, choices: list[ChunkChoice], counts: Usage | None) -> bytes:
        chunk = Chunk(
            id=self._id,
            created=self._created,
            model=self._model,
            choices=choices,
            usage=counts if self._call.include_usage else msgspec.UNSET,
        )
        return sse.event(msgspec.json.encode(chunk))


def finish_reason(end: Finished) -> FinishReason:
    """Return why an answer ended, in OpenAI's words, which know no cancel."""
    return "length" if end.reason == "length" else "stop"


def usage(counts: TokenCounts) -> Usage:
    """Return token counts in OpenAI's shape."""
    return Usage(
        prompt_tokens=counts.prompt_tokens,
        completion_tokens=counts.completion_tokens,
        total_tokens=counts.total_tokens,
        prompt_tokens_details=PromptDetails(cached_tokens=counts.cached_tokens),
    )
