"""A request to embed or to rank, to tokens: done beside the engine's thread."""

from collections.abc import Sequence
from dataclasses import dataclass

from llm_ext.core.requests import EmbedRequest, RankRequest
from llm_ext.llama.model import Model
from llm_ext.llama.pair import pair_tokens
from llm_ext.llama.vectors import check_dimensions


@dataclass(frozen=True, kw_only=True)
class JobInputs:
    """What a job computes.

    Attributes:
        request_id: The request.
        inputs: The tokens of texts, or of pairs.
        ranks: Whether scores are wanted rather than vectors.
        dimensions: Components of vectors to keep; None keeps all.
    """

    request_id: int
    inputs: Sequence[Sequence[int]]
    ranks: bool = False
    dimensions: int | None = None


class JobPreparation:
    """What a request for vectors or scores goes through before it reaches the jobs."""

    def __init__(self, model: Model, *, limit: int) -> None:
        """Prepare requests for ``model``, which reads ``limit`` tokens at most."""
        self._vocab = model.vocab
        self._template = model.rerank_template
        self._width = model.vector_width
        self._limit = limit

    def inputs(self, request_id: int, request: EmbedRequest | RankRequest) -> JobInputs:
        """Return the tokens of a request.

        Raises:
            InvalidRequestError: The model's vectors have not so many components.
        """
        if isinstance(request, RankRequest):
            pairs = [self._pair(request.query, text) for text in request.documents]
            return JobInputs(request_id=request_id, inputs=pairs, ranks=True)
        if request.dimensions is not None:
            check_dimensions(request.dimensions, width=self._width)
        inputs = [self._tokens(given) for given in request.inputs]
        if request.truncate:
            inputs = [self._shortened(tokens) for tokens in inputs]
        return JobInputs(
            request_id=request_id, inputs=inputs, dimensions=request.dimensions
        )

    def _pair(self, query: str, document: str) -> list[int]:
        return pair_tokens(self._vocab, query, document, template=self._template)

    def _tokens(self, given: str | tuple[int, ...]) -> Sequence[int]:
        return self._vocab.tokenize(given) if isinstance(given, str) else given

    def _shortened(self, tokens: Sequence[int]) -> Sequence[int]:
        """Return what can be read; the last token stays where it marks the end."""
        if len(tokens) <= self._limit:
            return tokens
        if self._vocab.adds_eos or self._vocab.adds_sep:
            return [*tokens[: self._limit - 1], tokens[-1]]
        return tokens[: self._limit]
