"""``v1/completions``: what clients send to have a text gone on with."""

from typing import Any

import msgspec

from llm_ext.core.duration import kept_for
from llm_ext.core.requests import CompletionRequest
from llm_ext.errors import InvalidRequestError

from .body import decode
from .response_format import ResponseFormat, StructuredOutputs, constraint
from .sampling_body import SamplingBody, most_tokens, sampling_options
from .stream_options import StreamOptions
from .text_input import TextInput, texts_or_tokens

MAX_PROMPTS = 256


class CompletionCall(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed call; see :class:`~llm_ext.wire.openai.chat_request.ChatCall`."""

    request: CompletionRequest
    stream: bool
    include_usage: bool
    include_progress: bool
    keep_alive: float | None


class _Body(SamplingBody, kw_only=True):
    """The fields that are understood; null equals absent, others are ignored."""

    model: str
    prompt: TextInput
    suffix: str | None = None
    echo: bool | None = None
    best_of: int | None = None
    logprobs: int | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    response_format: ResponseFormat | None = None
    structured_outputs: StructuredOutputs | None = None
    json_schema: dict[str, Any] | None = None
    grammar: str | None = None
    keep_alive: float | str | None = None


_decoder = msgspec.json.Decoder(_Body)

FIELDS = frozenset(_Body.__struct_encode_fields__)
"""Fields of a body that are understood."""


def parse(data: bytes) -> CompletionCall:
    """Return the call that a request's body makes.

    Raises:
        InvalidRequestError: It is no JSON, lacks a field, or holds one of a wrong
            type, out of range, or not supported; names the field.
    """
    body = decode(_decoder, data)
    _check(body)
    options = body.stream_options or StreamOptions()
    return CompletionCall(
        request=CompletionRequest(
            model=body.model,
            prompts=_prompts(body.prompt),
            sampling=sampling_options(
                body,
                max_tokens=most_tokens(body.max_tokens, body.n_predict),
                logprobs=body.logprobs,
            ),
            constraint=constraint(
                body.response_format,
                body.structured_outputs,
                body.json_schema,
                body.grammar,
            ),
            suffix=body.suffix or None,
            echo=bool(body.echo),
        ),
        stream=bool(body.stream),
        include_usage=bool(options.include_usage),
        include_progress=bool(options.include_progress),
        keep_alive=kept_for(body.keep_alive),
    )


def _prompts(given: TextInput) -> tuple[str | tuple[int, ...], ...]:
    prompts = texts_or_tokens(given, param="prompt")
    if not 1 <= len(prompts) <= MAX_PROMPTS:
        raise InvalidRequestError(
            f"'prompt' may hold 1 to {MAX_PROMPTS} texts, not {len(prompts)}.",
            param="prompt",
        )
    return prompts


def _check(body: _Body) -> None:
    """Refuse what would be answered with something else."""
    if body.best_of is not None and body.best_of != (body.n or 1):
        raise InvalidRequestError(
            "'best_of' is not supported: answers are not drawn to be thrown away. "
            "Leave it out, and ask for 'n' answers.",
            param="best_of",
        )
    if body.echo and body.logprobs is not None:
        raise InvalidRequestError(
            "'echo' and 'logprobs' exclude each other here: only tokens that are "
            "drawn have probabilities.",
            param="logprobs",
        )
    if body.echo and body.suffix:
        raise InvalidRequestError(
            "'echo' and 'suffix' exclude each other: an answer that fills a gap "
            "stands between the two.",
            param="echo",
        )
