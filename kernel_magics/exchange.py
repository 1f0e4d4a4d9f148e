"""One question to its answer, over as many requests as the calls of tools need.

:class:`Exchange` decides; :func:`ask` and :func:`ask_async` send what it says. ::

    question -> request -> answer, or calls -> results -> request -> ... -> answer
"""

import time
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Generator,
    Iterator,
    Mapping,
)
from contextlib import aclosing, closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .answer import Answer, Timings, Usage
from .errors import ServerGoneError
from .pieces import End, Piece, Reasoning, Text, ToolCall, ToolResult

if TYPE_CHECKING:
    from .client import Client
    from .functions import Toolbox
    from .schema import Schema

MAX_ROUNDS = 8
"""Requests that one question may take: a small model may call for ever."""

Consent = Callable[[ToolCall], str]
"""Says why a call may not be made; nothing if it may."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked.

    Attributes:
        model: The model's id.
        messages: OpenAI's messages.
        options: Other fields of OpenAI's request.
        schema: What the answer has to be.
        toolbox: Functions that the model may have called.
    """

    model: str
    messages: tuple[Mapping[str, Any], ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    schema: "Schema | None" = None
    toolbox: "Toolbox | None" = None


class Exchange:
    """A question and what has come of it so far.

    Args:
        question: What is asked.
        consent: Why a call may not be made; empty if it may.
        clock: Seconds of a steady clock.
    """

    def __init__(
        self,
        question: Question,
        *,
        consent: Consent = lambda _call: "",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._question = question
        self._consent = consent
        self._clock = clock
        self._messages = list(question.messages)
        self._began = clock()
        self._first: float | None = None
        self._round_text = ""
        self._text = ""
        self._reasoning = ""
        self._pending: list[ToolCall] = []
        self._results: list[ToolResult] = []
        self._usage = Usage()
        self._end: End | None = None
        self._rounds = 0

    @property
    def open(self) -> bool:
        """Whether there is a request to send."""
        return self._end is None

    @property
    def model(self) -> str:
        """The model to ask."""
        return self._question.model

    @property
    def messages(self) -> list[Mapping[str, Any]]:
        """The messages of the next request."""
        return self._messages

    @property
    def options(self) -> dict[str, Any]:
        """The other fields of the next request."""
        question = self._question
        options = dict(question.options)
        if question.schema is not None:
            options["response_format"] = question.schema.response_format
        # In the last round there is nothing left but to answer.
        if question.toolbox is not None and self._rounds < MAX_ROUNDS - 1:
            options["tools"] = question.toolbox.definitions
        return options

    def take(self, piece: Piece) -> None:
        """Take what a request brought."""
        match piece:
            case Text():
                if self._first is None:
                    self._first = self._clock() - self._began
                self._round_text += piece.text
                self._text += piece.text
            case Reasoning():
                self._reasoning += piece.text
            case ToolCall():
                self._pending.append(piece)
            case End():
                self._take_end(piece)

    def settle(self) -> Iterator[ToolResult]:
        """Make the calls that the last request asked for, each with consent.

        Raises:
            ServerGoneError: That request brought no end.
        """
        for call, toolbox in self._due():
            refusal = self._refusal(call, toolbox)
            yield self._settled(call, refusal, refusal or toolbox.call(call))

    async def settle_async(self) -> AsyncIterator[ToolResult]:
        """Do as :meth:`settle`; functions that are coroutines run in this very loop."""
        for call, toolbox in self._due():
            refusal = self._refusal(call, toolbox)
            content = refusal or await toolbox.call_async(call)
            yield self._settled(call, refusal, content)

    def _due(self) -> Iterator[tuple[ToolCall, "Toolbox"]]:
        """End a request; yield the calls that it asked for, for the next to tell of."""
        if self._end is None:
            raise ServerGoneError(
                f"the answer of {self.model} ended early: the server, or something on "
                "the way, closed the connection."
            )
        calls, self._pending = self._pending, []
        toolbox = self._question.toolbox
        if not calls or toolbox is None:
            return
        self._messages.append(_assistant(self._round_text, calls))
        self._round_text, self._text, self._end = "", "", None
        for call in calls:
            yield call, toolbox

    def _refusal(self, call: ToolCall, toolbox: "Toolbox") -> str:
        # What does not exist runs nothing, so nobody is asked about it.
        return self._consent(call) if call.name in toolbox else ""

    def _settled(self, call: ToolCall, refusal: str, content: str) -> ToolResult:
        result = ToolResult(call=call, content=content, refused=bool(refusal))
        self._messages.append(
            {"role": "tool", "tool_call_id": call.id, "content": content}
        )
        self._results.append(result)
        return result

    def answer(self, *, stopped: bool = False) -> Answer:
        """Return the answer so far.

        Args:
            stopped: Whether it was interrupted, and may not be whole.

        Raises:
            SchemaError: It is whole, and none of what the schema wants.
        """
        end = self._end or End(reason="stopped", model=self.model)
        schema = self._question.schema
        value: Any = self._text
        if schema is not None and not stopped:
            value = schema.value(self._text, cut=end.reason == "length")
        return Answer(
            text=self._text,
            model=end.model or self.model,
            value=value,
            reasoning=self._reasoning,
            calls=tuple(self._results),
            finish_reason="stopped" if stopped else end.reason,
            usage=self._usage,
            timings=self._timings(end),
        )

    def _take_end(self, end: End) -> None:
        self._end = end
        self._rounds += 1
        self._usage = Usage(
            prompt_tokens=self._usage.prompt_tokens + end.prompt_tokens,
            completion_tokens=self._usage.completion_tokens + end.completion_tokens,
            cached_tokens=self._usage.cached_tokens + end.cached_tokens,
        )

    def _timings(self, end: End) -> Timings:
        total = self._clock() - self._began
        rate = end.timings.get("predicted_per_second")
        if rate is None and self._first is not None and end.completion_tokens > 1:
            rate = (end.completion_tokens - 1) / max(total - self._first, 1e-6)
        return Timings(
            first=self._first, total=total, tokens_per_second=rate, server=end.timings
        )


def ask(client: "Client", exchange: Exchange) -> Generator[Piece, None, None]:
    """Send an exchange's requests, and yield what they bring; it takes it as well.

    Leaving the iterator early cancels the request on the server.

    Raises:
        ServerGoneError: A request brought no end, or nothing at all.
        RefusedError: The server refuses; says why.
    """
    while exchange.open:
        pieces = client.chat(exchange.model, exchange.messages, **exchange.options)
        with closing(pieces):
            for piece in pieces:
                exchange.take(piece)
                yield piece
        yield from exchange.settle()


async def ask_async(
    client: "Client", exchange: Exchange
) -> AsyncGenerator[Piece, None]:
    """Do as :func:`ask`, without blocking the loop.

    Consent is asked for, and functions that are no coroutines are called, in the loop's
    own thread: they may be of use in no other.
    """
    from .async_client import chat  # noqa: PLC0415  # brings httpx, see the package

    while exchange.open:
        pieces = chat(client, exchange.model, exchange.messages, exchange.options)
        async with aclosing(pieces):
            async for piece in pieces:
                exchange.take(piece)
                yield piece
        async for result in exchange.settle_async():
            yield result


def _assistant(text: str, calls: list[ToolCall]) -> dict[str, Any]:
    made = [
        {
            "id": call.id,
            "type": "function",
            "function": {"name": call.name, "arguments": call.arguments},
        }
        for call in calls
    ]
    return {"role": "assistant", "content": text, "tool_calls": made}
