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
    ReasoningDelta,
    Rerouted,
    TextDelta,
    TokenLogprob,
    ToolCallBroken,
    ToolCallDelta,
    ToolCallStarted,
    Usage as TokenCounts,
)
from llm_ext.core.whole_answer import WholeAnswer
from llm_ext.wire import progress, sse

from .chat_request import ChatCall
from .errors import reply as error_reply
from .timings import Timings, timings

FinishReason = Literal["stop", "length", "tool_calls"]
DONE = sse.event("[DONE]")


class PromptDetails(msgspec.Struct, frozen=True, kw_only=True):
    """Of the prompt's tokens."""

    cached_tokens: int


class CompletionDetails(msgspec.Struct, frozen=True, kw_only=True):
    """Of the completion's tokens."""

    reasoning_tokens: int


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Token counts."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: PromptDetails
    completion_tokens_details: CompletionDetails


class CalledFunction(msgspec.Struct, frozen=True, kw_only=True):
    """What is called; the arguments are a JSON object, as text."""

    name: str
    arguments: str


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A call of a tool."""

    id: str
    function: CalledFunction
    type: Literal["function"] = "function"


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """The answer; ``content`` is null where there are only calls.

    ``reasoning_content`` is no field of OpenAI's, but the one that most servers use.
    """

    content: str | None
    role: Literal["assistant"] = "assistant"
    refusal: None = None
    reasoning_content: str | msgspec.UnsetType = msgspec.UNSET
    tool_calls: list[Call] | msgspec.UnsetType = msgspec.UNSET


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
    timings: Timings | msgspec.UnsetType = msgspec.UNSET
    system_fingerprint: str | msgspec.UnsetType = msgspec.UNSET
    object: Literal["chat.completion"] = "chat.completion"


class FunctionDelta(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a chunk adds to a function that is called; the name comes first, once."""

    name: str | None = None
    arguments: str | msgspec.UnsetType = msgspec.UNSET


