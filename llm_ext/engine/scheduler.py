"""Which elements are computed in the next step. Pure: decides, and computes nothing."""

from collections import Counter, deque
from collections.abc import Callable, Collection, Hashable, Iterable
from dataclasses import dataclass, field

from .memory import Memory, Move
from .pace import LEAST, MOST, Pace
from .prefill import Chunk, prompt_chunks
from .sequence import Sequence

HEADROOM = 64
"""Cells an admitted sequence must find free beyond its known elements, so that it is
not requeued at once."""

BURST = 4 * MOST
"""Elements of prompts that count as soon read."""


@dataclass(kw_only=True)
class Plan:
    """One step: changes of the cache first, then chunks to compute.

    Attributes:
        prompt: Elements of prompts beside streams of which each has one element; None
            where nobody streams, where more than one was forced on a stream, and in a
            burst.
    """

    moves: list[Move] = field(default_factory=list)
    chunks: list[Chunk] = field(default_factory=list)
    prompt: int | None = None


class Scheduler:
    """Owns who waits and who runs.

    A sequence is in exactly one of ``waiting`` and ``running``. When those that run
    would need more cells than there are, the one admitted last goes back to the head of
    the queue and goes on later; none fails for another's sake.

    Attributes:
        n_slots: Most sequences that run at once.
        memory: The cells and ids that they share.
        changes: How often a sequence began or ceased to wait.
        pace: How much is computed in a step beside streams.
    """

    def __init__(self, memory: Memory, *, n_slots: int, n_batch: int) -> None:
        self.n_slots = n_slots
        self.memory = memory
        self.waiting: deque[Sequence] = deque()
        self.running: list[Sequence] = []
        self.changes = 0
        self.pace = Pace()
        self._served: dict[str, int] = {}
        self._n_batch = n_batch
        self._steps = 0
        self._size = 0  # elements in the last step
        self._lost = 0

    def add(self, sequence: Sequence) -> None:
        """Queue a sequence behind all others.

        Raises:
            ValueError: Its limit is more than the cache holds.
        """
        n_cells = self.memory.n_cells
        if sequence.limit > n_cells:
            raise ValueError(f"{sequence.limit} tokens do not fit {n_cells} cells")
        self.waiting.append(sequence)
        self.changes += 1

    def remove(self, sequences: Collection[Sequence], *, keep: bool) -> list[Move]:
        """Forget sequences, and keep what they computed for others, or not."""
        self._lost = 0
        running = [sequence for sequence in sequences if sequence.seq_id is not None]
        if len(running) < len(sequences):
            # Together: each alone would be looked for among all that wait.
            gone = set(sequences)
            self.waiting = deque(s for s in self.waiting if s not in gone)
            self.changes += 1
        moves: list[Move] = []
        for sequence in running:
            self.running.remove(sequence)
            moves += self.memory.release(sequence, keep=keep)
        return moves

    def schedule(self) -> Plan:
        """Decide the next step.

        1. Admit from the queue while a slot and cells are free.
        2. Take back the newest until the others have cells to go on with.
        3. What was drawn last for every decoding sequence, as far as a batch holds it.
        4. Prompt chunks in what is left of the step's budget and of the cells.
        5. Give up what is kept where its cells are needed.
        """
        self._steps += 1
        moves = self._admit()  # 1
        moves += self._make_room()  # 2
        chunks: list[Chunk] = []
        room = self._room(self._n_batch)
        for sequence in self.running:  # 3
            if sequence.decoding and sequence.remaining <= room:
                chunks.append(Chunk(sequence, sequence.remaining))
                room -= sequence.remaining
        streams = {chunk.sequence for chunk in chunks}
        drawn = sum(chunk.size for chunk in chunks)
        prompts = [s for s in self.running if s not in streams]
        left = sum(sequence.remaining for sequence in prompts)
        burst = self._is_burst(streams, prompts)
        beside = self.pace.prompts(streams=drawn, left=left, burst=burst)
        budget = min(beside if chunks else MOST, room)
        chunks += prompt_chunks(prompts, budget)  # 4
        needed = sum(chunk.size for chunk in chunks)
        while self.memory.free_cells < needed and (evicted := self.memory.evict()):  # 5
            moves += evicted
        self._size = needed
        paced = drawn and drawn == len(streams) and not burst
        prompt = needed - drawn if paced else None
        return Plan(moves=moves, chunks=chunks, prompt=prompt)

    def retreat(self, tried: int) -> list[Move] | None:
        """Requeue the newest of several running sequences.

        For when the cache had no room for ``tried`` elements more, though it should.
        Until a sequence ends, no more cells are shared out than it has shown to have,
        or the same would come again. The last one running stays: None.
        """
        if len(self.running) == 1:
            return None
        self._lost = max(0, self.memory.available_cells - tried + 1)
        return self._requeue(self.running[-1])

    def check_integrity(self) -> None:
        """Raise AssertionError if what this class promises does not hold."""
        self.memory.check_integrity()
        ids = [sequence.seq_id for sequence in self.running]
        problems = {
            "a running sequence has no id": None in ids,
            "two sequences share an id": len(set(ids)) != len(ids),
            "more sequences run than there are slots": len(ids) > self.n_slots,
            "a waiting sequence holds an id or memory": any(
                s.seq_id is not None or s.computed for s in self.waiting
            ),
            "a sequence waits and runs": bool(set(self.waiting) & set(self.running)),
        }
        broken = [problem for problem, holds in problems.items() if holds]
        if broken:
            raise AssertionError("; ".join(broken))

    def _room(self, wanted: int) -> int:
        """Return how many of ``wanted`` cells the running sequences may take."""
        lost = self._lost if len(self.running) > 1 else 0
        if self.memory.free_cells - lost >= wanted:
            return wanted  # what is kept need not be counted
        return min(wanted, self.memory.available_cells - lost)

    def _admit(self) -> list[Move]:
        """Admit in turn; those that soon share what another computes let others pass.

        Nobody passes one for whom there is no room, or the large would never run.
        """
        moves: list[Move] = []
        if len(self.running) == self.n_slots:
            return moves
        for sequence in self.queue():
            if len(self.running) == self.n_slots:
                break
            if self.memory.awaits(sequence, self.running):
                continue
            if self.running and self._promised + self._need(sequence) > (
                self.memory.available_cells - self._lost
            ):
                break
            self.waiting.remove(sequence)
            self.changes += 1
            moves += self.memory.claim(sequence)
            sequence.admitted = self._steps
            self.running.append(sequence)
            self._note_served(sequence.user)
        return moves

    def _is_burst(
        self, streams: Collection[Sequence], prompts: Collection[Sequence]
    ) -> bool:
        """Whether there are prompts that came with the streams, and are soon read.

        Then all are done sooner if the streams, which have only just begun, wait a
        little longer than others would. A step draws one token for a stream, or more
        where they are forced.
        """
        if not prompts or not streams:
            return False
        longest = max(len(stream.answer) for stream in streams)
        newest = max(prompt.admitted for prompt in prompts)
        size = sum(prompt.length - (prompt.cached or 0) for prompt in prompts)
        return size <= BURST and longest - 1 <= self._steps - newest

    def _note_served(self, user: str) -> None:
        """Let others be before ``user`` the next time; who has gone is forgotten."""
        here = {sequence.user for sequence in (*self.waiting, *self.running)}
        self._served = {name: n for name, n in self._served.items() if name in here}
        self._served[user] = max(self._served.values(), default=0) + 1

    def queue(self) -> list[Sequence]:
        """Return who waits, in the order in which they are admitted.

        Users take turns, and so do the requests of each of them: who asks for much, or
        for many answers, takes no more slots than others while these wait.
        """
        requests = _turns(self.waiting, self.running, lambda s: s.request_id)
        by_request = sorted(self.waiting, key=requests.__getitem__)
        users = _turns(by_request, self.running, lambda s: s.user)
        return sorted(by_request, key=lambda s: (users[s], self._served.get(s.user, 0)))

    @property
    def spare(self) -> int:
        """Elements that may be computed for somebody else before the next step.

        While somebody streams, that is what is left of the last step's budget, and
        a few whatever they left.
        """
        if not any(sequence.decoding for sequence in self.running):
            return self._n_batch
        return max(LEAST, self.pace.budget - self._size)

    @property
    def only_draws(self) -> bool:
        """Whether all that run have read their prompts."""
        return all(sequence.decoding for sequence in self.running)

    @property
    def backlog(self) -> int:
        """Elements of prompts that are not computed yet."""
        return sum(
            max(0, len(sequence.prompt) - sequence.computed)
            for sequence in (*self.waiting, *self.running)
        )

    @property
    def _promised(self) -> int:
        """Cells that the running ones are sure to need."""
        return sum(sequence.remaining for sequence in self.running)

    def _need(self, sequence: Sequence) -> int:
        return self.memory.missing(sequence) + min(
            HEADROOM, sequence.limit - sequence.length
        )

    def _make_room(self) -> list[Move]:
        """Requeue the newest until the others can go on: at least one of them must."""
        moves: list[Move] = []
        while len(self.running) > 1 and (
            self._room(self._needed_cells) < self._needed_cells
        ):
            moves += self._requeue(self.running[-1])
        return moves

    @property
    def _needed_cells(self) -> int:
        return max(1, sum(s.remaining for s in self.running if s.decoding))

    def _requeue(self, sequence: Sequence) -> list[Move]:
        self.running.remove(sequence)
        self.waiting.appendleft(sequence)
        self.changes += 1
        return self.memory.release(sequence, keep=True)


def _turns(
    waiting: Iterable[Sequence],
    running: Iterable[Sequence],
    group: Callable[[Sequence], Hashable],
) -> dict[Sequence, int]:
    """Return how many of its own group run or come before each that waits."""
    taken = Counter(group(sequence) for sequence in running)
    turns: dict[Sequence, int] = {}
    for sequence in waiting:
        turns[sequence] = taken[group(sequence)]
        taken[group(sequence)] += 1
    return turns
