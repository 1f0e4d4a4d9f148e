"""What another server's answer says, as events like those of the pool: pure.

::

    data of a server-sent event ──► Incoming ──► Delta, ChoiceEnded, ..., Finished

Answers are read leniently: servers differ in what they leave out.
"""

import base64
import math
import struct
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from llm_ext.core.events import (
    Alternative,
    ChoiceEnded,
    Event,
    Finished,
    FinishReason,
    ReasoningDelta,
    Scores,
    TextDelta,
    TokenLogprob,
    ToolCallBroken,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
    Vectors,
)
from llm_ext.core.requests import (
    ChatRequest,
    CompletionRequest,
    EmbedRequest,
    RankRequest,
)
from llm_ext.core.tools import is_object

_REASONS: dict[str, FinishReason] = {
    "length": "length",
    "max_tokens": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
}
"""Why answers end, in others' words; whatever else they say is a stop."""

_FLOAT = 4
"""Bytes of a number of a vector."""


class WrongAnswerError(Exception):
    """It is no answer; ``str(error)`` says what is wrong with it."""


class Incoming:
    """Reads the parts of one streamed answer."""

    def __init__(self, request: ChatRequest | CompletionRequest) -> None:
        self._chat = isinstance(request, ChatRequest)
        per_prompt = request.sampling.n or 1
        prompts = len(getattr(request, "prompts", ("",)))
        self._open = set(range(per_prompt * prompts))
        self._first: FinishReason = "stop"
        self._calls: dict[int, _Call] = {}
        self._counts: dict[int, int] = {}
        self._made: set[int] = set()
        self._told: Usage | None = None
        self._pieces = 0

    @property
    def ended(self) -> bool:
        """Whether every choice has ended."""
        return not self._open

    @property
    def usage(self) -> Usage:
        """The other server's counts; without them a piece of an answer is a token."""
        guess = Usage(prompt_tokens=0, completion_tokens=self._pieces)
        return self._told or guess

    def read(self, chunk: Mapping[str, Any]) -> list[Event]:
        """Return what a part says.

        Raises:
            WrongAnswerError: It is no part of an answer.
        """
        if counts := chunk.get("usage"):
            self._told = _usage(counts)
        try:
            return [event for c in chunk.get("choices") or () for event in self._one(c)]
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise WrongAnswerError("a part of it is not in OpenAI's shape") from error

    def finished(self) -> Finished:
        """Return the end.

        Raises:
            WrongAnswerError: Something of the answer has not come.
        """
        if self._open:
            raise WrongAnswerError("it breaks off before its end")
        return Finished(reason=self._first, usage=self.usage)

    def _one(self, choice: Mapping[str, Any]) -> Iterator[Event]:
        number = int(choice.get("index") or 0)
        delta = choice.get("delta") or choice.get("message") or {}
        for event in self._pieces_of(number, choice, delta):
            self._pieces += 1
            yield event
        if reason := choice.get("finish_reason"):
            yield from self._end(number, str(reason), choice.get("stop_reason"))

    def _pieces_of(
        self, number: int, choice: Mapping[str, Any], delta: Mapping[str, Any]
    ) -> Iterator[Event]:
        content = choice.get("text") or delta.get("content") or delta.get("refusal")
        thought, text = _told(content or "")
        if not thought:
            named = delta.get("reasoning_content") or delta.get("reasoning")
            thought = named if isinstance(named, str) else ""
        if thought and self._chat:
            yield from self._close(number)
            yield ReasoningDelta(text=thought, choice=number)
        if text:
            yield from self._close(number)
            told = choice.get("logprobs")
            yield TextDelta(
                text=text, choice=number, logprobs=tuple(_logprobs(told or {}))
            )
        for part in delta.get("tool_calls") or () if self._chat else ():
            yield from self._call(number, part)

    def _call(self, number: int, part: Mapping[str, Any]) -> Iterator[Event]:
        """Go on with a call; a new id or index begins one."""
        function = part.get("function") or {}
        told_index, given = int(part.get("index") or 0), part.get("id")
        call = self._calls.get(number)
        if (
            call is None
            or told_index != call.told_index
            or (given and given != call.id)
        ):
            yield from self._close(number)
            index = self._counts.get(number, 0)
            self._counts[number] = index + 1
            call_id = str(given or f"call_{uuid.uuid4().hex[:24]}")
            call = self._calls[number] = _Call(index, told_index, call_id)
            name = str(function["name"])
            yield ToolCallStarted(index=index, id=call_id, name=name, choice=number)
        arguments = function.get("arguments") or ""
        if not isinstance(arguments, str):
            arguments = msgspec.json.encode(arguments).decode()
        if arguments:
            call.arguments += arguments
            yield ToolCallDelta(index=call.index, arguments=arguments, choice=number)

    def _close(self, number: int) -> Iterator[Event]:
        """End the open call; one that is cut short, or no JSON, is none."""
        call = self._calls.pop(number, None)
        if call is None:
            return
        if not call.arguments:
            yield ToolCallDelta(index=call.index, arguments="{}", choice=number)
        elif not is_object(call.arguments):
            yield ToolCallBroken(index=call.index, choice=number)
            yield TextDelta(text=call.arguments, choice=number)
            return
        self._made.add(number)

    def _end(self, number: int, reason: str, stop: object) -> Iterator[Event]:
        if number not in self._open:
            return
        yield from self._close(number)
        self._open.discard(number)
        why = _REASONS.get(reason, "stop")
        if why != "length":  # OpenAI calls it a stop where the tool was named
            why = "tool_calls" if number in self._made else "stop"
        if number == 0:
            self._first = why
        text = stop if isinstance(stop, str) else None
        yield ChoiceEnded(choice=number, reason=why, stop=text)


