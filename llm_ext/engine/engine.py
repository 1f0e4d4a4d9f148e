"""The step loop's body: schedule, decode, draw, publish."""

from llm_ext.core.events import (
    Accepted,
    EngineEvent,
    Failed,
    Finished,
    FinishReason,
    PromptProgress,
    TextDelta,
)
from llm_ext.errors import EngineError

from .backend import Backend, BatchElement, DecodeError, NoCellsError
from .memory import Copy, Move, memory_for
from .prefill import Chunk, halves
from .scheduler import Scheduler
from .sequence import Sequence

Published = list[tuple[int, EngineEvent]]
"""What happened, each with the id of the request that it happened to."""


class Engine:
    """Runs all sequences of one model. Owned by one thread.

    Attributes:
        steps: Decodes begun so far.
    """

    def __init__(self, backend: Backend, *, n_slots: int) -> None:
        self._backend = backend
        self._sequences: dict[int, Sequence] = {}
        self.steps = 0
        self._memory = memory_for(
            backend.memory_kind, n_cells=backend.n_cells, n_seq_ids=backend.n_seq_ids
        )
        self.scheduler = Scheduler(
            self._memory, n_slots=n_slots, n_batch=backend.n_batch
        )

    @property
    def idle(self) -> bool:
        """Whether a step would do nothing."""
        return not self._sequences

    @property
    def busy_slots(self) -> int:
        """Slots that a sequence holds."""
        return len(self.scheduler.running)

    @property
    def waiting(self) -> int:
        """Sequences without a slot."""
        return len(self.scheduler.waiting)

    def submit(self, sequence: Sequence) -> Published:
        """Queue a sequence; its request id must not be in use."""
        self._sequences[sequence.request_id] = sequence
        self.scheduler.add(sequence)
        return [(sequence.request_id, Accepted(prompt_tokens=len(sequence.prompt)))]

    def cancel(self, request_id: int) -> Published:
        """End a request now: its slot is free when this returns.

        A request that already ended is no error: its end and the cancel crossed.
        """
        sequence = self._sequences.get(request_id)
        return [] if sequence is None else self._finish(sequence, "cancelled")

    def forget(self) -> None:
        """Give up every prefix that is kept for later."""
        while moves := self._memory.evict():
            self._apply(moves)

    def step(self) -> Published:
        """Do one step for all sequences and return what happened."""
        plan = self.scheduler.schedule()
        self._apply(plan.moves)
        self.steps += 1
        return self._compute(plan.chunks)

    def _compute(self, chunks: list[Chunk]) -> Published:
        """Decode, in smaller batches where the cache has no room for all at once."""
        chunks = [chunk for chunk in chunks if chunk.sequence.seq_id is not None]
        if not chunks:
            return []
        try:
            self._backend.decode(_batch(chunks))
        except NoCellsError:
            return self._compute_less(chunks)
        except DecodeError as error:
            return self._fail(chunks, str(error))
        published: Published = []
        row = -1
        for chunk in chunks:
            row += chunk.size
            published += self._advance(chunk, row)
        return published

    def _advance(self, chunk: Chunk, row: int) -> Published:
        sequence = chunk.sequence
        self._apply(self._memory.advance(sequence, chunk.size))
        if sequence.remaining:
            done, total = sequence.computed, len(sequence.prompt)
            if done >= total:
                return []
            return [(sequence.request_id, PromptProgress(done=done, total=total))]
        if sequence.sampler is None:
            sequence.sampler = self._backend.sampler(sequence.params, sequence.prompt)
        return self._append(sequence, sequence.sampler.sample(row))

    def _append(self, sequence: Sequence, token: int) -> Published:
        if self._backend.ends(token):
            return self._finish(sequence, "stop")
        sequence.answer.append(token)
        text = sequence.detokenizer.feed(self._backend.piece(token))
        published = _delta(sequence, sequence.stops.feed(text))
        if sequence.stops.found:
            return published + self._finish(sequence, "stop")
        if sequence.full:
            return published + self._finish(sequence, "length")
        return published

    def _finish(self, sequence: Sequence, reason: FinishReason) -> Published:
        self._release(sequence, keep=True)
        rest = ""
        if not sequence.stops.found and reason != "cancelled":
            rest = sequence.stops.feed(sequence.detokenizer.finish())
            rest += sequence.stops.finish()
        end = Finished(reason=reason, usage=sequence.usage)
        return [*_delta(sequence, rest), (sequence.request_id, end)]

    def _fail(self, chunks: list[Chunk], cause: str) -> Published:
        published: Published = []
        for sequence in [chunk.sequence for chunk in chunks]:
            self._release(sequence, keep=False)
            error = EngineError(f"llama.cpp could not compute this request: {cause}.")
            published.append((sequence.request_id, Failed.of(error)))
        return published

    def _compute_less(self, chunks: list[Chunk]) -> Published:
        """Give up what is kept, then halve the batch, then requeue somebody."""
        evicted = self._memory.evict()
        if evicted:
            self._apply(evicted)
            return self._compute(chunks)
        size = sum(chunk.size for chunk in chunks)
        if size > 1:
            first, second = halves(chunks)
            return self._compute(first) + self._compute(second)
        moves = self.scheduler.retreat(size)
        if moves is None:
            return self._fail(chunks, "the KV cache has no room left for it")
        self._apply(moves)
        return []

    def _apply(self, moves: list[Move]) -> None:
        for move in moves:
            if isinstance(move, Copy):
                self._backend.copy(*move)
            else:
                self._backend.clear(*move)

    def _release(self, sequence: Sequence, *, keep: bool) -> None:
        del self._sequences[sequence.request_id]
        self._apply(self.scheduler.remove(sequence, keep=keep))
        if sequence.sampler is not None:
            sequence.sampler.close()


def _batch(chunks: list[Chunk]) -> list[BatchElement]:
    batch: list[BatchElement] = []
    for sequence, size in chunks:
        seq_id, start = sequence.held_id, sequence.computed
        last = size if size == sequence.remaining else 0
        batch += [
            BatchElement(element, start + index, seq_id, wants_logits=index + 1 == last)
            for index, element in enumerate(sequence.elements(start, start + size))
        ]
    return batch


def _delta(sequence: Sequence, text: str) -> Published:
    return [(sequence.request_id, TextDelta(text=text))] if text else []
