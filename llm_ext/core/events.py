"""What happens to a request, in order; what every dialect's answer is made from.

::

    Loading* Ready? Accepted PromptProgress* TextDelta* (Finished | Failed)

``Loading`` and ``Ready`` come only where the model was not loaded yet. ``Failed`` can
come at any point. Nothing follows ``Finished`` or ``Failed``.
"""

from typing import Literal, TypeAlias

import msgspec

from llm_ext.errors import LLMError, rebuild

LoadStage = Literal["starting", "reading", "loading", "preparing"]
FinishReason = Literal["stop", "length", "cancelled"]


class _Event(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    pass


class Loading(_Event, frozen=True):
    """The model is on its way; ``fraction`` (0 to 1) is of the whole load.

    Stages: starting (the process), reading (the file from disk), loading (llama.cpp
    builds the model), preparing (context and caches).
    """

    stage: LoadStage
    fraction: float


class Ready(_Event, frozen=True):
    """The model is loaded."""


class Accepted(_Event, frozen=True):
    """The request passed every check and waits for, or has, a slot."""

    prompt_tokens: int


class PromptProgress(_Event, frozen=True):
    """``done`` of ``total`` prompt tokens are computed."""

    done: int
    total: int


class TextDelta(_Event, frozen=True):
    """The answer goes on with ``text`` (never empty)."""

    text: str


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of one request. ``cached_tokens`` are prompt tokens not recomputed."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0

    @property
    def total_tokens(self) -> int:
        """Prompt and completion together."""
        return self.prompt_tokens + self.completion_tokens


class Finished(_Event, frozen=True):
    """The answer is complete."""

    reason: FinishReason
    usage: Usage


class Failed(_Event, frozen=True):
    """The request failed; :meth:`error` is the exception that says why."""

    code: str
    message: str
    param: str | None = None

    @classmethod
    def of(cls, error: LLMError) -> "Failed":
        """Return the event that carries ``error``."""
        return cls(code=error.code, message=str(error), param=error.param)

    def error(self) -> LLMError:
        """Return the error that this event carries."""
        return rebuild(self.code, self.message, param=self.param)


EngineEvent: TypeAlias = Accepted | PromptProgress | TextDelta | Finished | Failed
Event: TypeAlias = Loading | Ready | EngineEvent
