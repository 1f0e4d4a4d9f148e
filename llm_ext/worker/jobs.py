"""Embedding and ranking: computed a decode at a time, between the engine's steps."""

from collections.abc import Iterator
from contextlib import suppress

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
from llm_ext.errors import LLMError, NotSupportedError
from llm_ext.llama.buffers import Uses, added
from llm_ext.llama.embedder import Embedder
from llm_ext.llama.model import Model
from llm_ext.llama.vectors import Vector, normalised

from .job_inputs import JobInputs


class Job:
    """One request's inputs on their way through an embedder.

    Attributes:
        request_id: The request.
        done: Whether there is nothing more to compute.
    """

    def __init__(self, wanted: JobInputs, embedder: Embedder) -> None:
        """Begin; raises what :meth:`Embedder.decodes` raises at once."""
        self.request_id = wanted.request_id
        self.done = False
        self._wanted = wanted
        self._most = 0
        self._decodes: Iterator[list[Vector]] = embedder.decodes(
            wanted.inputs, budget=lambda: self._most
        )
        self._results: list[Vector] = []

    @property
    def tokens(self) -> int:
        """Tokens of all inputs."""
        return sum(len(tokens) for tokens in self._wanted.inputs)

    def step(self, most: int) -> list[EngineEvent]:
        """Compute one decode of at most ``most`` tokens and return what happened.

        An input that cannot be read in parts is computed whole.
        """
        self._most = most
        try:
            self._results += next(self._decodes)
            done, total = len(self._results), len(self._wanted.inputs)
            progress = InputProgress(done=done, total=total)
            if done < total:
                return [progress]
            self.done = True
            usage = Usage(prompt_tokens=self.tokens, completion_tokens=0)
            return [progress, self._answer(), Finished(reason="stop", usage=usage)]
        except LLMError as error:
            self.done = True
            return [Failed.of(error)]

    def _answer(self) -> Scores | Vectors:
        if self._wanted.ranks:
            return Scores(scores=tuple(float(row[0]) for row in self._results))
        # As text embeddings are compared: cut, then of length 1.
        cut = (vector[: self._wanted.dimensions] for vector in self._results)
        finished = (normalised(vector).astype("<f4").tobytes() for vector in cut)
        return Vectors(vectors=tuple(finished))


class Jobs:
    """Waits and runs, the first come first. Owned by the engine thread.

    The contexts that they need are made for the first job that needs them, and stay.

    Attributes:
        limit: Most tokens in one input.
    """

    def __init__(self, model: Model, *, cells: int, threads: int) -> None:
        self.limit = min(cells, model.trained_context)
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
        with suppress(NotSupportedError):  # said to whoever asks
            self._usual.open()

    def warm_up(self) -> None:
        """Compute two tokens for nobody, see :meth:`LlamaBackend.warm_up`."""
        with suppress(LLMError):
            list(self._usual.decodes([[0, 0]], budget=lambda: 2))

    @property
    def uses(self) -> Uses:
        """Bytes of all contexts so far, by the names of devices."""
        return added(*(embedder.uses for embedder in self._embedders.values()))

    def submit(self, wanted: JobInputs) -> list[tuple[int, EngineEvent]]:
        """Queue a job, or say at once why it cannot be done."""
        try:
            job = Job(wanted, self._embedder("rank" if wanted.ranks else None))
        except LLMError as error:
            return [(wanted.request_id, Failed.of(error))]
        self._jobs.append(job)
        return [(job.request_id, Accepted(prompt_tokens=job.tokens))]

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

    @property
    def _usual(self) -> Embedder:
        """The embedder that the model's file asks for."""
        return self._embedder("rank" if self._model.pooling == "rank" else None)

    def _embedder(self, pooling: Pooling | None) -> Embedder:
        if pooling not in self._embedders:
            self._embedders[pooling] = Embedder(
                self._model, cells=self._cells, threads=self._threads, pooling=pooling
            )
        embedder = self._embedders[pooling]
        if pooling != "rank":
            embedder.check_embeds()
        return embedder
