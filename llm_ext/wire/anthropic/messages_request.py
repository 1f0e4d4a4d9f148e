"""``v1/messages`` and ``v1/messages/count_tokens``: what clients send."""

from typing import Any, Literal

import msgspec

from llm_ext.core.constraint import Constraint, JSONSchema
from llm_ext.core.messages import ChatMessage
from llm_ext.core.requests import ChatRequest
from llm_ext.core.sampling import SamplingOptions
from llm_ext.errors import InvalidRequestError
from llm_ext.wire.openai.body import decode

from .tools import Choice, ToolOffer, tool_choice, tools
from .turns import Block, Turn, chat_messages


class MessagesCall(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed call.

    Attributes:
        request: What to answer.
        stream: Whether the answer comes as server-sent events.
        thinking: Whether the client wants to see what the model thinks.
    """

    request: ChatRequest
    stream: bool
    thinking: bool


class _Thinking(msgspec.Struct):
    type: Literal["enabled", "adaptive", "between_tools", "disabled"]
    display: str | None = None


class _Format(msgspec.Struct):
    type: str
    schema: dict[str, Any] | None = None


class _OutputConfig(msgspec.Struct):
    effort: str | None = None
    format: _Format | None = None


class _CountBody(msgspec.Struct, kw_only=True):
    """The fields that are understood; null equals absent, others are ignored."""

    model: str
    messages: list[Turn]
    system: str | list[Block] | None = None
    tools: list[ToolOffer] | None = None
    tool_choice: Choice | None = None
    thinking: _Thinking | None = None
    output_config: _OutputConfig | None = None
    output_format: _Format | None = None


class _Body(_CountBody, kw_only=True):
    """The fields that matter for the answer alone."""

    max_tokens: int
    stream: bool | None = None
    stop_sequences: list[str] | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None


_decoder = msgspec.json.Decoder(_Body)
_count_decoder = msgspec.json.Decoder(_CountBody)

FIELDS = frozenset(_Body.__struct_encode_fields__)
"""Fields of a body that are understood."""


def parse(data: bytes) -> MessagesCall:
    """Return the call that a request's body makes.

    Raises:
        InvalidRequestError: It is no JSON, lacks a field, or holds one of a wrong
            type, out of range, or not supported; names the field.
    """
    body = decode(_decoder, data)
    stop = body.stop_sequences
    sampling = SamplingOptions(
        max_tokens=body.max_tokens,
        stop=None if stop is None else tuple(stop),
        temperature=body.temperature,
        top_p=body.top_p,
        top_k=body.top_k,
    )
    return MessagesCall(
        request=_request(body, sampling),
        stream=bool(body.stream),
        thinking=_thinks(body) and not _hidden(body),
    )


def parse_count(data: bytes) -> ChatRequest:
    """Return the chat whose tokens are to be counted; errors as for :func:`parse`."""
    return _request(decode(_count_decoder, data), SamplingOptions())


def _request(body: _CountBody, sampling: SamplingOptions) -> ChatRequest:
    offered = tools(body.tools or [])
    choice, callable_tools = tool_choice(body.tool_choice, offered)
    messages = chat_messages(body.system, body.messages)
    return ChatRequest(
        model=body.model,
        messages=messages,
        sampling=sampling,
        constraint=_constraint(body),
        tools=callable_tools,
        tool_choice=choice,
        template_options=_template_options(body),
        continue_final=_continues(messages[-1]),
    )


def _constraint(body: _CountBody) -> Constraint | None:
    """Return what the answer must be; ``output_format`` is the field's older name."""
    config = body.output_config or _OutputConfig()
    wanted = config.format or body.output_format
    if wanted is None:
        return None
    if wanted.type != "json_schema" or wanted.schema is None:
        raise InvalidRequestError(
            f"The output format {wanted.type!r} is not supported, or has no schema; "
            f"the known one is json_schema.",
            param="output_config.format",
        )
    return JSONSchema(
        schema=msgspec.json.encode(wanted.schema).decode(), param="output_config.format"
    )


def _template_options(body: _CountBody) -> dict[str, Any]:
    """Return variables for the chat template: whether to think, and how hard.

    Clients that ask for no thought do not expect one before the answer.
    """
    if not _thinks(body):
        return {"enable_thinking": False}
    options: dict[str, Any] = {"enable_thinking": True}
    if body.output_config is not None and body.output_config.effort is not None:
        options["reasoning_effort"] = body.output_config.effort
    return options


def _thinks(body: _CountBody) -> bool:
    return body.thinking is not None and body.thinking.type != "disabled"


def _hidden(body: _CountBody) -> bool:
    return body.thinking is not None and body.thinking.display == "omitted"


def _continues(last: ChatMessage) -> bool:
    """Whether the answer goes on where the assistant's last turn ends."""
    return last.role == "assistant" and not last.tool_calls
