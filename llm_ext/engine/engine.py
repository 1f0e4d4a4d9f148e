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

from .backend import Backend, BatchToken, DecodeError, NoCellsError
from .prefill import Chunk
from .scheduler import Plan, Scheduler
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
        self.scheduler = Scheduler(
            n_slots=n_slots, n_cells=backend.n_cells, n_batch=backend.n_batch
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

    def step(self) -> Published:
        """Do one step for all sequences and return what happened."""
        plan = self.scheduler.schedule()
        for slot in plan.vacated:
            self._backend.clear(slot)
        self.steps += 1
        try:
            self._backend.decode(_batch(plan.chunks))
        except NoCellsError:
            return self._retreat(plan)
        except DecodeError as error:
            return self._fail(plan.chunks, str(error))
        published: Published = []
        row = -1
        for chunk in plan.chunks:
            row += chunk.size
            published += self._advance(chunk, row)
        return published

    def _advance(self, chunk: Chunk, row: int) -> Published:
        sequence = chunk.sequence
        sequence.computed += chunk.size
        if sequence.remaining:
            progress = PromptProgress(done=sequence.computed, total=sequence.length)
            return [(sequence.request_id, progress)]
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
        self._release(sequence)
        rest = ""
        if not sequence.stops.found and reason != "cancelled":
            rest = sequence.stops.feed(sequence.detokenizer.finish())
            rest += sequence.stops.finish()
        end = Finished(reason=reason, usage=sequence.usage)
        return [*_delta(sequence, rest), (sequence.request_id, end)]

    def _fail(self, chunks: list[Chunk], cause: str) -> Published:
        published: Published = []
        for sequence in [chunk.sequence for chunk in chunks]:
            self._release(sequence)
            error = EngineError(f"llama.cpp could not compute this request: {cause}.")
            published.append((sequence.request_id, Failed.of(error)))
        return published

    def _retreat(self, plan: Plan) -> Published:
        slot = self.scheduler.retreat(plan)
        if slot is None:
            return self._fail(plan.chunks, "the KV cache has no room left for it")
        self._backend.clear(slot)
        return []

    def _release(self, sequence: Sequence) -> None:
        del self._sequences[sequence.request_id]
        slot = self.scheduler.remove(sequence)
        if slot is not None:
            self._backend.clear(slot)
        if sequence.sampler is not None:
            sequence.sampler.close()


def _batch(chunks: list[Chunk]) -> list[BatchToken]:
    batch: list[BatchToken] = []
    for sequence, size in chunks:
        slot, start = sequence.slot, sequence.computed
        if slot is None:
            raise ValueError("only sequences with a slot are scheduled")
        last = size if size == sequence.remaining else 0
        batch += [
            BatchToken(token, start + index, slot, wants_logits=index + 1 == last)
            for index, token in enumerate(sequence.upcoming(size))
        ]
    return batch


def _delta(sequence: Sequence, text: str) -> Published:
    return [(sequence.request_id, TextDelta(text=text))] if text else []
