"""``v1/embeddings``: texts to vectors."""

import base64
import struct
from typing import Literal

import msgspec

from llm_ext.core.duration import kept_for
from llm_ext.core.events import Finished, Vectors
from llm_ext.core.requests import EmbedRequest
from llm_ext.errors import InvalidRequestError

from .body import decode
from .text_input import TextInput, texts_or_tokens

MAX_INPUTS = 2048
_FLOAT_BYTES = 4


class EmbedCall(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed call.

    Attributes:
        request: What to embed.
        base64: Whether the vectors are to be written so.
        keep_alive: See :class:`~llm_ext.wire.openai.chat_request.ChatCall`.
    """

    request: EmbedRequest
    base64: bool
    keep_alive: float | None = None


class _Body(msgspec.Struct):
    model: str
    input: TextInput
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: int | None = None
    keep_alive: float | str | None = None


class Embedding(msgspec.Struct, frozen=True, kw_only=True):
    """One vector: numbers, or the base64 of little-endian floats of 32 bits."""

    index: int
    embedding: tuple[float, ...] | str
    object: Literal["embedding"] = "embedding"


class InputUsage(msgspec.Struct, frozen=True, kw_only=True):
    """Token counts of what has no completion."""

    prompt_tokens: int
    total_tokens: int


class EmbeddingList(msgspec.Struct, frozen=True, kw_only=True):
    """The whole answer."""

    data: list[Embedding]
    model: str
    usage: InputUsage
    object: Literal["list"] = "list"


_decoder = msgspec.json.Decoder(_Body)

FIELDS = frozenset(_Body.__struct_encode_fields__)
"""Fields of a body that are understood."""


def parse(data: bytes) -> EmbedCall:
    """Return the call that a request's body makes.

    Raises:
        InvalidRequestError: A field is missing, of a wrong type or out of range.
    """
    body = decode(_decoder, data)
    if body.dimensions is not None and body.dimensions < 1:
        raise InvalidRequestError("'dimensions' must be 1 or more.", param="dimensions")
    inputs = texts_or_tokens(body.input, param="input")
    if not 1 <= len(inputs) <= MAX_INPUTS:
        raise InvalidRequestError(
            f"'input' may hold 1 to {MAX_INPUTS} texts, not {len(inputs)}.",
            param="input",
        )
    return EmbedCall(
        request=EmbedRequest(
            model=body.model, inputs=inputs, dimensions=body.dimensions
        ),
        base64=body.encoding_format == "base64",
        keep_alive=kept_for(body.keep_alive),
    )


def reply(call: EmbedCall, vectors: Vectors, end: Finished, *, model: str) -> bytes:
    """Return the answer as JSON."""
    data = [
        Embedding(index=index, embedding=_written(vector, as_base64=call.base64))
        for index, vector in enumerate(vectors.vectors)
    ]
    return msgspec.json.encode(
        EmbeddingList(data=data, model=model, usage=input_usage(end))
    )


def input_usage(end: Finished) -> InputUsage:
    """Return the token counts of inputs."""
    tokens = end.usage.prompt_tokens
    return InputUsage(prompt_tokens=tokens, total_tokens=tokens)


def _written(vector: bytes, *, as_base64: bool) -> tuple[float, ...] | str:
    if as_base64:
        return base64.b64encode(vector).decode()
    return numbers(vector)


def numbers(vector: bytes) -> tuple[float, ...]:
    """Return the components of a vector."""
    return struct.unpack(f"<{len(vector) // _FLOAT_BYTES}f", vector)
