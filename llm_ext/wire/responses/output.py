"""``v1/responses``: the items that an answer is made of, and how they are counted."""

from typing import Literal, TypeAlias

import msgspec

from llm_ext.core.events import TokenLogprob, Usage as TokenCounts
from llm_ext.wire.openai.chat_reply import LikelyToken, likely_token

Status = Literal["in_progress", "completed", "incomplete"]


class _Typed(msgspec.Struct, frozen=True, tag_field="type", kw_only=True):
    pass


class OutputText(_Typed, frozen=True, tag="output_text"):
    """What a message says; there are no annotations here."""

    text: str = ""
    annotations: tuple[()] = ()
    logprobs: tuple[LikelyToken, ...] = ()


class ReasoningText(_Typed, frozen=True, tag="reasoning_text"):
    """What was thought."""

    text: str = ""


Part: TypeAlias = OutputText | ReasoningText


class MessageItem(_Typed, frozen=True, tag="message"):
    """What the answer says."""

    id: str
    status: Status = "in_progress"
    content: tuple[OutputText, ...] = ()
    role: Literal["assistant"] = "assistant"


class ReasoningItem(_Typed, frozen=True, tag="reasoning"):
    """What was thought before; there is no summary of it."""

    id: str
    status: Status = "in_progress"
    content: tuple[ReasoningText, ...] = ()
    summary: tuple[()] = ()


class CallItem(_Typed, frozen=True, tag="function_call"):
    """A call; its result refers to it by ``call_id``."""

    id: str
    call_id: str
    name: str
    status: Status = "in_progress"
    arguments: str = ""


OutputItem: TypeAlias = MessageItem | ReasoningItem | CallItem


class InputDetails(msgspec.Struct, frozen=True, kw_only=True):
    """Of the prompt's tokens; all that is computed is kept, so no writes are told."""

    cached_tokens: int
    cache_write_tokens: int = 0


class OutputDetails(msgspec.Struct, frozen=True, kw_only=True):
    """Of the answer's tokens."""

    reasoning_tokens: int


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Token counts."""

    input_tokens: int
    input_tokens_details: InputDetails
    output_tokens: int
    output_tokens_details: OutputDetails
    total_tokens: int


def usage(counts: TokenCounts) -> Usage:
    """Return token counts in the shape of this API."""
    return Usage(
        input_tokens=counts.prompt_tokens,
        input_tokens_details=InputDetails(cached_tokens=counts.cached_tokens),
        output_tokens=counts.completion_tokens,
        output_tokens_details=OutputDetails(reasoning_tokens=counts.reasoning_tokens),
        total_tokens=counts.total_tokens,
    )


def likely_tokens(told: tuple[TokenLogprob, ...]) -> tuple[LikelyToken, ...]:
    """Return log-probabilities in the shape of this API, which is that of chats."""
    return tuple(map(likely_token, told))