class CallDelta(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a chunk adds to a call; id and type come first, once."""

    index: int
    function: FunctionDelta
    id: str | None = None
    type: Literal["function"] | None = None


class Delta(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a chunk adds."""

    role: Literal["assistant"] | None = None
    content: str | msgspec.UnsetType | None = msgspec.UNSET
    reasoning_content: str | msgspec.UnsetType = msgspec.UNSET
    tool_calls: list[CallDelta] | msgspec.UnsetType = msgspec.UNSET


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
    timings: Timings | msgspec.UnsetType = msgspec.UNSET
    system_fingerprint: str | msgspec.UnsetType = msgspec.UNSET
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"


class ChatReply:
    """Makes the answer to one call from its events.

    All chunks of a stream carry the same id, time and model.
    """

    def __init__(
        self,
        call: ChatCall,
        *,
        reply_id: str,
        model: str,
        now: int,
        fingerprint: str | msgspec.UnsetType = msgspec.UNSET,
    ) -> None:
        self._call = call
        self._id = f"chatcmpl-{reply_id}"
        self._model = model
        self._created = now
        self._fingerprint = fingerprint
        self._begun: set[int] = set()

    def stream(self, event: Event) -> Iterator[bytes]:
        """Yield the server-sent events that say ``event``."""
        self._note(event)
        match event:
            case TextDelta() | ReasoningDelta() | ToolCallStarted() | ToolCallDelta():
                yield from self._begin(event.choice)
                yield self._chunk(self._addition(event))
            case ToolCallBroken():
                # What was sent of it stays; what it was comes as content.
                yield from ()
            case ChoiceEnded():
                yield from self._begin(event.choice)
                yield self._chunk(
                    ChunkChoice(
                        index=event.choice,
                        delta=Delta(),
                        finish_reason=self._reason(event.reason),
                    )
                )
            case Finished():
                if self._call.include_usage:
                    yield self._last_chunk(event)
                yield DONE
            case Failed():
                yield sse.event(msgspec.json.encode(error_reply(event.error())))
            case _:
                yield progress.told(event, to_program=self._call.include_progress)

    def whole(self, events: Iterable[Event]) -> bytes:
        """Return the answer in one piece, as JSON; ``events`` end with Finished."""
        answers: dict[int, WholeAnswer] = {}
        choices: list[Choice] = []
        end: Finished | None = None
        for event in events:
            self._note(event)
            match event:
                case ChoiceEnded():
                    answer = answers.get(event.choice, WholeAnswer())
                    choices.append(self._choice(event, answer))
                case Finished():
                    end = event
                case (
                    TextDelta()
                    | ReasoningDelta()
                    | ToolCallStarted()
                    | ToolCallDelta()
                    | ToolCallBroken()
                ):
                    answers.setdefault(event.choice, WholeAnswer()).add(event)
        if end is None:
            raise ValueError("the answer has no end")
        return msgspec.json.encode(
            Completion(
                id=self._id,
                created=self._created,
                model=self._model,
                choices=sorted(choices, key=lambda choice: choice.index),
                usage=usage(end.usage),
                timings=timings(end),
                system_fingerprint=self._fingerprint,
            )
        )

    def _note(self, event: Event) -> None:
        if isinstance(event, Rerouted):
            self._model = event.model
            self._fingerprint = msgspec.UNSET

    def _choice(self, end: ChoiceEnded, answer: WholeAnswer) -> Choice:
        calls = [
            Call(
                id=call.id,
                function=CalledFunction(name=call.name, arguments=call.arguments),
            )
            for call in answer.tool_calls
        ]
        return Choice(
            index=end.choice,
            message=Message(
                content=None if calls and not answer.content else answer.content,
                reasoning_content=answer.reasoning or msgspec.UNSET,
                tool_calls=calls or msgspec.UNSET,
            ),
            finish_reason=self._reason(end.reason),
            logprobs=self._logprobs(answer.logprobs),
        )

    def _addition(
        self, event: TextDelta | ReasoningDelta | ToolCallStarted | ToolCallDelta
    ) -> ChunkChoice:
        told: tuple[TokenLogprob, ...] | None = None
        match event:
            case TextDelta():
                delta = Delta(content=event.text)
                told = event.logprobs
            case ReasoningDelta():
                delta = Delta(reasoning_content=event.text)
            case ToolCallStarted() | ToolCallDelta():
                delta = Delta(tool_calls=[_call_delta(event)])
        logprobs = None if told is None else self._logprobs(told)
        return ChunkChoice(index=event.choice, delta=delta, logprobs=logprobs)

    def _reason(self, reason: EndReason) -> FinishReason:
        """Return why an answer ended; OpenAI calls it a stop where the call was named.

        A cancel is not known to it.
        """
        named = self._call.request.tool_choice.name is not None
        return finish_reason("stop" if named and reason == "tool_calls" else reason)

    def _logprobs(self, told: Iterable[TokenLogprob]) -> Logprobs | None:
        if self._call.request.sampling.logprobs is None:
            return None
        return Logprobs(content=[likely_token(logprob) for logprob in told])

    def _begin(self, choice: int) -> Iterator[bytes]:
        if choice not in self._begun:
            self._begun.add(choice)
            delta = Delta(role="assistant", content=None)
            yield self._chunk(ChunkChoice(index=choice, delta=delta))

    def _chunk(self, choice: ChunkChoice) -> bytes:
        counts = None if self._call.include_usage else msgspec.UNSET
        return self._event([choice], counts, msgspec.UNSET)

    def _last_chunk(self, end: Finished) -> bytes:
        return self._event([], usage(end.usage), timings(end))

    def _event(
        self,
        choices: list[ChunkChoice],
        counts: Usage | msgspec.UnsetType | None,
        told: Timings | msgspec.UnsetType,
    ) -> bytes:
        chunk = Chunk(
            id=self._id,
            created=self._created,
            model=self._model,
            choices=choices,
            usage=counts,
            timings=told,
            system_fingerprint=self._fingerprint,
        )
        return sse.event(msgspec.json.encode(chunk))


def finish_reason(reason: EndReason) -> FinishReason:
    """Return why an answer ended, in OpenAI's words, which know no cancel."""
    return "stop" if reason == "cancelled" else reason


def _call_delta(event: ToolCallStarted | ToolCallDelta) -> CallDelta:
    if isinstance(event, ToolCallDelta):
        function = FunctionDelta(arguments=event.arguments)
        return CallDelta(index=event.index, function=function)
    function = FunctionDelta(name=event.name, arguments="")
    return CallDelta(index=event.index, id=event.id, type="function", function=function)


def likely_token(told: TokenLogprob) -> LikelyToken:
    """Return a log-probability in OpenAI's shape."""
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
        completion_tokens_details=CompletionDetails(
            reasoning_tokens=counts.reasoning_tokens
        ),
    )
