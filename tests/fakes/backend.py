"""A backend without llama.cpp, as strict as the real one is forgiving."""

import hashlib
import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from llm_ext.core.memory_kind import MemoryKind
from llm_ext.core.sampling import SamplingParams
from llm_ext.engine.backend import BatchElement, DecodeError, Drawn, NoCellsError
from llm_ext.engine.constraint import Constraint
from llm_ext.engine.element import Element

VOCABULARY = 256
END = 0
"""The token that ends an answer; drawn only where ``ends_after`` says so."""


class Cell(NamedTuple):
    """One cell of the cache; sequences that share it hold an equal one."""

    number: int
    element: Element


class FakeSampler:
    """Draws a token that depends on all elements so far, as a model's logits do."""

    def __init__(self, backend: "FakeBackend", constraint: Constraint | None) -> None:
        self._backend = backend
        self._constraint = constraint
        self.closed = False

    def sample(self, row: int) -> Drawn:
        """See Sampler."""
        assert not self.closed, "a closed sampler was used"
        token = self._backend.draw(row)
        if self._constraint is None:
            return Drawn(token)
        logits = np.zeros(VOCABULARY, np.float32)
        logits[token] = 1
        self._constraint.mask(logits)
        token = int(logits.argmax())
        forced = self._constraint.accept(token)
        return Drawn(token, forced=forced, done=self._constraint.done)

    def close(self) -> None:
        """See Sampler."""
        self.closed = True


class FakeBackend:
    """Remembers cells by sequence, and refuses whatever would corrupt a real cache.

    Tokens 128 and above stand for half of a two-byte character; the others for
    themselves in ASCII.

    Attributes:
        memory: What each sequence holds, by position.
        swapped: What was swapped out, by its key.
        samplers: All that were made.
        computed: Elements decoded so far.
        broken: While true, every decode fails.
        lies: Cells that it has less than it says.
        crowded: Most elements that find room at once, for all that it has cells.
    """

    def __init__(
        self,
        *,
        n_cells: int = 64,
        n_batch: int = 16,
        n_seq_ids: int = 8,
        n_swap: int = 0,
        ends_after: int | None = None,
        memory_kind: MemoryKind = "attention",
    ) -> None:
        self.memory_kind = memory_kind
        self.n_seq_ids = n_seq_ids
        self.n_cells = n_cells
        self.n_batch = n_batch
        self.n_swap = n_swap
        self.swapped: dict[int, list[Element]] = {}
        self.memory: dict[int, dict[int, Cell]] = {}
        self.samplers: list[FakeSampler] = []
        self.computed = 0
        self.broken = False
        self.lies = 0
        self.crowded: int | None = None
        self._ends_after = ends_after
        self._rows: dict[int, tuple[Element, ...]] = {}
        self._numbers = itertools.count()

    @property
    def used(self) -> int:
        """Cells that are in use, each counted once."""
        return len({cell for held in self.memory.values() for cell in held.values()})

    def decode(self, batch: Sequence[BatchElement], *, spare: int = 0) -> None:
        """See Backend."""
        assert batch, "an empty batch was decoded"
        assert len(batch) <= self.n_batch, "the batch is too long"
        left = self.n_cells - self.used - len(batch)
        assert spare <= max(0, left), "there is less to spare"
        if self.used + len(batch) > self.n_cells - self.lies:
            raise NoCellsError
        if self.crowded is not None and len(batch) > self.crowded:
            raise NoCellsError
        if self.broken:
            raise DecodeError("the fake is broken")
        self._rows = {}
        for row, (element, position, seq_id, wants_logits) in enumerate(batch):
            assert 0 <= seq_id < self.n_seq_ids, "there is no such sequence id"
            held = self.memory.setdefault(seq_id, {})
            assert sorted(held) == list(range(position)), f"{seq_id} has a gap"
            held[position] = Cell(next(self._numbers), element)
            if wants_logits:
                self._rows[row] = tuple(held[at].element for at in range(position + 1))
        self.computed += len(batch)

    def clear(self, seq_id: int, start: int, end: int | None) -> None:
        """See Backend."""
        held = self.memory.get(seq_id, {})
        for position in list(held):
            if position >= start and (end is None or position < end):
                del held[position]
        if not held:
            self.memory.pop(seq_id, None)

    def copy(self, source: int, target: int, start: int, end: int) -> None:
        """See Backend."""
        assert self.memory_kind == "attention", "this memory cannot be cut"
        held = self.memory[source]
        mine = self.memory.setdefault(target, {})
        for position in range(start, end):
            assert position not in mine, "a cell would be held twice"
            mine[position] = held[position]

    def swap_out(self, seq_id: int, key: int) -> None:
        """See Backend."""
        assert key not in self.swapped, "something is there already"
        held = self.memory[seq_id]
        self.swapped[key] = [held[position].element for position in range(len(held))]
        assert sum(map(len, self.swapped.values())) <= self.n_swap, "it is too much"

    def swap_in(self, key: int, seq_id: int) -> None:
        """See Backend."""
        assert seq_id not in self.memory, "it would replace something"
        elements = self.swapped[key]
        if self.used + len(elements) > self.n_cells - self.lies:
            raise NoCellsError
        self.memory[seq_id] = {
            position: Cell(next(self._numbers), element)
            for position, element in enumerate(elements)
        }

    def drop(self, key: int) -> None:
        """See Backend."""
        del self.swapped[key]

    def sampler(
        self,
        params: SamplingParams,
        prompt: Sequence[Element],
        constraint: Constraint | None = None,
    ) -> FakeSampler:
        """See Backend."""
        del params, prompt
        sampler = FakeSampler(self, constraint)
        self.samplers.append(sampler)
        return sampler

    def ends(self, token: int) -> bool:
        """See Backend."""
        return token == END

    def piece(self, token: int, *, special: bool = False) -> bytes:  # noqa: ARG002  # it has no control tokens
        """See Backend."""
        return bytes([token]) if token < VOCABULARY // 2 else b"\xc3"

    def draw(self, row: int) -> int:
        """Return the token that follows row ``row`` of the last batch."""
        known = self._rows[row]
        if self._ends_after is not None and len(known) >= self._ends_after:
            return END
        digest = hashlib.blake2b(repr(known).encode(), digest_size=2).digest()
        return 1 + int.from_bytes(digest, "big") % (VOCABULARY - 1)
