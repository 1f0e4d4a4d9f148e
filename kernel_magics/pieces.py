"""What an answer is made of as it comes, read from the server's chunks."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from .errors import RefusedError
from .stream import ServerEvent

DONE = "[DONE]"
"""What ends a stream of OpenAI's."""


@dataclass(frozen=True, kw_only=True)
class Status:
    """What the server is doing before the first word.

    Attributes:
        text: In a few words.
        fraction: How far it is, 0 to 1; None where that is unknown.
    """

    text: str
    fraction: float | None = None


@dataclass(frozen=True, kw_only=True)
class Text:
    """The answer goes on."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Reasoning:
    """The model thinks on."""

    text: str


@dataclass(frozen=True, kw_only=True)
class ToolCall:
    """The model wants a function to be called; ``arguments`` is a JSON object."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, kw_only=True)
class ToolResult:
    """A function was called, or was not.

    Attributes:
        call: What the model wanted.
        content: What it is told: the result, or why there is none.
        refused: Whether the call was not allowed.
    """

    call: ToolCall
    content: str
    refused: bool = False


@dataclass(frozen=True, kw_only=True)
class End:
    """The answer is complete.

    Attributes:
        reason: "stop", "length" or "tool_calls".
        model: The model that answered.
        prompt_tokens: Tokens of the question.
        completion_tokens: Tokens of the answer.
        cached_tokens: Tokens of the question that had been computed before.
        timings: The server's own figures, in llama-server's shape, where it has any.
    """

    reason: str
    model: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    timings: dict[str, Any] = field(default_factory=dict)


Piece: TypeAlias = Status | Text | Reasoning | ToolCall | ToolResult | End


class ChatReader:
    """Makes pieces of the events of one answer in OpenAI's shape."""

    def __init__(self) -> None:
        self._reason = "stop"
        self._model = ""
        self._usage: dict[str, Any] = {}
        self._timings: dict[str, Any] = {}
        self._calls: dict[int, dict[str, str]] = {}

    def take(self, event: ServerEvent) -> Iterator[Piece]:
        """Yield what ``event`` says; the last one is always ``End``.

        Raises:
            RefusedError: It is an error that came after the stream had opened.
        """
        if event.data == DONE:
            yield from self._end()
            return
        raise_in_band(event)
        data = json.loads(event.data)
        if event.name == "status":
            yield status(data)
        elif event.name == "message":
            yield from self._chunk(data)

    def _chunk(self, data: dict[str, Any]) -> Iterator[Piece]:
        self._model = data.get("model") or self._model
        self._usage = data.get("usage") or self._usage
        self._timings = data.get("timings") or self._timings
        for choice in data.get("choices", []):
            self._reason = choice.get("finish_reason") or self._reason
            delta = choice.get("delta", {})
            if text := delta.get("reasoning_content"):
                yield Reasoning(text=text)
            if text := delta.get("content"):
                yield Text(text=text)
            for part in delta.get("tool_calls") or []:
                self._call(part)

    def _call(self, part: dict[str, Any]) -> None:
        call = self._calls.setdefault(
            part.get("index", 0), {"id": "", "name": "", "arguments": ""}
        )
        call["id"] = part.get("id") or call["id"]
        function = part.get("function") or {}
        call["name"] += function.get("name") or ""
        call["arguments"] += function.get("arguments") or ""

    def _end(self) -> Iterator[Piece]:
        for _, call in sorted(self._calls.items()):
            yield ToolCall(**call)
        yield _end(self._reason, self._usage, self._timings, model=self._model)


def prompt_pieces(event: ServerEvent) -> Iterator[Piece]:
    """Yield what an event says of the answer to a prompt that the server keeps."""
    if event.data == DONE:
        return
    data = json.loads(event.data)
    match event.name:
        case "status":
            yield status(data)
        case "reasoning":
            yield Reasoning(text=data["text"])
        case "content":
            yield Text(text=data["text"])
        case "done":
            reason, timings = data["finish_reason"], data.get("timings") or {}
            yield _end(reason, data["usage"], timings)


def _end(
    reason: str, usage: dict[str, Any], timings: dict[str, Any], *, model: str = ""
) -> End:
    details = usage.get("prompt_tokens_details") or {}
    return End(
        reason=reason,
        model=model,
        prompt_tokens=usage.get("prompt_tokens", 0),
        completion_tokens=usage.get("completion_tokens", 0),
        cached_tokens=details.get("cached_tokens", 0),
        timings=timings,
    )


def raise_in_band(event: ServerEvent) -> None:
    """Raise the error that came after a stream had opened, if ``event`` is one.

    Raises:
        RefusedError: It is.
    """
    if event.name != "error" and not event.data.startswith('{"error"'):
        return
    error = json.loads(event.data)["error"]
    raise RefusedError(error["message"], code=error.get("code"))


def status(data: dict[str, Any]) -> Status:
    """Return what a ``status`` event says."""
    match data.get("status"):
        case "loading" if data.get("stage") == "waiting":
            return Status(text="waiting for memory")
        case "loading":
            return Status(text=f"loading ({data['stage']})", fraction=data["fraction"])
        case "ready":
            return Status(text="loaded", fraction=1.0)
        case "prompt" | "inputs" as kind:
            done, total = data["done"], max(data["total"], 1)
            what = "reading the prompt" if kind == "prompt" else "reading the texts"
            return Status(text=what, fraction=done / total)
        case _:
            return Status(text=_waiting(data))


def _waiting(data: dict[str, Any]) -> str:
    if data.get("status") == "rerouted":
        return f"{data['model']} answers instead"
    if data.get("position"):
        return f"queued behind {data['position']}"
    return "waiting for the first word"
