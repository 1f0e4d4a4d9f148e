"""``api/embed`` and its forerunner ``api/embeddings``: texts to vectors."""

from typing import Any

import msgspec

from llm_ext.core.events import Finished, Vectors
from llm_ext.core.requests import EmbedRequest
from llm_ext.errors import InvalidRequestError
from llm_ext.pool.timing import Timing
from llm_ext.wire.openai.body import decode
from llm_ext.wire.openai.embeddings import numbers

from .call import ModelBody
from .statistics import Statistics, statistics

MAX_INPUTS = 2048


class EmbedCall(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed call; without a request the model is to be loaded or unloaded."""

    model: str
    request: EmbedRequest | None
    keep_alive: float | None = None
    load: dict[str, Any] = {}


class _Body(ModelBody, kw_only=True):
    input: str | list[str] | None = None
    truncate: bool | None = None
    dimensions: int | None = None


class _OneBody(ModelBody, kw_only=True):
    prompt: str | None = None


class Embeddings(Statistics, frozen=True, kw_only=True):
    """The answer of ``api/embed``."""

    model: str
    embeddings: list[tuple[float, ...]]


class Embedding(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of ``api/embeddings``."""

    embedding: tuple[float, ...]


_decoder = msgspec.json.Decoder(_Body)
_one_decoder = msgspec.json.Decoder(_OneBody)


def parse(data: bytes) -> EmbedCall:
    """Return the call that a body of ``api/embed`` makes.

    Raises:
        InvalidRequestError: A field is missing, of a wrong type or out of range.
    """
    body = decode(_decoder, data)
    if body.dimensions is not None and body.dimensions < 1:
        raise InvalidRequestError("'dimensions' must be 1 or more.", param="dimensions")
    inputs = (body.input,) if isinstance(body.input, str) else tuple(body.input or ())
    if len(inputs) > MAX_INPUTS:
        raise InvalidRequestError(
            f"'input' may hold up to {MAX_INPUTS} texts, not {len(inputs)}.",
            param="input",
        )
    request = EmbedRequest(
        model=body.model,
        inputs=inputs,
        dimensions=body.dimensions,
        truncate=body.truncate is not False,
    )
    wanted = request if any(inputs) else None
    return _call(body, wanted)


def parse_one(data: bytes) -> EmbedCall:
    """Return the call that a body of ``api/embeddings`` makes.

    Raises:
        InvalidRequestError: A field is missing or of a wrong type.
    """
    body = decode(_one_decoder, data)
    request = None
    if body.prompt:
        request = EmbedRequest(model=body.model, inputs=(body.prompt,), truncate=True)
    return _call(body, request)


def _call(body: ModelBody, request: EmbedRequest | None) -> EmbedCall:
    return EmbedCall(
        model=body.model, request=request, keep_alive=body.kept, load=body.load
    )


def reply(
    call: EmbedCall, vectors: Vectors, end: Finished, *, timing: Timing
) -> Embeddings:
    """Return the answer of ``api/embed``."""
    told = statistics(end, timing)
    return Embeddings(
        model=call.model,
        embeddings=[numbers(vector) for vector in vectors.vectors],
        total_duration=told.total_duration,
        load_duration=told.load_duration,
        prompt_eval_count=told.prompt_eval_count,
    )


def one_reply(vectors: Vectors) -> Embedding:
    """Return the answer of ``api/embeddings``."""
    return Embedding(embedding=numbers(vectors.vectors[0]))


def empty_reply(call: EmbedCall) -> Embeddings:
    """Return the answer of ``api/embed`` to no text."""
    return Embeddings(model=call.model, embeddings=[])


def empty_one_reply() -> Embedding:
    """Return the answer of ``api/embeddings`` to no text."""
    return Embedding(embedding=())
