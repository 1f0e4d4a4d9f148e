"""The KV cache's cells and sequence ids: who holds them, what is kept, what must go.

Pure: it decides, and returns the moves that make the cache so. How much can be reused
depends on what a model keeps of what it read; each way is a :class:`Memory`.
"""

from collections.abc import Iterable
from typing import NamedTuple, Protocol, TypeAlias
from weakref import WeakKeyDictionary

from llm_ext.core.memory_kind import MemoryKind

from .element import common_length
from .prefix_tree import Match, PrefixTree
from .seq_ids import SeqIds
from .sequence import Sequence

_WORTH_WAITING = 32
"""Elements that must be in common before a sequence waits for another's prompt."""

_WORTH_KEEPING = 32_768
"""Elements that may be computed before what is kept is used again. Each thousand cells
that are kept make steps 2 to 3 % slower, since attention passes over them: for so many
elements that is as much time as to compute the thousand once more."""

_UNPROVEN = 8
"""How much is kept of what nobody has gone on from so far. A program that asks once for
each of many rows would else fill the cells with what is of no more use."""


class Clear(NamedTuple):
    """Forget ``seq_id`` from ``start`` up to ``end``; None: all that follows."""

    seq_id: int
    start: int = 0
    end: int | None = None


class Copy(NamedTuple):
    """Let ``target`` share the cells of ``source`` from ``start`` up to ``end``."""

    source: int
    target: int
    start: int
    end: int


Move: TypeAlias = Clear | Copy
"""A change of the KV cache that computes nothing."""


class _Awaited(NamedTuple):
    """A running sequence, and how much of its prompt another one begins with, too."""

    sequence: Sequence
    common: int

    @property
    def coming(self) -> bool:
        """Whether it is being computed, and enough of it is left to wait for."""
        runs = self.sequence.seq_id is not None and not self.sequence.decoding
        return runs and self.common - self.sequence.computed >= _WORTH_WAITING


class _Kept(NamedTuple):
    """What an ended sequence left.

    Attributes:
        used: When it was used last, in elements computed.
        proven: Whether the sequence itself had gone on from another: the next turn of a
            chat, the next question on a document.
    """

    used: int
    proven: bool


class Memory(Protocol):
    """How one kind of memory is shared out; owns all sequence ids.

    Attributes:
        n_cells: Cells that there are.
    """

    n_cells: int

    @property
    def kept(self) -> Iterable[int]:
        """Ids that hold something for later, and are no running sequence's."""

    @property
    def free_cells(self) -> int:
        """Cells that nothing occupies."""

    @property
    def available_cells(self) -> int:
        """Cells that nothing occupies, or that what is kept would give back."""

    def missing(self, sequence: Sequence) -> int:
        """Return the available cells that a waiting sequence would take at once."""

    def awaits(self, sequence: Sequence, running: Iterable[Sequence]) -> bool:
        """Whether a running sequence computes what this one can soon share."""

    def claim(self, sequence: Sequence) -> list[Move]:
        """Give ``sequence`` an id, and what is held of its beginning.

        Raises:
            ValueError: All ids are running sequences'.
        """

    def advance(self, sequence: Sequence, count: int) -> list[Move]:
        """Note that the next ``count`` elements of a sequence are computed."""

    def release(self, sequence: Sequence, *, keep: bool) -> list[Move]:
        """Take the id back; keep what it holds for others, or forget it."""

    def evict(self) -> list[Move]:
        """Give up what was kept and not used for the longest time; none: nothing."""

    def check_integrity(self) -> None:
        """Raise AssertionError if what this class promises does not hold."""


def memory_for(kind: MemoryKind, *, n_cells: int, n_seq_ids: int) -> Memory:
    """Return what shares out a memory of this kind."""
    policy = PrefixMemory if kind == "attention" else PlainMemory
    return policy(n_cells=n_cells, n_seq_ids=n_seq_ids)


