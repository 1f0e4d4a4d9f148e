"""What goes on before the first word of an answer: for programs and for people."""

from typing import TypeAlias

import msgspec

from llm_ext.core.events import (
    Accepted,
    Event,
    InputProgress,
    Loading,
    LoadStage,
    PromptProgress,
    Queued,
    Ready,
    Rerouted,
)

from . import sse


class _Status(msgspec.Struct, frozen=True, tag_field="status", kw_only=True):
    pass


class LoadingStatus(_Status, frozen=True, tag="loading"):
    """The model loads; ``fraction`` (0 to 1) is of the whole load."""

    stage: LoadStage
    fraction: float


class ReadyStatus(_Status, frozen=True, tag="ready"):
    """The model is loaded."""


class QueuedStatus(_Status, frozen=True, tag="queued", omit_defaults=True):
    """The request waits for, or has, a slot; ``position`` others are before it."""

    prompt_tokens: int | None = None
    position: int | None = None


class PromptStatus(_Status, frozen=True, tag="prompt"):
    """``done`` of ``total`` prompt tokens are computed."""

    done: int
    total: int


class InputStatus(_Status, frozen=True, tag="inputs"):
    """``done`` of ``total`` inputs are embedded or ranked."""

    done: int
    total: int


class ReroutedStatus(_Status, frozen=True, tag="rerouted"):
    """Another model answers than was asked for; ``reason`` says why."""

    model: str
    reason: str


Status: TypeAlias = (
    LoadingStatus
    | ReadyStatus
    | QueuedStatus
    | PromptStatus
    | InputStatus
    | ReroutedStatus
)


def status(event: Event) -> Status:
    """Return ``event`` as data for programs.

    Raises:
        ValueError: It is no progress, but part or end of the answer.
    """
    told = _status(event)
    if told is None:
        raise ValueError(f"{type(event).__name__} is no progress")
    return told


def _status(event: Event) -> Status | None:
    told: Status | None = None
    match event:
        case Loading():
            told = LoadingStatus(stage=event.stage, fraction=event.fraction)
        case Ready():
            told = ReadyStatus()
        case Rerouted():
            told = ReroutedStatus(model=event.model, reason=event.reason)
        case Accepted():
            told = QueuedStatus(prompt_tokens=event.prompt_tokens or None)
        case Queued():
            told = QueuedStatus(position=event.position)
        case PromptProgress():
            told = PromptStatus(done=event.done, total=event.total)
        case InputProgress():
            told = InputStatus(done=event.done, total=event.total)
    return told


def words(event: Event) -> str:
    """Return ``event`` in a few words for people; ValueError as :func:`status`."""
    match status(event):
        case LoadingStatus() as loading:
            return _loading_words(loading)
        case ReadyStatus():
            return "loaded"
        case QueuedStatus() as queued:
            return _queued_words(queued)
        case ReroutedStatus(model=model, reason=reason):
            return f"{model} answers instead: {reason}"
        case PromptStatus(done=done, total=total):
            return f"reading the prompt {done}/{total}"
        case InputStatus(done=done, total=total):
            return f"{done}/{total} inputs"


def told(event: Event, *, to_program: bool) -> bytes:
    """Return ``event`` for a stream: for a program, or as what clients skip.

    Raises:
        ValueError: As :func:`status`.
    """
    if to_program:
        return sse.event(msgspec.json.encode(status(event)), name="status")
    return sse.comment(words(event))


def _loading_words(loading: LoadingStatus) -> str:
    if loading.stage == "waiting":
        return "waiting for memory"
    return f"loading {loading.fraction:.0%} ({loading.stage})"


def _queued_words(queued: QueuedStatus) -> str:
    if queued.position is None:
        tokens = queued.prompt_tokens
        return "queued" if tokens is None else f"queued, {tokens} prompt tokens"
    return f"queued behind {queued.position}" if queued.position else "next in line"
