"""Which tokens are computed in the next step. Pure: decides, and computes nothing."""

from collections import deque
from dataclasses import dataclass, field

from .prefill import Chunk, prompt_chunks
from .sequence import Sequence
from .slots import SlotTable

PROMPT_BUDGET = 128
"""Prompt tokens a step while nobody streams: full prompt speed on a CPU."""

STREAMING_PROMPT_BUDGET = 32
"""Prompt tokens a step while somebody streams, so that no stream stalls for long."""

HEADROOM = 64
"""Cells an admitted sequence must find free beyond its known tokens, so that it is
not requeued at once."""


@dataclass(kw_only=True)
class Plan:
    """One step: slots to clear first, then chunks to compute."""

    vacated: list[int] = field(default_factory=list)
    chunks: list[Chunk] = field(default_factory=list)


class Scheduler:
    """Owns who waits, who runs, and how many KV cells each may use.

    A sequence is in exactly one of ``waiting`` and ``running``. The cells of all
    running sequences never exceed ``n_cells``: when they would, the sequence admitted
    last goes back to the head of the queue and is computed again later; none fails
    for another's sake.
    """

    def __init__(self, *, n_slots: int, n_cells: int, n_batch: int) -> None:
        self.n_cells = n_cells
        self.n_batch = n_batch
        self._shared_cells = n_cells
        self.slots = SlotTable(n_slots)
        self.waiting: deque[Sequence] = deque()
        self.running: list[Sequence] = []

    def add(self, sequence: Sequence) -> None:
        """Queue a sequence behind all others.

        Raises:
            ValueError: Its limit is more than the cache holds.
        """
        if sequence.limit > self.n_cells:
            raise ValueError(f"{sequence.limit} tokens do not fit {self.n_cells} cells")
        self.waiting.append(sequence)

    def remove(self, sequence: Sequence) -> int | None:
        """Forget a sequence; return the slot that became free, to be cleared."""
        self._shared_cells = self.n_cells
        if sequence in self.running:
            return self._vacate(sequence)
        self.waiting.remove(sequence)
        return None

    def schedule(self) -> Plan:
        """Decide the next step.

        1. Admit from the head of the queue while a slot and cells are free.
        2. Take back the newest until the others have cells to go on with.
        3. One token for every decoding sequence, as many as fit into a batch.
        4. Prompt chunks in what is left of the step's budget and of the cells.
        """
        self._admit()  # (1)
        vacated = self._make_room()  # (2)
        decoding = [s for s in self.running if s.decoding][: self.n_batch]
        chunks = [Chunk(sequence, 1) for sequence in decoding]  # (3)
        budget = STREAMING_PROMPT_BUDGET if decoding else PROMPT_BUDGET
        budget = min(budget, self.n_batch - len(chunks), self._free_cells - len(chunks))
        prompts = [s for s in self.running if not s.decoding]
        chunks += prompt_chunks(prompts, budget)  # (4)
        return Plan(vacated=vacated, chunks=chunks)

    def retreat(self, plan: Plan) -> int | None:
        """Requeue the newest of several running sequences; return its slot.

        For when the backend had no room for ``plan``. Until a sequence ends, no more
        cells than were in use are shared out, or the same plan would come again. The
        last one running stays: None.
        """
        if len(self.running) == 1:
            return None
        self._shared_cells = sum(sequence.computed for sequence in self.running)
        self._shared_cells += sum(chunk.size for chunk in plan.chunks) - 1
        return self._requeue(self.running[-1])

    def check_integrity(self) -> None:
        """Raise AssertionError if what this class promises does not hold."""
        slots = [sequence.slot for sequence in self.running]
        problems = {
            "a running sequence has no slot": None in slots,
            "two sequences share a slot": len(set(slots)) != len(slots),
            "a slot leaked": self.slots.free + len(slots) != self.slots.count,
            "a waiting sequence holds a slot or memory": any(
                s.slot is not None or s.computed for s in self.waiting
            ),
            "a sequence waits and runs": bool(set(self.waiting) & set(self.running)),
            "more cells are used than there are": self._free_cells < 0,
        }
        broken = [problem for problem, holds in problems.items() if holds]
        if broken:
            raise AssertionError("; ".join(broken))

    @property
    def _free_cells(self) -> int:
        cells = self.n_cells if len(self.running) == 1 else self._shared_cells
        return cells - sum(sequence.computed for sequence in self.running)

    def _admit(self) -> None:
        promised = sum(max(s.computed, s.length) for s in self.running)
        while self.waiting:
            head = self.waiting[0]
            need = min(head.length + HEADROOM, head.limit)
            if self.running and promised + need > self._shared_cells:
                return
            slot = self.slots.claim()
            if slot is None:
                return
            self.waiting.popleft()
            head.slot = slot
            self.running.append(head)
            promised += head.length

    def _make_room(self) -> list[int]:
        """Requeue the newest until the others can go on: at least one of them must."""
        vacated: list[int] = []
        while len(self.running) > 1 and self._free_cells < self._needed_cells:
            vacated.append(self._requeue(self.running[-1]))
        return vacated

    @property
    def _needed_cells(self) -> int:
        return max(1, sum(sequence.decoding for sequence in self.running))

    def _requeue(self, sequence: Sequence) -> int:
        slot = self._vacate(sequence)
        self.waiting.appendleft(sequence)
        return slot

    def _vacate(self, sequence: Sequence) -> int:
        slot = sequence.slot
        if slot is None:
            raise ValueError("a running sequence always has a slot")
        self.running.remove(sequence)
        self.slots.release(slot)
        sequence.slot = None
        sequence.computed = 0
        return slot