class PlainMemory:
    """Sequences share nothing, and nothing is kept.

    For memories that cannot be cut: a sliding window has lost what lies before it, and
    a recurrent state is of its last element only.
    """

    def __init__(self, *, n_cells: int, n_seq_ids: int) -> None:
        self.n_cells = n_cells
        self._seq_ids = SeqIds(n_seq_ids)
        self._cells: dict[int, int] = {}

    @property
    def kept(self) -> Iterable[int]:
        """See Memory."""
        return ()

    @property
    def free_cells(self) -> int:
        """See Memory."""
        return self.n_cells - sum(self._cells.values())

    available_cells = free_cells

    def missing(self, sequence: Sequence) -> int:
        """See Memory."""
        return sequence.length

    def awaits(self, sequence: Sequence, running: Iterable[Sequence]) -> bool:
        """See Memory."""
        del sequence, running
        return False

    def claim(self, sequence: Sequence) -> list[Move]:
        """See Memory."""
        seq_id = self._seq_ids.claim()
        sequence.seq_id = seq_id
        self._cells[seq_id] = 0
        return []

    def advance(self, sequence: Sequence, count: int) -> list[Move]:
        """See Memory."""
        sequence.computed += count
        self._cells[sequence.held_id] += count
        return []

    def release(self, sequence: Sequence, *, keep: bool) -> list[Move]:
        """See Memory."""
        del keep
        seq_id = sequence.held_id
        del self._cells[seq_id]
        self._seq_ids.release(seq_id)
        sequence.seq_id = None
        sequence.computed = 0
        return [Clear(seq_id)]

    def evict(self) -> list[Move]:
        """See Memory."""
        return []

    def check_integrity(self) -> None:
        """See Memory."""
        taken = self._seq_ids.count - self._seq_ids.free
        if taken != len(self._cells) or self.free_cells < 0:
            raise AssertionError("an id leaked, or more cells are used than there are")


