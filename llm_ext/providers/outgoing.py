"""What is sent to another server: a request in OpenAI's words. Pure.

Only what the request says is sent: what it leaves open is the other server's to choose.
Fields that OpenAI does not have go by llama-server's names, which most servers know.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from llm_ext.core.constraint import (
    AnyJSON,
    Choice,
    Constraint,
    Grammar,
    JSONSchema,
    Regex,
)
from llm_ext.core.messages import ChatMessage
from llm_ext.core.requests import (
    ChatRequest,
    CompletionRequest,
    EmbedRequest,
    RankRequest,
    Request,
)
from llm_ext.core.sampling import SamplingOptions, WrittenBias
from llm_ext.core.settings import ProviderSettings
from llm_ext.core.tools import Tool, ToolChoice
from llm_ext.errors import NotSupportedError

BANNED = -100
"""What OpenAI adds to the logit of a token that must not come."""

_STREAM = {"stream": True, "stream_options": {"include_usage": True}}
_TRANSLATED = {"logprobs", "logit_bias", "n"}


class Outgoing(NamedTuple):
    """What is to be sent: where to, below the server's address, and what."""

    path: str
    body: dict[str, Any]


def outgoing(request: Request, model: str, settings: ProviderSettings) -> Outgoing:
    """Return what asks a server's ``model`` for the answer to ``request``.

    Raises:
        NotSupportedError: The server could not be told all that the request says.
    """
    match request:
        case ChatRequest():
            path, body = "chat/completions", {**_STREAM, **_chat(request, settings)}
        case CompletionRequest():
            path, body = "completions", {**_STREAM, **_completion(request, settings)}
        case EmbedRequest():
            path, body = "embeddings", _embed(request)
        case RankRequest():
            documents = list(request.documents)
            path, body = "rerank", {"query": request.query, "documents": documents}
    return Outgoing(path, _renamed({"model": model, **body}, settings.rename))


def _renamed(body: dict[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    told = {names.get(field, field): value for field, value in body.items()}
    return {field: value for field, value in told.items() if field}


def _chat(request: ChatRequest, settings: ProviderSettings) -> dict[str, Any]:
    if request.template_name is not None:
        raise NotSupportedError(
            "'chat_template' chooses one of the templates in a model's file; a "
            "provider's models have none here. Leave it out.",
            param="chat_template",
        )
    return {
        "messages": [dict(_message(message)) for message in request.messages],
        **_sampling(request.sampling),
        **_chat_logprobs(request.sampling.logprobs),
        **_constraint(request.constraint, settings),
        **_tools(request.tools, request.tool_choice),
        **_template_options(request),
    }


def _completion(
    request: CompletionRequest, settings: ProviderSettings
) -> dict[str, Any]:
    if request.files:
        raise NotSupportedError(
            "'input_extra' cannot be sent to a provider. Leave it out.",
            param="input_extra",
        )
    prompts = list(request.prompts)
    single = len(prompts) == 1
    body: dict[str, Any] = {
        "prompt": prompts[0] if single else prompts,
        **_sampling(request.sampling),
        **_constraint(request.constraint, settings),
    }
    if request.sampling.logprobs is not None:
        body["logprobs"] = request.sampling.logprobs
    if request.suffix is not None:
        body["suffix"] = request.suffix
    if request.echo:
        body["echo"] = True
    return body


def _embed(request: EmbedRequest) -> dict[str, Any]:
    body: dict[str, Any] = {"input": list(request.inputs), "encoding_format": "float"}
    if request.dimensions is not None:
        body["dimensions"] = request.dimensions
    return body


def _message(message: ChatMessage) -> Iterator[tuple[str, Any]]:
    yield "role", message.role
    yield "content", message.content
    if message.reasoning:
        yield "reasoning_content", message.reasoning
    if message.tool_calls:
        yield (
            "tool_calls",
            [
                {
                    "id": call.id,
                    "type": "function",
                    "function": {"name": call.name, "arguments": call.arguments},
                }
                for call in message.tool_calls
            ],
        )
    if message.tool_call_id is not None:
        yield "tool_call_id", message.tool_call_id
    if message.name is not None:
        yield "name", message.name


def _sampling(options: SamplingOptions) -> dict[str, Any]:
    body = {
        field: list(value) if isinstance(value, tuple) else value
        for field, value in msgspec.structs.asdict(options).items()
        if value is not None and field not in _TRANSLATED
    }
    if options.n not in (None, 1):
        body["n"] = options.n
    if options.logit_bias:
        body["logit_bias"] = _biases(options.logit_bias)
    return body


def _biases(biases: WrittenBias) -> dict[str, float]:
    return {
        str(token): BANNED if math.isinf(value) else value for token, value in biases
    }


def _chat_logprobs(alternatives: int | None) -> dict[str, Any]:
    if alternatives is None:
        return {}
    return {"logprobs": True, "top_logprobs": alternatives}


def _constraint(
    wanted: Constraint | None, settings: ProviderSettings
) -> dict[str, Any]:
    match wanted:
        case None:
            return {}
        case AnyJSON():
            return {"response_format": {"type": "json_object"}}
        case JSONSchema():
            schema = msgspec.json.decode(wanted.schema)
            named = {"name": "answer", "strict": True, "schema": schema}
            return {"response_format": {"type": "json_schema", "json_schema": named}}
    if not settings.grammars:
        raise NotSupportedError(
            "This provider is not known to obey regular expressions, choices and "
            "grammars, and might answer with any text. Ask for JSON, or set 'grammars' "
            "for it in the option 'providers'."
        )
    return _grammar(wanted)


def _grammar(wanted: Regex | Choice | Grammar) -> dict[str, Any]:
    match wanted:
        case Regex():
            return {"structured_outputs": {"regex": wanted.pattern}}
        case Choice():
            return {"structured_outputs": {"choice": list(wanted.options)}}
        case Grammar(syntax="gbnf"):
            return {"grammar": wanted.text}
        case Grammar():
            return {"structured_outputs": {"grammar": wanted.text}}


def _tools(tools: tuple[Tool, ...], choice: ToolChoice) -> dict[str, Any]:
    if not tools:
        return {}
    body: dict[str, Any] = {
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": tool.name,
                    "description": tool.description,
                    "parameters": tool.parameters,
                },
            }
            for tool in tools
        ]
    }
    if choice.name is not None:
        named = {"type": "function", "function": {"name": choice.name}}
        return {**body, "tool_choice": named}
    if choice.mode != "auto":
        body["tool_choice"] = choice.mode
    if not choice.parallel:
        body["parallel_tool_calls"] = False
    return body


def _template_options(request: ChatRequest) -> dict[str, Any]:
    """Return how the prompt is to be made, as far as the request says it.

    OpenAI's clients know an effort only; that it makes a model think is understood.
    """
    body: dict[str, Any] = {}
    options = dict(request.template_options)
    if (effort := options.pop("reasoning_effort", None)) is not None:
        body["reasoning_effort"] = effort
        if options.get("enable_thinking") is True:
            del options["enable_thinking"]
    if options:
        body["chat_template_kwargs"] = options
    if request.continue_final:
        body |= {"continue_final_message": True, "add_generation_prompt": False}
    elif not request.generation_prompt:
        body["add_generation_prompt"] = False
    if not request.reasoning:
        body["reasoning_format"] = "none"
    return body
