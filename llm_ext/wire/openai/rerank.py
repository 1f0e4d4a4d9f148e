"""``v1/rerank``: how well documents fit a query, in Jina's shape as llama-server's."""

import msgspec

from llm_ext.core.duration import kept_for
from llm_ext.core.events import Finished, Scores
from llm_ext.core.requests import RankRequest
from llm_ext.errors import InvalidRequestError

from .body import decode
from .embeddings import MAX_INPUTS, InputUsage, input_usage


class RankCall(msgspec.Struct, frozen=True, kw_only=True):
    """A parsed call.

    Attributes:
        request: What to rank.
        top_n: Most documents to return.
        return_documents: Whether their texts come back, too.
        keep_alive: See :class:`~llm_ext.wire.openai.chat_request.ChatCall`.
    """

    request: RankRequest
    top_n: int
    return_documents: bool
    keep_alive: float | None = None


class _Document(msgspec.Struct):
    text: str


class _Body(msgspec.Struct):
    model: str
    query: str
    documents: list[str | _Document]
    top_n: int | None = None
    return_documents: bool | None = None
    keep_alive: float | str | None = None


class RankedDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One document, by its place in the request."""

    index: int
    relevance_score: float
    document: dict[str, str] | None = None


class Ranking(msgspec.Struct, frozen=True, kw_only=True):
    """The whole answer; the best document comes first."""

    model: str
    results: list[RankedDocument]
    usage: InputUsage
    object: str = "list"


_decoder = msgspec.json.Decoder(_Body)

FIELDS = frozenset(_Body.__struct_encode_fields__)
"""Fields of a body that are understood."""


def parse(data: bytes) -> RankCall:
    """Return the call that a request's body makes.

    Raises:
        InvalidRequestError: A field is missing, of a wrong type or out of range.
    """
    body = decode(_decoder, data)
    documents = tuple(
        document if isinstance(document, str) else document.text
        for document in body.documents
    )
    if not 1 <= len(documents) <= MAX_INPUTS:
        raise InvalidRequestError(
            f"'documents' may hold 1 to {MAX_INPUTS} texts, not {len(documents)}.",
            param="documents",
        )
    if body.top_n is not None and body.top_n < 1:
        raise InvalidRequestError("'top_n' must be 1 or more.", param="top_n")
    return RankCall(
        request=RankRequest(model=body.model, query=body.query, documents=documents),
        top_n=body.top_n or len(documents),
        return_documents=bool(body.return_documents),
        keep_alive=kept_for(body.keep_alive),
    )


def reply(call: RankCall, scores: Scores, end: Finished, *, model: str) -> bytes:
    """Return the answer as JSON."""
    documents = call.request.documents
    results = [
        RankedDocument(
            index=index,
            relevance_score=score,
            document={"text": documents[index]} if call.return_documents else None,
        )
        for index, score in enumerate(scores.scores)
    ]
    results.sort(key=lambda result: (-result.relevance_score, result.index))
    return msgspec.json.encode(
        Ranking(model=model, results=results[: call.top_n], usage=input_usage(end))
    )
