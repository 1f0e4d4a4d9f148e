"""The KV cache's cells and sequence ids: who holds them, what is kept, what must go.

Pure: it decides, and returns the moves that make the cache so. How much can be reused
depends on what a model keeps of what it read; each way is a :class:`Memory`.
"""

from collections.abc import Iterable, Sequence as Items
from typing import NamedTuple, Protocol, TypeAlias
from weakref import WeakKeyDictionary

from llm_ext.core.memory_kind import MemoryKind

from .element import Element, common_length
from .prefix_tree import Match, PrefixTree
from .seq_ids import SeqIds
from .sequence import Sequence
from .swap import SwapMatch, Swapped, SwapSpace

_WORTH_WAITING = 32
"""Elements that must be in common before a sequence waits for another's prompt."""

_WORTH_KEEPING = 32_768
"""Elements that may be computed before what is kept is used again. Each thousand cells
that are kept make steps 3 % slower and more, since attention passes over them: for so
many elements that is as much time as to compute the thousand once more."""

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


class SwapOut(NamedTuple):
    """Copy what ``seq_id`` holds out of the cache, to ``key``."""

    seq_id: int
    key: int


class SwapIn(NamedTuple):
    """Copy what is at ``key`` into the cache, for ``seq_id``, which holds nothing."""

    key: int
    seq_id: int


class Drop(NamedTuple):
    """Forget what is at ``key``."""

    key: int


Move: TypeAlias = Clear | Copy | SwapOut | SwapIn | Drop
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
    def swapped(self) -> Iterable[int]:
        """Keys of what was swapped out."""

    @property
    def swapped_elements(self) -> int:
        """Elements that were swapped out, in all."""

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


