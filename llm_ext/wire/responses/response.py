"""``v1/responses``: the response object, and the events that tell of it."""

from typing import Literal, TypeAlias

import msgspec

from llm_ext.wire.openai.chat_reply import LikelyToken

from .output import OutputItem, Part, Usage
from .response_request import Reasoning, TextOptions
from .tools import Choice, ToolOffer

Status = Literal["in_progress", "completed", "incomplete", "failed"]


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why there is no answer."""

    code: str
    message: str


class IncompleteDetails(msgspec.Struct, frozen=True, kw_only=True):
    """Why an answer is not complete."""

    reason: Literal["max_output_tokens"] = "max_output_tokens"


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """An answer and what it answers; much of it repeats the request.

    Nothing is ever cut off from what does not fit, hence ``truncation``.
    """

    id: str
    created_at: int
    model: str
    status: Status
    output: list[OutputItem]
    instructions: str | None
    max_output_tokens: int | None
    metadata: dict[str, str]
    parallel_tool_calls: bool
    previous_response_id: str | None
    reasoning: Reasoning
    store: bool
    temperature: float | None
    text: TextOptions
    tool_choice: str | Choice
    tools: list[ToolOffer]
    top_logprobs: int
    top_p: float | None
    completed_at: int | None = None
    error: Problem | None = None
    incomplete_details: IncompleteDetails | None = None
    usage: Usage | None = None
    background: Literal[False] = False
    truncation: Literal["disabled"] = "disabled"
    object: Literal["response"] = "response"


class Deleted(msgspec.Struct, frozen=True, kw_only=True):
    """A response that is no longer stored."""

    id: str
    deleted: Literal[True] = True
    object: Literal["response"] = "response"


class InputTokens(msgspec.Struct, frozen=True, kw_only=True):
    """What ``v1/responses/input_tokens`` answers."""

    input_tokens: int
    object: Literal["response.input_tokens"] = "response.input_tokens"


class _Event(msgspec.Struct, frozen=True, tag_field="type", kw_only=True):
    sequence_number: int = 0


class _Lifecycle(_Event, frozen=True, kw_only=True):
    response: Response


class Created(_Lifecycle, frozen=True, tag="response.created"):
    """The first event."""


class InProgress(_Lifecycle, frozen=True, tag="response.in_progress"):
    """The request passed every check."""


class Completed(_Lifecycle, frozen=True, tag="response.completed"):
    """The last event, if all went well."""


class Incomplete(_Lifecycle, frozen=True, tag="response.incomplete"):
    """The last event, if the answer was cut off."""


class FailedEvent(_Lifecycle, frozen=True, tag="response.failed"):
    """The last event, if there is no answer."""


class _OfItem(_Event, frozen=True, kw_only=True):
    output_index: int


class ItemAdded(_OfItem, frozen=True, tag="response.output_item.added"):
    """An item begins, empty."""

    item: OutputItem


class ItemDone(_OfItem, frozen=True, tag="response.output_item.done"):
    """An item is complete, or will never be."""

    item: OutputItem


class _InItem(_OfItem, frozen=True, kw_only=True):
    item_id: str


class _InPart(_InItem, frozen=True, kw_only=True):
    content_index: int = 0


class PartAdded(_InPart, frozen=True, tag="response.content_part.added"):
    """A part of an item begins, empty."""

    part: Part


class PartDone(_InPart, frozen=True, tag="response.content_part.done"):
    """A part of an item is complete."""

    part: Part


class TextAdded(_InPart, frozen=True, tag="response.output_text.delta"):
    """A text grows."""

    delta: str
    logprobs: tuple[LikelyToken, ...] = ()


class TextDone(_InPart, frozen=True, tag="response.output_text.done"):
    """A text is complete."""

    text: str
    logprobs: tuple[LikelyToken, ...] = ()


class ThoughtAdded(_InPart, frozen=True, tag="response.reasoning_text.delta"):
    """A thought grows."""

    delta: str


class ThoughtDone(_InPart, frozen=True, tag="response.reasoning_text.done"):
    """A thought is complete."""

    text: str


class ArgumentsAdded(
    _InItem, frozen=True, tag="response.function_call_arguments.delta"
):
    """A call's arguments grow."""

    delta: str


class ArgumentsDone(_InItem, frozen=True, tag="response.function_call_arguments.done"):
    """A call's arguments are complete."""

    name: str
    arguments: str


StreamEvent: TypeAlias = (
    Created
    | InProgress
    | Completed
    | Incomplete
    | FailedEvent
    | ItemAdded
    | ItemDone
    | PartAdded
    | PartDone
    | TextAdded
    | TextDone
    | ThoughtAdded
    | ThoughtDone
    | ArgumentsAdded
    | ArgumentsDone
)
