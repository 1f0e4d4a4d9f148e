"""``providers``: who answers, and one shape for whatever they answer."""

from collections.abc import Iterable
from typing import Any, Literal, TypeAlias

import msgspec

from llm_ext.core.events import (
    Delta,
    Event,
    Failed,
    Finished,
    ReasoningDelta,
    Rerouted,
    Scores,
    TextDelta,
    Vectors,
)
from llm_ext.core.messages import ToolCall
from llm_ext.core.provider_status import ProviderStatus
from llm_ext.core.requests import CompletionRequest, Request
from llm_ext.core.whole_answer import WholeAnswer
from llm_ext.errors import InvalidRequestError

from . import progress, sse
from .openai import chat_request, completions, embeddings, rerank
from .openai.body import decode
from .openai.chat_reply import Usage, usage
from .openai.embeddings import numbers
from .openai.errors import reply as error_reply
from .openai.timings import Timings, timings

Operation: TypeAlias = Literal["chat", "completion", "embedding", "rerank"]
FinishReason: TypeAlias = Literal["stop", "length", "tool_calls", "cancelled"]

_OURS = ("stream", "stream_options", "n")
"""What the route decides itself."""


class ProvidersReply(msgspec.Struct, frozen=True, kw_only=True):
    """All providers; this machine comes first."""

    providers: list[ProviderStatus]


class ExecuteBody(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """What ``providers/execute`` carries.

    Attributes:
        provider: Who is to answer; "local" is this machine.
        operation: What is asked for.
        params: The fields of OpenAI's route for that (Jina's for ``rerank``), ``model``
            among them as the provider calls it.
        stream: Whether the answer comes as server-sent events.
    """

    provider: str
    operation: Operation
    params: dict[str, Any]
    stream: bool = False


class ExecuteCall(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed call."""

    request: Request
    operation: Operation
    stream: bool


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """What else is known of an answer.

    Attributes:
        operation: What was asked for.
        reasoning: What the model thought before.
        tool_calls: What it wants called.
        timings: How fast it was.
        rerouted: Why another model answered than was asked for.
    """

    operation: Operation
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    timings: Timings | msgspec.UnsetType = msgspec.UNSET
    rerouted: str | None = None


class ProviderAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer, whoever gave it.

    Attributes:
        provider: Who gave it.
        model: The id of the model.
        content: Text; of embeddings a vector for each input, of a ranking a score for
            each document.
        usage: Token counts.
        finish_reason: Why it ended.
        metadata: What else is known.
    """

    provider: str
    model: str
    content: str | list[tuple[float, ...] | float]
    usage: Usage
    finish_reason: FinishReason
    metadata: Metadata


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """The answer, or what was thought, goes on."""

    text: str


_decoder = msgspec.json.Decoder(ExecuteBody)


def parse_execute(data: bytes) -> ExecuteBody:
    """Return the body; InvalidRequestError names the field that is wrong."""
    return decode(_decoder, data)


def execute_call(body: ExecuteBody, *, default: str | None) -> ExecuteCall:
    """Return the request that a body makes.

    Args:
        body: What was sent; its provider exists.
        default: The model of this machine that is meant where none is named.

    Raises:
        InvalidRequestError: A parameter is missing or wrong; names it.
    """
    for name in _OURS:
        if name in body.params:
            raise InvalidRequestError(
                f"'params' cannot hold {name!r}: there is one answer here, and "
                f"'stream' stands beside 'params'.",
                param=f"params.{name}",
            )
    model = body.params.get("model") or (default if body.provider == "local" else None)
    if not isinstance(model, str):
        raise InvalidRequestError(
            "Say which model of the provider is meant.", param="params.model"
        )
    name = f"{body.provider}/{model.removeprefix(f'{body.provider}/')}"
    request = _request(
        body.operation, msgspec.json.encode({**body.params, "model": name})
    )
    if isinstance(request, CompletionRequest) and len(request.prompts) > 1:
        raise InvalidRequestError(
            "There is one answer here: send one prompt at a time.",
            param="params.prompt",
        )
    return ExecuteCall(request=request, operation=body.operation, stream=body.stream)


def _request(operation: Operation, data: bytes) -> Request:
    match operation:
        case "chat":
            return chat_request.parse(data).request
        case "completion":
            return completions.parse(data).request
        case "embedding":
            return embeddings.parse(data).request
        case "rerank":
            return rerank.parse(data).request


class ProviderReply:
    """Makes the answer to one call from its events, whole or in events."""

    def __init__(self, call: ExecuteCall) -> None:
        self._call = call
        self._whole = WholeAnswer()
        self._numbers: list[tuple[float, ...] | float] | None = None
        self._rerouted: str | None = None

    def tell(self, event: Event, *, provider: str, model: str) -> Iterable[bytes]:
        """Return what readers see of an event; ``provider`` and ``model`` answer."""
        self._note(event)
        match event:
            case TextDelta():
                return [_event("content", Content(text=event.text))]
            case ReasoningDelta():
                return [_event("reasoning", Content(text=event.text))]
            case Finished():
                done = self._answer(event, provider=provider, model=model)
                return [_event("done", done)]
            case Failed():
                return [_event("error", error_reply(event.error()))]
        try:
            return [_event("status", progress.status(event))]
        except ValueError:
            return []  # an end of a choice, a call of a tool, or numbers

    def whole(
        self, events: Iterable[Event], *, provider: str, model: str
    ) -> ProviderAnswer:
        """Return the answer in one piece; ``events`` end with Finished."""
        end: Finished | None = None
        for event in events:
            self._note(event)
            if isinstance(event, Finished):
                end = event
        if end is None:
            raise ValueError("the answer has no end")
        return self._answer(end, provider=provider, model=model)

    def _note(self, event: Event) -> None:
        match event:
            case Rerouted():
                self._rerouted = event.reason
            case Vectors():
                self._numbers = [numbers(vector) for vector in event.vectors]
            case Scores():
                self._numbers = list(event.scores)
            case _ if isinstance(event, Delta):
                self._whole.add(event)

    def _answer(self, end: Finished, *, provider: str, model: str) -> ProviderAnswer:
        content = self._whole.content if self._numbers is None else self._numbers
        return ProviderAnswer(
            provider=provider,
            model=model,
            content=content,
            usage=usage(end.usage),
            finish_reason=end.reason,
            metadata=Metadata(
                operation=self._call.operation,
                reasoning=self._whole.reasoning,
                tool_calls=self._whole.tool_calls,
                timings=timings(end),
                rerouted=self._rerouted,
            ),
        )


def _event(name: str, data: object) -> bytes:
    return sse.event(msgspec.json.encode(data), name=name)
