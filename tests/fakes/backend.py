"""A backend without llama.cpp, as strict as the real one is forgiving."""

import hashlib
from collections.abc import Sequence

from llm_ext.core.sampling import SamplingParams
from llm_ext.engine.backend import BatchToken, DecodeError, NoCellsError

VOCABULARY = 256
END = 0
"""The token that ends an answer; drawn only where ``ends_after`` says so."""


class FakeSampler:
    """Draws a token that depends on all tokens of the slot, as a model's logits do."""

    def __init__(self, backend: "FakeBackend") -> None:
        self._backend = backend
        self.closed = False

    def sample(self, row: int) -> int:
        """See Sampler."""
        assert not self.closed, "a closed sampler was used"
        return self._backend.draw(row)

    def close(self) -> None:
        """See Sampler."""
        self.closed = True


class FakeBackend:
    """Remembers tokens by slot, and refuses whatever would corrupt a real cache.

    Tokens 128 and above stand for half of a two-byte character; the others for
    themselves in ASCII.

    Attributes:
        memory: Tokens computed, by slot.
        samplers: All that were made.
        broken: While true, every decode fails.
        lies: Cells that it has less than it says.
    """

    def __init__(
        self, *, n_cells: int = 64, n_batch: int = 16, ends_after: int | None = None
    ) -> None:
        self.n_cells = n_cells
        self.n_batch = n_batch
        self.memory: dict[int, list[int]] = {}
        self.samplers: list[FakeSampler] = []
        self.broken = False
        self.lies = 0
        self._ends_after = ends_after
        self._rows: dict[int, tuple[int, ...]] = {}

    def decode(self, batch: Sequence[BatchToken]) -> None:
        """See Backend."""
        assert batch, "an empty batch was decoded"
        assert len(batch) <= self.n_batch, "the batch is too long"
        used = sum(len(tokens) for tokens in self.memory.values())
        if used + len(batch) > self.n_cells - self.lies:
            raise NoCellsError
        if self.broken:
            raise DecodeError("the fake is broken")
        self._rows = {}
        for row, (token, position, slot, wants_logits) in enumerate(batch):
            known = self.memory.setdefault(slot, [])
            assert position == len(known), f"slot {slot} has a gap at {position}"
            known.append(token)
            if wants_logits:
                self._rows[row] = tuple(known)

    def clear(self, slot: int) -> None:
        """See Backend."""
        self.memory.pop(slot, None)

    def sampler(self, params: SamplingParams, prompt: Sequence[int]) -> FakeSampler:
        """See Backend."""
        del params, prompt
        sampler = FakeSampler(self)
        self.samplers.append(sampler)
        return sampler

    def ends(self, token: int) -> bool:
        """See Backend."""
        return token == END

    def piece(self, token: int) -> bytes:
        """See Backend."""
        return bytes([token]) if token < VOCABULARY // 2 else b"\xc3"

    def draw(self, row: int) -> int:
        """Return the token that follows row ``row`` of the last batch."""
        known = self._rows[row]
        if self._ends_after is not None and len(known) >= self._ends_after:
            return END
        digest = hashlib.blake2b(bytes(t % 256 for t in known), digest_size=2).digest()
        return 1 + int.from_bytes(digest, "big") % (VOCABULARY - 1)
