"""What happens to a request, in order; what every dialect's answer is made from.

::

    Loading* Ready? Accepted PromptProgress* (TextDelta | ChoiceEnded)* Finished
    Loading* Ready? Accepted InputProgress* (Vectors | Scores) Finished
    ... Failed

``Loading`` and ``Ready`` come only where the model was not loaded yet. Each of a
request's choices ends once, and all of them before ``Finished``. ``Failed`` can come at
any point. Nothing follows ``Finished`` or ``Failed``.
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


class Alternative(msgspec.Struct, frozen=True):
    """A token that could have been drawn: its bytes, and the log of its probability."""

    piece: bytes
    logprob: float


class TokenLogprob(msgspec.Struct, frozen=True):
    """How likely the model found a token of the answer, before any sampling option.

    Attributes:
        piece: The token's bytes; characters may be split across tokens.
        logprob: The natural logarithm of its probability.
        top: The likeliest tokens in its place, as many as were asked for.
    """

    piece: bytes
    logprob: float
    top: tuple[Alternative, ...] = ()


class TextDelta(_Event, frozen=True):
    """Answer number ``choice`` goes on with ``text`` (never empty).

    ``logprobs`` are of the tokens that begin in it, where they were asked for.
    """

    text: str
    choice: int = 0
    logprobs: tuple[TokenLogprob, ...] = ()


class InputProgress(_Event, frozen=True):
    """``done`` of ``total`` inputs are embedded or ranked."""

    done: int
    total: int


class Vectors(_Event, frozen=True):
    """All vectors of a request, as little-endian floats of 32 bits."""

    vectors: tuple[bytes, ...]


class Scores(_Event, frozen=True):
    """How well each document fits; more is better."""

    scores: tuple[float, ...]


class ChoiceEnded(_Event, frozen=True):
    """Answer number ``choice`` is complete."""

    choice: int
    reason: FinishReason


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of one request, all its answers together.

    ``cached_tokens`` are prompt tokens that were computed before.
    """

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0

    @property
    def total_tokens(self) -> int:
        """Prompt and completion together."""
        return self.prompt_tokens + self.completion_tokens


class Finished(_Event, frozen=True):
    """The request is complete; ``reason`` is its first answer's."""

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


EngineEvent: TypeAlias = (
    Accepted
    | PromptProgress
    | TextDelta
    | ChoiceEnded
    | InputProgress
    | Vectors
    | Scores
    | Finished
    | Failed
)
Event: TypeAlias = Loading | Ready | EngineEvent
