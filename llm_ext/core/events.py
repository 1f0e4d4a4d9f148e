"""What happens to a request, in order; what every dialect's answer is made from.

::

    Loading* Ready? Accepted (Queued | PromptProgress)* (Delta | ChoiceEnded)* Finished
    Loading* Ready? Accepted InputProgress* (Vectors | Scores) Finished
    Loading* Ready? Rerouted Accepted ... Finished
    ... Failed

``Loading`` and ``Ready`` come only where the model was not loaded yet; a provider's
progress comes in any order. ``Queued`` follows ``PromptProgress`` where others' answers
needed the memory; once a token is drawn, neither comes. A delta is text, reasoning, or
the beginning, a part or the failure of a tool call. Each of a request's choices ends
once, and all of them before ``Finished``. ``Failed`` can come at any point. Nothing
follows ``Finished`` or ``Failed``.
"""

from typing import Literal, TypeAlias

import msgspec

from llm_ext.errors import LLMError, rebuild

LoadStage = Literal["waiting", "starting", "reading", "loading", "preparing"]
FinishReason = Literal["stop", "length", "cancelled", "tool_calls"]
"""Why an answer ended; ``tool_calls`` is a stop after at least one call."""


class _Event(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    pass


class Loading(_Event, frozen=True):
    """The model is on its way; ``fraction`` (0 to 1) is of the whole load.

    Stages: waiting (for memory that others have), starting (the process), reading (the
    file from disk), loading (llama.cpp builds the model), preparing (context and
    caches).
    """

    stage: LoadStage
    fraction: float


class Ready(_Event, frozen=True):
    """The model is loaded."""


class Rerouted(_Event, frozen=True):
    """Another model answers than was asked for, ``model``; ``reason`` says why."""

    model: str
    reason: str


class Accepted(_Event, frozen=True):
    """The request passed every check and waits for, or has, a slot.

    ``prompt_tokens`` is 0 where whoever answers does not tell it beforehand.
    """

    prompt_tokens: int


class Queued(_Event, frozen=True):
    """The request waits for a slot behind ``position`` others."""

    position: int


class PromptProgress(_Event, frozen=True):
    """``done`` of ``total`` tokens of all its prompts are computed; it only grows."""

    done: int
    total: int


class Alternative(msgspec.Struct, frozen=True):
    """A token that could have been drawn: its bytes, and the log of its probability."""

    piece: bytes
    logprob: float


class TokenLogprob(msgspec.Struct, frozen=True):
    """How likely a token of the answer was.

    As the model found it, before any sampling option, or as it was drawn where
    ``post_sampling_probs`` asks for that.

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


class ReasoningDelta(_Event, frozen=True):
    """Answer number ``choice`` goes on to think ``text`` (never empty)."""

    text: str
    choice: int = 0


class ToolCallStarted(_Event, frozen=True):
    """Answer number ``choice`` calls the tool ``name``; its arguments follow.

    ``index`` counts the calls of one answer, from 0.
    """

    index: int
    id: str
    name: str
    choice: int = 0


class ToolCallDelta(_Event, frozen=True):
    """The arguments of a call go on; all of them together are a JSON object."""

    index: int
    arguments: str
    choice: int = 0


class ToolCallBroken(_Event, frozen=True):
    """What began as a call is none; its source follows as text.

    No other call has its index.
    """

    index: int
    choice: int = 0


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
    """Answer number ``choice`` is complete.

    ``stop`` is the stop string that ended it, if one did.
    """

    choice: int
    reason: FinishReason
    stop: str | None = None


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens of one request, all its answers together.

    ``cached_tokens`` are prompt tokens that were computed before; ``reasoning_tokens``
    are completion tokens in which the model thought.
    """

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0
    reasoning_tokens: int = 0

    @property
    def total_tokens(self) -> int:
        """Prompt and completion together."""
        return self.prompt_tokens + self.completion_tokens


class Timings(msgspec.Struct, frozen=True, kw_only=True):
    """How long a request took, in seconds, without the time that it waited.

    Attributes:
        prompt: From when its prompt was begun to the first token drawn.
        answer: From there to its end, all its answers together.
    """

    prompt: float
    answer: float


class Finished(_Event, frozen=True):
    """The request is complete; ``reason`` is its first answer's.

    ``timings`` are of what was generated; there are none where nothing was drawn.
    """

    reason: FinishReason
    usage: Usage
    timings: Timings | None = None


class Failed(_Event, frozen=True):
    """The request failed; :meth:`error` is the exception that says why."""

    code: str
    message: str
    param: str | None = None
    retry_after: float | None = None

    @classmethod
    def of(cls, error: LLMError) -> "Failed":
        """Return the event that carries ``error``."""
        return cls(
            code=error.code,
            message=str(error),
            param=error.param,
            retry_after=error.retry_after,
        )

    def error(self) -> LLMError:
        """Return the error that this event carries."""
        error = rebuild(self.code, self.message, param=self.param)
        error.retry_after = self.retry_after
        return error


Delta: TypeAlias = (
    TextDelta | ReasoningDelta | ToolCallStarted | ToolCallDelta | ToolCallBroken
)
EngineEvent: TypeAlias = (
    Accepted
    | Queued
    | PromptProgress
    | Delta
    | ChoiceEnded
    | InputProgress
    | Vectors
    | Scores
    | Finished
    | Failed
)
Event: TypeAlias = Loading | Ready | Rerouted | EngineEvent


def joined(first: Event, second: Event) -> Delta | None:
    """Return both as one event; None where the second does not go on with the first.

    Text of which log-probabilities are told stays apart from text of which none are: it
    begins with its first token.
    """
    match first, second:
        case TextDelta(choice=choice), TextDelta():
            if (choice, bool(first.logprobs)) == (second.choice, bool(second.logprobs)):
                text = first.text + second.text
                logprobs = first.logprobs + second.logprobs
                return TextDelta(text=text, choice=choice, logprobs=logprobs)
        case ReasoningDelta(choice=choice), ReasoningDelta() if second.choice == choice:
            return ReasoningDelta(text=first.text + second.text, choice=choice)
        case ToolCallDelta(choice=choice), ToolCallDelta():
            if (choice, first.index) == (second.choice, second.index):
                whole = first.arguments + second.arguments
                return ToolCallDelta(index=first.index, arguments=whole, choice=choice)
    return None
