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
    Ready,
)


class _Status(msgspec.Struct, frozen=True, tag_field="status", kw_only=True):
    pass


class LoadingStatus(_Status, frozen=True, tag="loading"):
    """The model loads; ``fraction`` (0 to 1) is of the whole load."""

    stage: LoadStage
    fraction: float


class ReadyStatus(_Status, frozen=True, tag="ready"):
    """The model is loaded."""


class QueuedStatus(_Status, frozen=True, tag="queued"):
    """The request waits for, or has, a slot."""

    prompt_tokens: int


class PromptStatus(_Status, frozen=True, tag="prompt"):
    """``done`` of ``total`` prompt tokens are computed."""

    done: int
    total: int


class InputStatus(_Status, frozen=True, tag="inputs"):
    """``done`` of ``total`` inputs are embedded or ranked."""

    done: int
    total: int


Status: TypeAlias = (
    LoadingStatus | ReadyStatus | QueuedStatus | PromptStatus | InputStatus
)


def status(event: Event) -> Status:
    """Return ``event`` as data for programs.

    Raises:
        ValueError: It is no progress, but part or end of the answer.
    """
    match event:
        case Loading():
            return LoadingStatus(stage=event.stage, fraction=event.fraction)
        case Ready():
            return ReadyStatus()
        case Accepted():
            return QueuedStatus(prompt_tokens=event.prompt_tokens)
        case PromptProgress():
            return PromptStatus(done=event.done, total=event.total)
        case InputProgress():
            return InputStatus(done=event.done, total=event.total)
        case _:
            raise ValueError(f"{type(event).__name__} is no progress")


def words(event: Event) -> str:
    """Return ``event`` in a few words for people; ValueError as :func:`status`."""
    match status(event):
        case LoadingStatus(stage=stage, fraction=fraction):
            return f"loading {fraction:.0%} ({stage})"
        case ReadyStatus():
            return "loaded"
        case QueuedStatus(prompt_tokens=tokens):
            return f"queued, {tokens} prompt tokens"
        case PromptStatus(done=done, total=total):
            return f"reading the prompt {done}/{total}"
        case InputStatus(done=done, total=total):
            return f"{done}/{total} inputs"
