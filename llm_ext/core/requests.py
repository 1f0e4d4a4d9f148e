"""What every dialect's request becomes."""

from typing import TypeAlias

import msgspec

from .constraint import Constraint
from .messages import ChatMessage
from .sampling import SamplingOptions


class _Request(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    model: str


class ChatRequest(_Request, frozen=True, kw_only=True):
    """Answer the last of ``messages`` with the model that has the id ``model``."""

    messages: tuple[ChatMessage, ...]
    sampling: SamplingOptions
    constraint: Constraint | None = None


class EmbedRequest(_Request, frozen=True, kw_only=True):
    """Turn each of ``inputs`` into a vector of length 1.

    Attributes:
        inputs: Texts, or the tokens of texts.
        dimensions: Components to keep; None keeps all.
    """

    inputs: tuple[str | tuple[int, ...], ...]
    dimensions: int | None = None


class RankRequest(_Request, frozen=True, kw_only=True):
    """Say how well each of ``documents`` answers ``query``."""

    query: str
    documents: tuple[str, ...]


Request: TypeAlias = ChatRequest | EmbedRequest | RankRequest