class PrefixMemory:
    """Sequences share the cells of common beginnings, which are kept for later.

    For attention caches, which can be cut and copied anywhere. A running sequence's
    prompt joins the tree as it is computed, so that others share it at once; its answer
    joins when it ends. What an ended sequence leaves is kept until its id or its
    cells are needed, the least recently used going first. It goes earlier where it has
    cost as much as it could save, or is one of too many from which nobody went on.
    """

    def __init__(self, *, n_cells: int, n_seq_ids: int) -> None:
        self.n_cells = n_cells
        self._seq_ids = SeqIds(n_seq_ids)
        self._tree = PrefixTree()
        self._running: dict[int, Sequence] = {}
        self._proven: set[int] = set()
        self._kept: dict[int, _Kept] = {}  # the least recently used first
        self._computed = 0
        self._awaited: WeakKeyDictionary[Sequence, _Awaited] = WeakKeyDictionary()

    @property
    def kept(self) -> Iterable[int]:
        """See Memory."""
        return self._kept

    @property
    def free_cells(self) -> int:
        """See Memory."""
        unshared = sum(
            sequence.computed - self._tree.length(seq_id)
            for seq_id, sequence in self._running.items()
        )
        return self.n_cells - self._tree.cells - unshared

    @property
    def available_cells(self) -> int:
        """See Memory."""
        return self.free_cells + self._tree.cells_only_of(self._kept)

    def missing(self, sequence: Sequence) -> int:
        """See Memory."""
        known = sequence.elements(end=sequence.length - 1)
        match = self._tree.match(known, among=self._running)
        return sequence.length - (0 if match is None else match.length)

    def awaits(self, sequence: Sequence, running: Iterable[Sequence]) -> bool:
        """See Memory."""
        # Asked every step by all that wait, while finding out costs as much as their
        # prompts are long: once for each sequence that is awaited.
        awaited = self._awaited.get(sequence)
        if awaited is None or not awaited.coming:
            awaited = self._find_awaited(sequence, running)
        if awaited is None:
            self._awaited.pop(sequence, None)
            return False
        self._awaited[sequence] = awaited
        return True

    def claim(self, sequence: Sequence) -> list[Move]:
        """See Memory."""
        moves: list[Move] = []
        known = sequence.elements(end=sequence.length - 1)
        self._use(self._tree.match(known))
        while self._kept and (not self._seq_ids.free or self._is_stale()):
            moves += self.evict()
        seq_id = self._seq_ids.claim()
        match = self._tree.match(known)
        if match is not None:
            length, source, holders = match
            if length >= _WORTH_WAITING and holders == 1:
                self._proven.add(seq_id)
            self._tree.extend(seq_id, known[:length])
            moves.append(Copy(source, seq_id, 0, length))
            sequence.computed = length
        if sequence.cached is None:
            sequence.cached = sequence.computed
        sequence.seq_id = seq_id
        self._running[seq_id] = sequence
        return moves

    def advance(self, sequence: Sequence, count: int) -> list[Move]:
        """See Memory."""
        sequence.computed += count
        self._computed += count
        return self._publish(sequence, min(sequence.computed, len(sequence.prompt)))

    def release(self, sequence: Sequence, *, keep: bool) -> list[Move]:
        """See Memory."""
        seq_id = sequence.held_id
        moves = self._publish(sequence, sequence.computed) if keep else []
        proven = seq_id in self._proven
        self._proven.discard(seq_id)
        del self._running[seq_id]
        sequence.seq_id = None
        sequence.computed = 0
        if seq_id not in self._tree or self._tree.covered(seq_id) or not keep:
            return moves + self._free(seq_id)
        self._kept[seq_id] = _Kept(self._computed, proven)
        for other in [other for other in self._kept if self._tree.covered(other)]:
            moves += self._free(other)
        unproven = [other for other, kept in self._kept.items() if not kept.proven]
        for other in unproven[:-_UNPROVEN]:
            moves += self._free(other)
        return moves

    def evict(self) -> list[Move]:
        """See Memory."""
        return self._free(next(iter(self._kept))) if self._kept else []

    def check_integrity(self) -> None:
        """See Memory."""
        self._tree.check_integrity()
        problems = {
            "an id leaked": self._seq_ids.free + len(self._running) + len(self._kept)
            != self._seq_ids.count,
            "an id is kept and runs": bool(self._kept.keys() & self._running.keys()),
            "more cells are used than there are": self.free_cells < 0,
            "a kept id holds nothing": not all(s in self._tree for s in self._kept),
        }
        broken = [problem for problem, holds in problems.items() if holds]
        if broken:
            raise AssertionError("; ".join(broken))

    def _find_awaited(
        self, sequence: Sequence, running: Iterable[Sequence]
    ) -> _Awaited | None:
        elements = sequence.elements()
        match = self._tree.match(elements[:-1])  # the last is computed, for its row
        known = 0 if match is None else match.length
        prompts = (other for other in running if not other.decoding)
        for other in prompts:
            awaited = _Awaited(other, common_length(other.prompt, elements))
            if awaited.coming and awaited.common - known >= _WORTH_WAITING:
                return awaited
        return None

    def _publish(self, sequence: Sequence, end: int) -> list[Move]:
        """Put a sequence's elements up to ``end`` into the tree.

        What another sequence has computed meanwhile is shared from now on, and the
        sequence's own cells for it are given up.
        """
        seq_id = sequence.held_id
        start = self._tree.length(seq_id)
        if end <= start:
            return []
        twice = self._tree.extend(seq_id, sequence.elements(start, end))
        if twice is None:
            return []
        length, source, _ = twice
        return [
            Clear(seq_id, start, start + length),
            Copy(source, seq_id, start, start + length),
        ]

    def _use(self, match: Match | None) -> None:
        """Note that what was found has been used just now."""
        if match is not None and match.seq_id in self._kept:
            kept = self._kept.pop(match.seq_id)
            self._kept[match.seq_id] = kept._replace(used=self._computed)

    def _is_stale(self) -> bool:
        """Whether what was not used for the longest time is not worth keeping."""
        return self._computed - next(iter(self._kept.values())).used > _WORTH_KEEPING

    def _free(self, seq_id: int) -> list[Move]:
        self._kept.pop(seq_id, None)
        self._tree.remove(seq_id)
        self._seq_ids.release(seq_id)
        return [Clear(seq_id)]