def memory_for(
    kind: MemoryKind, *, n_cells: int, n_seq_ids: int, n_swap: int = 0
) -> Memory:
    """Return what shares out a memory of this kind.

    ``n_swap`` is how many elements can be swapped out.
    """
    if kind == "attention":
        return PrefixMemory(n_cells=n_cells, n_seq_ids=n_seq_ids, n_swap=n_swap)
    return PlainMemory(n_cells=n_cells, n_seq_ids=n_seq_ids)


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

    swapped = kept
    swapped_elements = 0

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

    What goes is swapped out, if there is room for that: it comes back for a small part
    of the time that it took to compute. While others run, all that is kept goes there,
    as far as there is room: attention would have to pass over its cells at every step.
    """

    def __init__(self, *, n_cells: int, n_seq_ids: int, n_swap: int = 0) -> None:
        self.n_cells = n_cells
        self._seq_ids = SeqIds(n_seq_ids)
        self._tree = PrefixTree()
        self._running: dict[int, Sequence] = {}
        self._proven: set[int] = set()
        self._kept: dict[int, _Kept] = {}  # the least recently used first
        self._swap = SwapSpace(n_swap)
        self._computed = 0
        self._awaited: WeakKeyDictionary[Sequence, _Awaited] = WeakKeyDictionary()

    @property
    def kept(self) -> Iterable[int]:
        """See Memory."""
        return self._kept

    @property
    def swapped(self) -> Iterable[int]:
        """See Memory."""
        return self._swap.keys

    @property
    def swapped_elements(self) -> int:
        """See Memory."""
        return self._swap.n_elements - self._swap.free

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
        self._use(self._tree.match(known), self._swap.match(known))
        while self._kept and (not self._seq_ids.free or self._is_stale()):
            moves += self.evict()
        seq_id = self._seq_ids.claim()
        moves += self._swap_in(seq_id, known) or self._share(seq_id, known)
        sequence.computed = self._tree.length(seq_id)
        if sequence.cached is None:
            sequence.cached = sequence.computed
        sequence.seq_id = seq_id
        self._running[seq_id] = sequence
        return moves + self._tidy()

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
        return moves + self._forget_unproven() + self._tidy()

    def evict(self) -> list[Move]:
        """See Memory."""
        if not self._kept:
            return []
        oldest = next(iter(self._kept))
        return self._swap_out(oldest, self._computed) or self._free(oldest)

    def check_integrity(self) -> None:
        """See Memory."""
        self._tree.check_integrity()
        self._swap.check_integrity()
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
        rest = elements[:-1]  # the last is computed, for its row
        found = (self._tree.match(rest), self._swap.match(rest))
        known = max(0 if match is None else match.length for match in found)
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

    def _share(self, seq_id: int, known: Items[Element]) -> list[Move]:
        """Let a new sequence begin with what the cells hold of its elements."""
        match = self._tree.match(known)
        if match is None:
            return []
        length, source, holders = match
        if length >= _WORTH_WAITING and holders == 1:
            self._proven.add(seq_id)
        self._tree.extend(seq_id, known[:length])
        return [Copy(source, seq_id, 0, length)]

    def _swap_in(self, seq_id: int, known: Items[Element]) -> list[Move]:
        """Let it begin with what was swapped out, where there is more of it; or none.

        All of that is copied and the end cleared, so that there must be room for all.
        What was held by others beside is shared with them.
        """
        found, here = self._swap.match(known), self._tree.match(known)
        held = 0 if here is None else here.length
        if (
            found is None
            or found.length - held < _WORTH_WAITING
            or found.size > self.available_cells
        ):
            return []
        moves: list[Move] = []
        while self.free_cells < found.size:
            moves += self.evict()
        moves.append(SwapIn(found.key, seq_id))
        if found.size > found.length:
            moves.append(Clear(seq_id, found.length))
        twice = self._tree.extend(seq_id, known[: found.length])
        if twice is not None:
            moves.append(Clear(seq_id, 0, twice.length))
            moves.append(Copy(twice.seq_id, seq_id, 0, twice.length))
        self._proven.add(seq_id)
        if found.size - found.length < _WORTH_WAITING:
            moves += self._drop(found.key)  # the sequence will leave as much
        return moves

    def _tidy(self) -> list[Move]:
        """Swap out what is kept, as far as there is room, while somebody runs."""
        moves: list[Move] = []
        if self._swap.n_elements and self._running:
            for seq_id in list(self._kept):
                moves += self._swap_out(seq_id, self._computed - _WORTH_KEEPING)
        return moves

    def _swap_out(self, seq_id: int, before: int) -> list[Move]:
        """Swap out what is kept; none where there is no room.

        What was swapped out and not used since ``before`` goes for it. What others hold
        nearly all of is forgotten: the rest is soon computed again.
        """
        if self._tree.cells_only_of([seq_id]) < _WORTH_WAITING:
            return self._free(seq_id)
        going = self._swap.room(self._tree.length(seq_id), before=before)
        if going is None:
            return []
        kept, elements = self._kept[seq_id], self._tree.elements(seq_id)
        if self._is_there(elements):
            return self._free(seq_id)
        moves = [move for key in going for move in self._drop(key)]
        key = self._swap.add(elements, Swapped(kept.used, kept.proven))
        return [*moves, SwapOut(seq_id, key), *self._free(seq_id)]

    def _is_there(self, elements: Items[Element]) -> bool:
        """Whether they have been swapped out already."""
        match = self._swap.match(elements)
        return match is not None and match.length == len(elements)

    def _forget_unproven(self) -> list[Move]:
        """Forget what nobody has gone on from, but for the last few."""
        moves: list[Move] = []
        swapped = self._swap.unproven
        kept = [seq_id for seq_id, kept in self._kept.items() if not kept.proven]
        for at in range(len(swapped) + len(kept) - _UNPROVEN):
            if at < len(swapped):
                moves += self._drop(swapped[at])
            else:
                moves += self._free(kept[at - len(swapped)])
        return moves

    def _drop(self, key: int) -> list[Move]:
        self._swap.remove(key)
        return [Drop(key)]

    def _use(self, match: Match | None, swapped: SwapMatch | None) -> None:
        """Note that what was found has been used just now."""
        if match is not None and match.seq_id in self._kept:
            kept = self._kept.pop(match.seq_id)
            self._kept[match.seq_id] = kept._replace(used=self._computed)
        if swapped is not None:
            self._swap.use(swapped.key, self._computed)

    def _is_stale(self) -> bool:
        """Whether what was not used for the longest time is not worth keeping."""
        return self._computed - next(iter(self._kept.values())).used > _WORTH_KEEPING

    def _free(self, seq_id: int) -> list[Move]:
        self._kept.pop(seq_id, None)
        self._tree.remove(seq_id)
        self._seq_ids.release(seq_id)
        return [Clear(seq_id)]
