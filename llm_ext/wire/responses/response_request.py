"""``v1/responses``: what clients send."""

from collections.abc import Sequence
from typing import Annotated, Any

import msgspec

from llm_ext.core.constraint import AnyJSON, Constraint, JSONSchema
from llm_ext.core.messages import ChatMessage
from llm_ext.core.requests import ChatRequest
from llm_ext.core.sampling import MAX_LOGPROBS, SamplingOptions
from llm_ext.errors import InvalidRequestError
from llm_ext.wire.openai.body import decode

from .items import Item, Recall, chat_messages, nothing_kept
from .tools import Choice, ToolOffer, functions, tool_choice, tools

LOGPROBS = "message.output_text.logprobs"
"""What ``include`` names to be told how likely tokens were."""


class Reasoning(msgspec.Struct):
    """How hard to think. Thoughts are told as they are, never as a summary."""

    effort: str | None = None
    summary: str | None = None


class TextFormat(msgspec.Struct, omit_defaults=True):
    """What the answer's text must be."""

    type: str
    name: str | None = None
    schema: dict[str, Any] | None = None
    strict: bool | None = None


class TextOptions(msgspec.Struct, omit_defaults=True):
    """How the answer's text is to be."""

    format: TextFormat | None = None
    verbosity: str | None = None


class Body(msgspec.Struct):
    """The fields that are understood; null equals absent, others are ignored.

    Most of them are repeated in the answer.
    """

    model: str
    input: str | list[Item] = ""
    stream: bool | None = None
    store: bool | None = None
    previous_response_id: str | None = None
    instructions: str | None = None
    max_output_tokens: Annotated[int, msgspec.Meta(ge=1)] | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_logprobs: Annotated[int, msgspec.Meta(ge=0, le=MAX_LOGPROBS)] | None = None
    include: list[str] | None = None
    tools: list[ToolOffer] | None = None
    tool_choice: str | Choice | None = None
    parallel_tool_calls: bool | None = None
    reasoning: Reasoning | None = None
    text: TextOptions | None = None
    metadata: dict[str, str] | None = None
    background: bool | None = None
    conversation: Any = None
    prompt: Any = None


class ResponseCall(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed call.

    Attributes:
        request: What to answer, without what was said before.
        body: What the client sent.
        input: The turns that the request adds to the conversation.
        offered: The tools of the body that the model can call.
    """

    request: ChatRequest
    body: Body
    input: tuple[ChatMessage, ...]
    offered: tuple[ToolOffer, ...]

    @property
    def stream(self) -> bool:
        """Whether the answer comes as server-sent events."""
        return bool(self.body.stream)

    @property
    def ignored(self) -> list[str]:
        """Tools that nobody runs here, and that the model hears nothing of."""
        hosted = {t.type for t in self.body.tools or () if t not in self.offered}
        return [f"tools.{kind}" for kind in sorted(hosted)]

    @property
    def store(self) -> bool:
        """Whether the answer can be gone on from later."""
        return self.body.store is not False

    def after(self, before: Sequence[ChatMessage]) -> ChatRequest:
        """Return what to answer after the turns of an earlier response.

        Instructions are of one response: those of earlier ones are not among them.

        Raises:
            InvalidRequestError: There is nothing to answer.
        """
        said = (*before, *self.input)
        if not said:
            raise InvalidRequestError("There must be an input.", param="input")
        told = self.body.instructions
        system = (ChatMessage(role="system", content=told),) if told else ()
        return msgspec.structs.replace(self.request, messages=(*system, *said))


_decoder = msgspec.json.Decoder(Body)

FIELDS = frozenset(Body.__struct_encode_fields__)
"""Fields of a body that are understood."""

_HOSTED = ("background", "conversation", "prompt")
"""Fields that ask for what only OpenAI's own servers keep."""


def parse(data: bytes, recall: Recall = nothing_kept) -> ResponseCall:
    """Return the call that a request's body makes.

    Args:
        data: The body.
        recall: Finds the items of earlier answers that the body refers to.

    Raises:
        InvalidRequestError: It is no JSON, lacks a field, or holds one of a wrong
            type, out of range, or not supported; names the field.
    """
    body = decode(_decoder, data)
    for field in _HOSTED:
        if getattr(body, field):
            raise InvalidRequestError(
                f"'{field}' is not supported here. Leave it out; 'previous_response_id'"
                f" goes on from an earlier response.",
                param=field,
            )
    offered = functions(body.tools or ())
    choice, callable_tools = tool_choice(
        body.tool_choice,
        tools(offered),
        parallel=body.parallel_tool_calls is not False,
    )
    return ResponseCall(
        request=ChatRequest(
            model=body.model,
            messages=(),
            sampling=SamplingOptions(
                max_tokens=body.max_output_tokens,
                temperature=body.temperature,
                top_p=body.top_p,
                logprobs=_logprobs(body),
            ),
            constraint=_constraint(body.text),
            tools=callable_tools,
            tool_choice=choice,
            template_options=_template_options(body.reasoning),
        ),
        body=body,
        input=chat_messages(body.input, recall) if body.input else (),
        offered=offered,
    )


def _logprobs(body: Body) -> int | None:
    if body.top_logprobs is not None:
        return body.top_logprobs
    return 0 if LOGPROBS in (body.include or ()) else None


def _template_options(reasoning: Reasoning | None) -> dict[str, Any]:
    """Return variables for the chat template, which knows an effort, or a switch."""
    if reasoning is None or reasoning.effort is None:
        return {}
    if reasoning.effort == "none":
        return {"enable_thinking": False}
    return {"reasoning_effort": reasoning.effort, "enable_thinking": True}


def _constraint(text: TextOptions | None) -> Constraint | None:
    wanted = None if text is None else text.format
    if wanted is None or wanted.type == "text":
        return None
    if wanted.type == "json_object":
        return AnyJSON(param="text.format")
    if wanted.type == "json_schema" and wanted.schema is not None:
        return JSONSchema(
            schema=msgspec.json.encode(wanted.schema).decode(), param="text.format"
        )
    raise InvalidRequestError(
        f"The text format {wanted.type!r} is not supported, or has no schema; known "
        f"ones are text, json_object and json_schema.",
        param="text.format",
    )
