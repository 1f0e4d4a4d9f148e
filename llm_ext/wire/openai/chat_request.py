"""``v1/chat/completions``: what clients send."""

from typing import Any

import msgspec

from llm_ext.core.messages import ChatMessage, Role
from llm_ext.core.requests import ChatRequest
from llm_ext.core.sampling import Mirostat, SamplerName, SamplingOptions, WrittenBias
from llm_ext.errors import InvalidRequestError

from .body import decode
from .response_format import ResponseFormat, StructuredOutputs, constraint


class ChatCall(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed call.

    Attributes:
        request: What to answer.
        stream: Whether the answer comes as server-sent events.
        include_usage: Whether a stream ends with a chunk of token counts.
        include_progress: Whether a stream carries queue, load and prompt progress as
            ``status`` events (an extension; other clients get comments).
    """

    request: ChatRequest
    stream: bool
    include_usage: bool
    include_progress: bool


class _StreamOptions(msgspec.Struct):
    include_usage: bool | None = None
    include_progress: bool | None = None


class _Part(msgspec.Struct):
    type: str
    text: str | None = None


class _Message(msgspec.Struct):
    role: str
    content: str | list[_Part] | None = None


class _Body(msgspec.Struct):
    """The fields that are understood; null equals absent, others are ignored."""

    model: str
    messages: list[_Message]
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    max_tokens: int | None = None
    max_completion_tokens: int | None = None
    stop: str | list[str] | None = None
    logit_bias: (
        dict[str, float | bool] | list[tuple[int | str, float | bool]] | None
    ) = None
    n_probs: int | None = None
    min_tokens: int | None = None
    ignore_eos: bool | None = None
    seed: int | None = None
    repeat_last_n: int | None = None
    repeat_penalty: float | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    dry_multiplier: float | None = None
    dry_base: float | None = None
    dry_allowed_length: int | None = None
    dry_penalty_last_n: int | None = None
    dry_sequence_breakers: tuple[str, ...] | None = None
    top_n_sigma: float | None = None
    top_k: int | None = None
    typical_p: float | None = None
    top_p: float | None = None
    min_p: float | None = None
    xtc_probability: float | None = None
    xtc_threshold: float | None = None
    temperature: float | None = None
    dynatemp_range: float | None = None
    dynatemp_exponent: float | None = None
    min_keep: int | None = None
    adaptive_target: float | None = None
    adaptive_decay: float | None = None
    samplers: tuple[SamplerName, ...] | None = None
    mirostat: Mirostat | None = None
    mirostat_tau: float | None = None
    mirostat_eta: float | None = None
    n: int | None = None
    logprobs: bool | None = None
    top_logprobs: int | None = None
    tools: list[Any] | None = None
    response_format: ResponseFormat | None = None
    structured_outputs: StructuredOutputs | None = None
    json_schema: dict[str, Any] | None = None
    grammar: str | None = None


_decoder = msgspec.json.Decoder(_Body)
_ROLES: dict[str, Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
}
_TRANSLATED = {"max_tokens", "stop", "logit_bias", "logprobs"}
_SAMPLING = set(SamplingOptions.__struct_fields__) - _TRANSLATED


def parse(data: bytes) -> ChatCall:
    """Return the call that a request's body makes.

    Raises:
        InvalidRequestError: It is no JSON, lacks a field, or holds one of a wrong
            type, out of range, or not supported; names the field.
    """
    body = decode(_decoder, data)
    _refuse_unsupported(body)
    options = body.stream_options or _StreamOptions()
    return ChatCall(
        request=ChatRequest(
            model=body.model,
            messages=_messages(body),
            sampling=_sampling(body),
            constraint=constraint(
                body.response_format,
                body.structured_outputs,
                body.json_schema,
                body.grammar,
            ),
        ),
        stream=bool(body.stream),
        include_usage=bool(options.include_usage),
        include_progress=bool(options.include_progress),
    )


def _refuse_unsupported(body: _Body) -> None:
    """Say clearly what this version cannot do, rather than answer something else."""
    if body.tools:
        raise InvalidRequestError(
            "'tools' is not supported by this version.", param="tools"
        )


def _messages(body: _Body) -> tuple[ChatMessage, ...]:
    if not body.messages:
        raise InvalidRequestError(
            "There must be at least one message.", param="messages"
        )
    return tuple(
        _message(message, f"messages[{index}]")
        for index, message in enumerate(body.messages)
    )


def _message(message: _Message, where: str) -> ChatMessage:
    role = _ROLES.get(message.role)
    if role is None:
        known = ", ".join(_ROLES)
        raise InvalidRequestError(
            f"'{message.role}' is no role; known ones are {known}.",
            param=f"{where}.role",
        )
    return ChatMessage(role=role, content=_text(message.content, where))


def _text(content: str | list[_Part] | None, where: str) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    for index, part in enumerate(content):
        if part.type != "text" or part.text is None:
            raise InvalidRequestError(
                f"A message part of type '{part.type}' is not supported; "
                f"this version reads text.",
                param=f"{where}.content[{index}]",
            )
    return "".join(part.text or "" for part in content)


def _sampling(body: _Body) -> SamplingOptions:
    stop = (body.stop,) if isinstance(body.stop, str) else body.stop
    most = body.max_completion_tokens
    return SamplingOptions(
        max_tokens=body.max_tokens if most is None else most,
        stop=None if stop is None else tuple(stop),
        logit_bias=_biases(body.logit_bias),
        logprobs=_logprobs(body),
        **{field: getattr(body, field) for field in _SAMPLING},
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


def _biases(
    given: dict[str, float | bool] | list[tuple[int | str, float | bool]] | None,
) -> WrittenBias | None:
    """Return OpenAI's object, or llama-server's pairs; ``false`` bans a token.

    A key that is no number is a text, all of whose tokens are meant.
    """
    if given is None:
        return None
    if isinstance(given, list):
        return tuple((token, _bias(value)) for token, value in given)
    return tuple((_token(key), _bias(value)) for key, value in given.items())


def _token(key: str) -> int | str:
    return int(key) if key.isdecimal() else key


def _bias(value: float | bool) -> float:  # noqa: FBT001  # JSON's false bans
    return float("-inf") if value is False else float(value)
