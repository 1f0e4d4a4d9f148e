"""``v1/chat/completions``: what clients get, whole or in chunks."""

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from llm_ext.core.events import (
    Alternative,
    ChoiceEnded,
    Event,
    Failed,
    Finished,
    FinishReason as EndReason,
    TextDelta,
    TokenLogprob,
    Usage as TokenCounts,
)
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


class Likely(msgspec.Struct, frozen=True, kw_only=True):
    """A token and how likely it was; ``bytes`` join where characters are split."""

    token: str
    logprob: float
    bytes: list[int]


class LikelyToken(Likely, frozen=True, kw_only=True):
    """A token of the answer, with the likeliest ones in its place."""

    top_logprobs: list[Likely]


class Logprobs(msgspec.Struct, frozen=True, kw_only=True):
    """How likely the tokens of an answer, or of a chunk, were."""

    content: list[LikelyToken]
    refusal: None = None


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """One of the answers."""

    index: int
    message: Message
    finish_reason: FinishReason
    logprobs: Logprobs | None = None


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
    """What a chunk adds to one of the answers."""

    index: int
    delta: Delta
    logprobs: Logprobs | None = None
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
        self._begun: set[int] = set()

    def stream(self, event: Event) -> Iterator[bytes]:
        """Yield the server-sent events that say ``event``."""
        match event:
            case TextDelta():
                yield from self._begin(event.choice)
                yield self._chunk(
                    ChunkChoice(
                        index=event.choice,
                        delta=Delta(content=event.text),
                        logprobs=self._logprobs(event.logprobs),
                    )
                )
            case ChoiceEnded():
                yield from self._begin(event.choice)
                yield self._chunk(
                    ChunkChoice(
                        index=event.choice,
                        delta=Delta(),
                        finish_reason=finish_reason(event.reason),
                    )
                )
            case Finished():
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

    def whole(self, events: Iterable[Event]) -> bytes:
        """Return the answer in one piece, as JSON; ``events`` end with Finished."""
        deltas: dict[int, list[TextDelta]] = {}
        choices: list[Choice] = []
        counts = TokenCounts(prompt_tokens=0, completion_tokens=0)
        for event in events:
            match event:
                case TextDelta():
                    deltas.setdefault(event.choice, []).append(event)
                case ChoiceEnded():
                    choices.append(self._choice(event, deltas.get(event.choice, [])))
                case Finished():
                    counts = event.usage
        return msgspec.json.encode(
            Completion(
                id=self._id,
                created=self._created,
                model=self._model,
                choices=sorted(choices, key=lambda choice: choice.index),
                usage=usage(counts),
            )
        )

    def _choice(self, end: ChoiceEnded, deltas: list[TextDelta]) -> Choice:
        told = [logprob for delta in deltas for logprob in delta.logprobs]
        return Choice(
            index=end.choice,
            message=Message(content="".join(delta.text for delta in deltas)),
            finish_reason=finish_reason(end.reason),
            logprobs=self._logprobs(told),
        )

    def _logprobs(self, told: Iterable[TokenLogprob]) -> Logprobs | None:
        if self._call.request.sampling.logprobs is None:
            return None
        return Logprobs(content=[_likely_token(logprob) for logprob in told])

    def _begin(self, choice: int) -> Iterator[bytes]:
        if choice not in self._begun:
            self._begun.add(choice)
            delta = Delta(role="assistant", content=None)
            yield self._chunk(ChunkChoice(index=choice, delta=delta))

    def _chunk(self, choice: ChunkChoice) -> bytes:
        return self._event([choice], None)

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


def finish_reason(reason: EndReason) -> FinishReason:
    """Return why an answer ended, in OpenAI's words, which know no cancel."""
    return "length" if reason == "length" else "stop"


def _likely_token(told: TokenLogprob) -> LikelyToken:
    return LikelyToken(
        token=_text(told.piece),
        logprob=told.logprob,
        bytes=list(told.piece),
        top_logprobs=[_likely(alternative) for alternative in told.top],
    )


def _likely(told: Alternative) -> Likely:
    return Likely(token=_text(told.piece), logprob=told.logprob, bytes=list(told.piece))


def _text(piece: bytes) -> str:
    return piece.decode(errors="replace")


def usage(counts: TokenCounts) -> Usage:
    """Return token counts in OpenAI's shape."""
    return Usage(
        prompt_tokens=counts.prompt_tokens,
        completion_tokens=counts.completion_tokens,
        total_tokens=counts.total_tokens,
        prompt_tokens_details=PromptDetails(cached_tokens=counts.cached_tokens),
    )
