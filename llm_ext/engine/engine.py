"""The step loop's body: schedule, decode, draw, publish."""

import time
from collections.abc import Callable, Collection

from llm_ext.core.events import (
    Accepted,
    Alternative,
    ChoiceEnded,
    EngineEvent,
    Failed,
    Finished,
    FinishReason,
    PromptProgress,
    Queued,
    TokenLogprob,
)
from llm_ext.errors import EngineError

from .answer import Shown
from .backend import Backend, BatchElement, DecodeError, Drawn, NoCellsError
from .constraint import ConstraintError
from .memory import Clear, Copy, Drop, Move, SwapIn, SwapOut, memory_for
from .prefill import Chunk, halves
from .request import Request
from .scheduler import Scheduler
from .sequence import Sequence

Published = list[tuple[int, EngineEvent]]
"""What happened, each with the id of the request that it happened to."""


class Engine:
    """Runs all sequences of one model. Owned by one thread.

    Attributes:
        steps: Steps begun so far.
        slot_steps: Slots that were busy in each of them, summed up.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        n_slots: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._backend = backend
        self._clock = clock
        self._requests: dict[int, Request] = {}
        self._positions: dict[int, int] = {}
        self._queue_seen = 0
        self.steps = 0
        self.slot_steps = 0
        self._memory = memory_for(
            backend.memory_kind,
            n_cells=backend.n_cells,
            n_seq_ids=backend.n_seq_ids,
            n_swap=backend.n_swap,
        )
        self.scheduler = Scheduler(
            self._memory, n_slots=n_slots, n_batch=backend.n_batch
        )

    @property
    def idle(self) -> bool:
        """Whether a step would do nothing."""
        return not self._requests

    @property
    def busy_slots(self) -> int:
        """Slots that a sequence holds."""
        return len(self.scheduler.running)

    @property
    def waiting(self) -> int:
        """Sequences without a slot."""
        return len(self.scheduler.waiting)

    @property
    def cells(self) -> int:
        """Cells of the KV cache."""
        return self._memory.n_cells

    @property
    def held_cells(self) -> int:
        """Cells that running sequences hold; what is only kept for later is none."""
        return self._memory.n_cells - self._memory.available_cells

    @property
    def swapped(self) -> int:
        """Elements that were swapped out of the cache, and are kept for later."""
        return self._memory.swapped_elements

    def submit(self, *sequences: Sequence) -> Published:
        """Queue the answers to one request; its id must not be in use."""
        number, request = sequences[0].request_id, Request(sequences=sequences)
        self._requests[number] = request
        for sequence in sequences:
            self.scheduler.add(sequence)
        return [(number, Accepted(prompt_tokens=request.prompt_tokens))]

    def cancel(self, request_id: int) -> Published:
        """End a request now: its slots are free when this returns.

        A request that already ended is no error: its end and the cancel crossed.
        """
        request = self._requests.get(request_id)
        if request is None:
            return []
        unfinished = request.open
        self._release(unfinished, keep=True)
        published: Published = []
        for sequence in unfinished:
            published += self._end(sequence, "cancelled")
        return published

    def step(self) -> Published:
        """Do one step for all sequences and return what happened."""
        began = self._clock()
        plan = self.scheduler.schedule()
        lost = self._apply(plan.moves)
        self.steps += 1
        self.slot_steps += self.busy_slots
        self._note_begun(plan.chunks, began)
        published = self._moved_up() + self._fail_lost(lost)
        published += self._compute(plan.chunks)
        if plan.prompt is not None:
            seconds = self._clock() - began
            size = sum(chunk.size for chunk in plan.chunks)
            self.scheduler.pace.note(size=size, prompt=plan.prompt, seconds=seconds)
        return published

    def _note_begun(self, chunks: list[Chunk], now: float) -> None:
        for chunk in chunks:
            request = self._requests[chunk.sequence.request_id]
            if request.begun is None:
                request.begun = now

    def _moved_up(self) -> Published:
        """Tell those who wait to begin how many are before them, where that changed."""
        if self.scheduler.changes == self._queue_seen:
            return []
        self._queue_seen = self.scheduler.changes
        started = {sequence.request_id for sequence in self.scheduler.running}
        # An answer that is put back has begun, though it waits.
        started |= {
            number
            for number, request in self._requests.items()
            if request.drew is not None
        }
        positions: dict[int, int] = {}
        for position, sequence in enumerate(self.scheduler.queue()):
            if sequence.request_id not in started:
                positions.setdefault(sequence.request_id, position)
        before, self._positions = self._positions, positions
        return [
            (number, Queued(position=position))
            for number, position in positions.items()
            if before.get(number) != position
        ]

    def _compute(self, chunks: list[Chunk]) -> Published:
        """Decode, in smaller batches where the cache has no room for all at once."""
        chunks = [chunk for chunk in chunks if chunk.sequence.seq_id is not None]
        if not chunks:
            return []
        batch = _batch(chunks)
        try:
            self._backend.decode(batch, spare=self._memory.free_cells - len(batch))
        except NoCellsError:
            return self._compute_less(chunks)
        except DecodeError as error:
            last = [chunk.sequence for chunk in chunks]
            return self._fail(last, _uncomputed(str(error)))
        published: Published = []
        row = -1
        for chunk in chunks:
            row += chunk.size
            published += self._advance(chunk, row)
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
            last = [chunk.sequence for chunk in chunks]
            return self._fail(last, _uncomputed("the KV cache has no room left for it"))
        self._apply(moves)
        return []

    def _advance(self, chunk: Chunk, row: int) -> Published:
        sequence = chunk.sequence
        if sequence.seq_id is None:  # another answer to its request failed
            return []
        self._apply(self._memory.advance(sequence, chunk.size))
        if sequence.remaining:
            return self._progress(sequence.request_id)
        if sequence.sampler is None:
            sequence.sampler = self._backend.sampler(
                sequence.params, sequence.prompt, sequence.constraint
            )
        try:
            drawn = sequence.sampler.sample(row)
        except ConstraintError as error:
            why = f"The answer cannot go on as it must be: {error}."
            return self._fail([sequence], why)
        request = self._requests[sequence.request_id]
        if request.drew is None:
            request.drew = self._clock()
        return self._append(sequence, drawn)

    def _progress(self, number: int) -> Published:
        """Tell how far a request's prompts are, until it draws for the first time."""
        request = self._requests[number]
        if request.drew is not None:
            return []
        # Answers to one prompt share the one list. None has ended yet, so what is held
        # of the prompts is held by those that run.
        held: dict[int, int] = {}
        for s in self.scheduler.running:
            if s.request_id == number:
                held[id(s.prompt)] = max(s.computed, held.get(id(s.prompt), 0))
        if sum(held.values()) <= request.read:
            return []
        request.read = sum(held.values())
        progress = PromptProgress(done=request.read, total=request.prompt_tokens)
        return [(number, progress)]

    def _append(self, sequence: Sequence, drawn: Drawn) -> Published:
        """Append what was drawn, and what must follow it, until the answer ends."""
        published: Published = []
        logprob = self._logprob(drawn)
        for token in (drawn.token, *drawn.forced):
            if self._backend.ends(token):
                return published + self._finish(sequence, "stop")
            sequence.answer.append(token)
            special = token in sequence.shown_tokens
            piece = self._backend.piece(token, special=special)
            shown = sequence.text.feed(piece, logprob)
            logprob = None
            published += _deltas(sequence, shown)
            if sequence.text.stopped or sequence.read_by.done:
                return published + self._finish(sequence, "stop")
            if sequence.full:
                return published + self._finish(sequence, "length")
        if drawn.done:
            return published + self._finish(sequence, "stop")
        return published

    def _logprob(self, drawn: Drawn) -> TokenLogprob | None:
        if drawn.logprob is None:
            return None
        piece = self._backend.piece
        top = tuple(Alternative(piece(token), value) for token, value in drawn.top)
        return TokenLogprob(piece(drawn.token), drawn.logprob, top)

    def _finish(self, sequence: Sequence, reason: FinishReason) -> Published:
        self._release([sequence], keep=True)
        return self._end(sequence, reason)

    def _end(self, sequence: Sequence, reason: FinishReason) -> Published:
        """End one answer, and the request with its last one."""
        number, choice = sequence.request_id, sequence.choice
        request = self._requests[number]
        published: Published = []
        if reason != "cancelled":
            published += _deltas(sequence, sequence.text.finish())
            deltas, reason = sequence.read_by.finish(reason)
            published += [(number, delta) for delta in deltas]
        request.reasons[choice] = reason
        stop = sequence.text.stopped if reason == "stop" else None
        published.append((number, ChoiceEnded(choice, reason, stop)))
        if request.ended:
            del self._requests[number]
            end = Finished(
                reason=request.reasons[0],
                usage=request.usage,
                timings=request.timings(self._clock()),
            )
            published.append((number, end))
        return published

    def _fail(self, sequences: list[Sequence], why: str) -> Published:
        """Fail the requests of ``sequences``, with all their answers."""
        published: Published = []
        for number in dict.fromkeys(sequence.request_id for sequence in sequences):
            self._release(self._requests.pop(number).open, keep=False)
            published.append((number, Failed.of(EngineError(why))))
        return published

    def _fail_lost(self, lost: Collection[int]) -> Published:
        """Fail those for whose beginning there was no room, though there should be."""
        running = [s for s in self.scheduler.running if s.seq_id in lost]
        return self._fail(running, _uncomputed("the KV cache has no room left for it"))

    def _apply(self, moves: list[Move]) -> set[int]:
        """Change the cache; return the ids that could not be swapped in."""
        lost: set[int] = set()
        for move in moves:
            match move:
                case Clear():
                    self._backend.clear(*move)
                case Copy():
                    self._backend.copy(*move)
                case SwapOut():
                    self._backend.swap_out(*move)
                case SwapIn():
                    try:
                        self._backend.swap_in(*move)
                    except NoCellsError:
                        lost.add(move.seq_id)
                case Drop():
                    self._backend.drop(*move)
        return lost

    def _release(self, sequences: Collection[Sequence], *, keep: bool) -> None:
        self._apply(self.scheduler.remove(sequences, keep=keep))
        for sequence in sequences:
            if sequence.sampler is not None:
                sequence.sampler.close()


def _uncomputed(cause: str) -> str:
    return f"llama.cpp could not compute this request: {cause}."


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


def _deltas(sequence: Sequence, shown: Shown) -> Published:
    deltas = sequence.read_by.feed(*shown)
    return [(sequence.request_id, delta) for delta in deltas]