class _Call:
    """A call that goes on; ``told_index`` is the other server's."""

    def __init__(self, index: int, told_index: int, call_id: str) -> None:
        self.index = index
        self.told_index = told_index
        self.id = call_id
        self.arguments = ""


def vectors(request: EmbedRequest, body: Mapping[str, Any]) -> tuple[Vectors, Usage]:
    """Return what a list of embeddings says; each vector is made 1 long.

    Raises:
        WrongAnswerError: It does not say a vector for each input.
    """
    found: dict[int, bytes] = {}
    try:
        for place, item in enumerate(body["data"]):
            numbers = _numbers(item["embedding"])[: request.dimensions]
            length = math.sqrt(math.fsum(x * x for x in numbers)) or 1.0
            scaled = [x / length for x in numbers]
            index = int(item.get("index", place))
            found[index] = struct.pack(f"<{len(scaled)}f", *scaled)
        ordered = tuple(found[index] for index in range(len(request.inputs)))
    except (KeyError, TypeError, ValueError, AttributeError, struct.error) as error:
        raise WrongAnswerError("it has no vector for each input") from error
    return Vectors(vectors=ordered), _usage(body.get("usage"))


def scores(request: RankRequest, body: Mapping[str, Any]) -> tuple[Scores, Usage]:
    """Return what a ranking says.

    Raises:
        WrongAnswerError: It does not say a score for each document.
    """
    try:
        found = {
            int(item["index"]): float(item["relevance_score"])
            for item in body["results"]
        }
        ordered = tuple(found[index] for index in range(len(request.documents)))
    except (KeyError, TypeError, ValueError) as error:
        raise WrongAnswerError("it has no score for each document") from error
    return Scores(scores=ordered), _usage(body.get("usage"))


def _numbers(embedding: object) -> list[float]:
    if not isinstance(embedding, str):
        return [float(x) for x in embedding]  # type: ignore[attr-defined]  # else TypeError
    data = base64.b64decode(embedding)
    return list(struct.unpack(f"<{len(data) // _FLOAT}f", data))


def _told(content: object) -> tuple[str, str]:
    """Return what a message's content thinks and says: a text, or parts of either."""
    if isinstance(content, str):
        return "", content
    thought, said = "", ""
    for part in content:  # type: ignore[attr-defined]  # else TypeError
        match part:
            case {"type": "text", "text": str(text)}:
                said += text
            case {"type": "thinking", "thinking": str(text)}:
                thought += text
            case {"type": "thinking", "thinking": [*texts]}:
                thought += "".join(text["text"] for text in texts)
            case _:
                raise WrongAnswerError("a part of it is neither text nor a thought")
    return thought, said


def _usage(told: object) -> Usage:
    counts = _fields(told)
    prompt = _fields(counts.get("prompt_tokens_details"))
    answer = _fields(counts.get("completion_tokens_details"))
    return Usage(
        prompt_tokens=_count(counts.get("prompt_tokens", counts.get("total_tokens"))),
        completion_tokens=_count(counts.get("completion_tokens")),
        cached_tokens=_count(prompt.get("cached_tokens")),
        reasoning_tokens=_count(answer.get("reasoning_tokens")),
    )


def _fields(told: object) -> Mapping[str, Any]:
    return told if isinstance(told, Mapping) else {}


def _count(value: object) -> int:
    return value if isinstance(value, int) and value >= 0 else 0


def _logprobs(told: Mapping[str, Any]) -> Iterator[TokenLogprob]:
    """Yield what is told of tokens, in the shape of chats or that of completions."""
    for item in told.get("content") or ():
        top = tuple(
            Alternative(_piece(other), _logprob(other["logprob"]))
            for other in item.get("top_logprobs") or ()
        )
        yield TokenLogprob(_piece(item), _logprob(item["logprob"]), top)
    tokens, values = told.get("tokens") or (), told.get("token_logprobs") or ()
    likely = told.get("top_logprobs") or [None] * len(tokens)
    for token, value, others in zip(tokens, values, likely, strict=False):
        top = tuple(
            Alternative(text.encode(), _logprob(x))
            for text, x in (others or {}).items()
        )
        yield TokenLogprob(token.encode(), _logprob(value), top)


def _piece(item: Mapping[str, Any]) -> bytes:
    told = item.get("bytes")
    return bytes(told) if told is not None else str(item["token"]).encode()


def _logprob(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
