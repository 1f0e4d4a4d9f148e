"""What the engine needs of whatever computes: llama.cpp, or a fake in tests."""

from collections.abc import Sequence as Items
from typing import NamedTuple, Protocol

from llm_ext.core.sampling import SamplingParams


class BatchToken(NamedTuple):
    """One token of a batch.

    Attributes:
        token: Its id in the vocabulary.
        position: Its place in its sequence, from 0.
        slot: The sequence id that the KV cache files it under.
        wants_logits: Whether a token will be drawn after it.
    """

    token: int
    position: int
    slot: int
    wants_logits: bool


class DecodeError(Exception):
    """The batch could not be computed; the memory of its slots is undefined."""


class NoCellsError(Exception):
    """The KV cache had no room for the batch; nothing was changed."""


class Sampler(Protocol):
    """Draws tokens for one sequence, and remembers what it drew."""

    def sample(self, row: int) -> int:
        """Draw after the batch token at index ``row`` of the last decode."""

    def close(self) -> None:
        """Free what it holds. Calling it again does nothing."""


class Backend(Protocol):
    """One loaded model with one KV cache. Used by one thread only."""

    @property
    def n_cells(self) -> int:
        """Tokens that the KV cache holds, all slots together."""

    @property
    def n_batch(self) -> int:
        """Most tokens in one decode."""

    def decode(self, batch: Items[BatchToken]) -> None:
        """Compute a batch. Rows stay readable by samplers until the next call.

        Raises:
            NoCellsError: No room; memory is as before.
            DecodeError: It failed; the slots in the batch must be cleared.
        """

    def clear(self, slot: int) -> None:
        """Forget everything that was computed in ``slot``."""

    def sampler(self, params: SamplingParams, prompt: Items[int]) -> Sampler:
        """Return a new sampler for a sequence that starts with ``prompt``."""

    def ends(self, token: int) -> bool:
        """Whether the model means to end its answer with ``token``."""

    def piece(self, token: int) -> bytes:
        """Return the text bytes that ``token`` stands for; control tokens have none."""
