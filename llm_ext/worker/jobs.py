"""Embedding and ranking: computed a decode at a time, between the engine's steps."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial

from llm_ext.core.events import (
    Accepted,
    EngineEvent,
    Failed,
    Finished,
    InputProgress,
    Scores,
    Usage,
    Vectors,
)
from llm_ext.core.pooling import Pooling
from llm_ext.core.requests import EmbedRequest, RankRequest
from llm_ext.errors import LLMError, NotSupportedError
from llm_ext.llama.buffers import Uses, added
from llm_ext.llama.embedder import Embedder
from llm_ext.llama.model import Model
from llm_ext.llama.pair import pair_tokens
from llm_ext.llama.vectors import Vector, normalised, truncated

Answered = Callable[[Sequence[Vector]], EngineEvent]
"""Makes the event that carries the results."""


class Job:
    """One request's inputs on their way through an embedder.

    Attributes:
        request_id: The request.
        done: Whether there is nothing more to compute.
    """

    def __init__(
        self,
        request_id: int,
        embedder: Embedder,
        inputs: Sequence[Sequence[int]],
        answered: Answered,
    ) -> None:
        self.request_id = request_id
        self.done = False
        self._inputs = inputs
        self._answered = answered
        self._most = 0
        self._decodes: Iterator[list[Vector]] = embedder.decodes(
            inputs, budget=lambda: self._most
        )
        self._results: list[Vector] = []

    @property
    def tokens(self) -> int:
        """Tokens of all inputs."""
        return sum(len(tokens) for tokens in self._inputs)

    def step(self, most: int) -> list[EngineEvent]:
        """Compute one decode of at most ``most`` tokens and return what happened.

        An input that cannot be read in parts is computed whole.
        """
        self._most = most
        try:
            self._results += next(self._decodes)
            progress = InputProgress(done=len(self._results), total=len(self._inputs))
            if len(self._results) < len(self._inputs):
                return [progress]
            self.done = True
            usage = Usage(prompt_tokens=self.tokens, completion_tokens=0)
            answer = self._answered(self._results)
            return [progress, answer, Finished(reason="stop", usage=usage)]
        except LLMError as error:
            self.done = True
            return [Failed.of(error)]


class Jobs:
    """Waits and runs, the first come first. Owned by the engine thread.

    The contexts that they need are made for the first job that needs them, and stay.
    """

    def __init__(self, model: Model, *, cells: int, threads: int) -> None:
        self._model = model
        self._cells = cells
        self._threads = threads
        self._embedders: dict[Pooling | None, Embedder] = {}
        self._jobs: list[Job] = []

    @property
    def idle(self) -> bool:
        """Whether a step would do nothing."""
        return not self._jobs

    def prepare(self) -> None:
        """Make the context now, for a model that is there for nothing else.

        Raises:
            InsufficientMemoryError: A device has no room for it.
            ModelLoadError: llama.cpp refused for another reason.
        """
        ranks = self._model.pooling == "rank"
        with suppress(NotSupportedError):  # said to whoever asks
            self._embedder("rank" if ranks else None).open()

    @property
    def uses(self) -> Uses:
        """Bytes of all contexts so far, by the names of devices."""
        return added(*(embedder.uses for embedder in self._embedders.values()))

    def submit(
        self, request_id: int, request: EmbedRequest | RankRequest
    ) -> list[tuple[int, EngineEvent]]:
        """Queue a request, or say at once why it cannot be served."""
        try:
            job = self._job(request_id, request)
        except LLMError as error:
            return [(request_id, Failed.of(error))]
        self._jobs.append(job)
        return [(request_id, Accepted(prompt_tokens=job.tokens))]

    def cancel(self, request_id: int) -> list[tuple[int, EngineEvent]]:
        """End a request now; one that is not there is no error."""
        ended = [job for job in self._jobs if job.request_id == request_id]
        self._jobs = [job for job in self._jobs if job not in ended]
        usage = Usage(prompt_tokens=0, completion_tokens=0)
        return [(request_id, Finished(reason="cancelled", usage=usage)) for _ in ended]

    def step(self, most: int) -> list[tuple[int, EngineEvent]]:
        """Do a step of the first job, see :meth:`Job.step`; return what happened."""
        if not self._jobs:
            return []
        job = self._jobs[0]
        events = job.step(most)
        if job.done:
            self._jobs.remove(job)
        return [(job.request_id, event) for event in events]

    def close(self) -> None:
        """Free the contexts."""
        for embedder in self._embedders.values():
            embedder.close()

    def _job(self, request_id: int, request: EmbedRequest | RankRequest) -> Job:
        vocab = self._model.vocab
        if isinstance(request, RankRequest):
            template = self._model.rerank_template
            pairs = [
                pair_tokens(vocab, request.query, document, template=template)
                for document in request.documents
            ]
            return Job(request_id, self._embedder("rank"), pairs, _scores)
        inputs: list[Sequence[int]] = [
            vocab.tokenize(given) if isinstance(given, str) else given
            for given in request.inputs
        ]
        answered = partial(_vectors, dimensions=request.dimensions)
        embedder = self._embedder(None)
        if request.truncate:
            ended = vocab.adds_eos or vocab.adds_sep
            inputs = [
                _shortened(tokens, embedder.limit, ended=ended) for tokens in inputs
            ]
        return Job(request_id, embedder, inputs, answered)

    def _embedder(self, pooling: Pooling | None) -> Embedder:
        if pooling not in self._embedders:
            self._embedders[pooling] = Embedder(
                self._model, cells=self._cells, threads=self._threads, pooling=pooling
            )
        embedder = self._embedders[pooling]
        if pooling != "rank":
            embedder.check_embeds()
        return embedder


def _shortened(tokens: Sequence[int], limit: int, *, ended: bool) -> Sequence[int]:
    """Return at most ``limit`` tokens; the last one stays where it marks the end."""
    if len(tokens) <= limit:
        return tokens
    return [*tokens[: limit - 1], tokens[-1]] if ended else tokens[:limit]


def _scores(rows: Sequence[Vector]) -> Scores:
    return Scores(scores=tuple(float(row[0]) for row in rows))


def _vectors(vectors: Sequence[Vector], *, dimensions: int | None) -> Vectors:
    """Return them as text embeddings are compared: cut, then of length 1."""
    if dimensions is not None:
        vectors = [truncated(vector, dimensions) for vector in vectors]
    finished = (normalised(vector).astype("<f4").tobytes() for vector in vectors)
    return Vectors(vectors=tuple(finished))
