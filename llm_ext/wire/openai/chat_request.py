"""``v1/chat/completions``: what clients send."""

from typing import Any

import msgspec

from llm_ext.core.duration import kept_for
from llm_ext.core.requests import ChatRequest
from llm_ext.core.sampling import SamplingOptions
from llm_ext.errors import InvalidRequestError

from .body import decode
from .chat_messages import Message, chat_messages
from .chat_tools import NamedChoice, ToolBody, tool_choice, tools
from .response_format import ResponseFormat, StructuredOutputs, constraint
from .sampling_body import SamplingBody, most_tokens, sampling_options
from .stream_options import StreamOptions


class ChatCall(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed call.

    Attributes:
        request: What to answer.
        stream: Whether the answer comes as server-sent events.
        include_usage: See :class:`StreamOptions`.
        include_progress: See there.
        keep_alive: Seconds that the model stays loaded after it, negative for ever (an
            extension, Ollama's); None takes what is configured.
    """

    request: ChatRequest
    stream: bool
    include_usage: bool
    include_progress: bool
    keep_alive: float | None


class _Body(SamplingBody, kw_only=True):
    """The fields that are understood; null equals absent, others are ignored."""

    model: str
    messages: list[Message]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    max_completion_tokens: int | None = None
    n_probs: int | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    tools: list[ToolBody] | None = None
    tool_choice: str | NamedChoice | None = None
    parallel_tool_calls: bool | None = None
    chat_template: str | None = None
    chat_template_kwargs: dict[str, Any] | None = None
    add_generation_prompt: bool | None = None
    continue_final_message: bool | None = None
    reasoning_effort: str | None = None
    reasoning_format: str | None = None
    include_reasoning: bool | None = None
    response_format: ResponseFormat | None = None
    structured_outputs: StructuredOutputs | None = None
    json_schema: dict[str, Any] | None = None
    grammar: str | None = None
    keep_alive: float | str | None = None


_decoder = msgspec.json.Decoder(_Body)

FIELDS = frozenset(_Body.__struct_encode_fields__)
"""Fields of a body that are understood."""


def parse(data: bytes) -> ChatCall:
    """Return the call that a request's body makes.

    Raises:
        InvalidRequestError: It is no JSON, lacks a field, or holds one of a wrong
            type, out of range, or not supported; names the field.
    """
    body = decode(_decoder, data)
    options = body.stream_options or StreamOptions()
    offered = tools(body.tools or [])
    choice, callable_tools = tool_choice(
        body.tool_choice, offered, parallel=body.parallel_tool_calls is not False
    )
    return ChatCall(
        request=ChatRequest(
            model=body.model,
            messages=chat_messages(body.messages),
            sampling=_sampling(body),
            constraint=constraint(
                body.response_format,
                body.structured_outputs,
                body.json_schema,
                body.grammar,
            ),
            tools=callable_tools,
            tool_choice=choice,
            template_name=body.chat_template,
            template_options=_template_options(body),
            continue_final=_continues(body),
            generation_prompt=body.add_generation_prompt is not False,
            reasoning=_tells_reasoning(body),
        ),
        stream=bool(body.stream),
        include_usage=bool(options.include_usage),
        include_progress=bool(options.include_progress),
        keep_alive=kept_for(body.keep_alive),
    )


def _template_options(body: _Body) -> dict[str, Any]:
    """Return variables for the chat template: those given, and OpenAI's effort.

    Templates know it as ``reasoning_effort``, or only whether there is any.
    """
    given = body.chat_template_kwargs or {}
    if body.reasoning_effort is None:
        return given
    if body.reasoning_effort == "none":
        return {"enable_thinking": False, **given}
    effort = body.reasoning_effort
    return {"reasoning_effort": effort, "enable_thinking": True, **given}


def _continues(body: _Body) -> bool:
    if body.continue_final_message and body.add_generation_prompt:
        raise InvalidRequestError(
            "'add_generation_prompt' and 'continue_final_message' exclude each other.",
            param="continue_final_message",
        )
    return bool(body.continue_final_message)


def _tells_reasoning(body: _Body) -> bool:
    """Whether thoughts are told apart: llama-server's field, or vLLM's."""
    return body.reasoning_format != "none" and body.include_reasoning is not False


def _sampling(body: _Body) -> SamplingOptions:
    return sampling_options(
        body,
        max_tokens=most_tokens(
            body.max_completion_tokens, body.max_tokens, body.n_predict
        ),
        logprobs=_logprobs(body),
    )


def _logprobs(body: _Body) -> int | None:
    """Return how many alternatives are to be told.

    OpenAI has a switch and a number; llama-server a number alone, of which 0 is off.
    """
    if body.logprobs:
        return body.top_logprobs or 0
    if body.top_logprobs:
        raise InvalidRequestError(
            "'top_logprobs' needs 'logprobs' to be true.", param="top_logprobs"
        )
    return body.n_probs or None
