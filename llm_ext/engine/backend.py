"""What the engine needs of whatever computes: llama.cpp, or a fake in tests."""

from collections.abc import Sequence as Items
from typing import NamedTuple, Protocol

from llm_ext.core.memory_kind import MemoryKind
from llm_ext.core.sampling import SamplingParams

from .constraint import Constraint
from .element import Element


class BatchElement(NamedTuple):
    """One element of a batch.

    Attributes:
        element: A token's id in the vocabulary, or what stands in its place.
        position: Its place in its sequence, from 0.
        seq_id: The sequence id that the KV cache files it under.
        wants_logits: Whether a token will be drawn after it.
    """

    element: Element
    position: int
    seq_id: int
    wants_logits: bool


class DecodeError(Exception):
    """The batch could not be computed; what its sequences computed is lost."""


class NoCellsError(Exception):
    """The KV cache had no room for the batch; nothing was changed."""


class Drawn(NamedTuple):
    """What a sampler drew.

    Attributes:
        token: The token.
        forced: Tokens that must follow it, under the sequence's constraint.
        done: Whether the constraint is fulfilled, and nothing may follow.
        logprob: The log of the token's probability, where it was asked for.
        top: The likeliest tokens and theirs, as many as were asked for.
    """

    token: int
    forced: Items[int] = ()
    done: bool = False
    logprob: float | None = None
    top: Items[tuple[int, float]] = ()


class Sampler(Protocol):
    """Draws tokens for one sequence, and remembers what it drew."""

    def sample(self, row: int) -> Drawn:
        """Draw after the batch element at index ``row`` of the last decode.

        Raises:
            ConstraintError: The constraint cannot go on.
        """

    def close(self) -> None:
        """Free what it holds. Calling it again does nothing."""


class Backend(Protocol):
    """One loaded model with one KV cache. Used by one thread only."""

    @property
    def memory_kind(self) -> MemoryKind:
        """What the model keeps of what it read."""

    @property
    def n_seq_ids(self) -> int:
        """Sequence ids that the KV cache tells apart."""

    @property
    def n_cells(self) -> int:
        """Elements that the KV cache holds, all sequences together."""

    @property
    def n_swap(self) -> int:
        """Elements that may be swapped out of the cache at once; 0 for none."""

    @property
    def n_batch(self) -> int:
        """Most elements in one decode."""

    def decode(self, batch: Items[BatchElement], *, spare: int = 0) -> None:
        """Compute a batch. Rows stay readable by samplers until the next call.

        Meanwhile it may use up to ``spare`` cells more, which nothing occupies.

        Raises:
            NoCellsError: No room; memory is as before.
            DecodeError: It failed; the sequences in the batch must be cleared.
        """

    def clear(self, seq_id: int, start: int, end: int | None) -> None:
        """Forget the cells from ``start`` up to ``end``; None: all that follow."""

    def copy(self, source: int, target: int, start: int, end: int) -> None:
        """Let ``target`` share what ``source`` holds from ``start`` up to ``end``.

        Only for memories of kind attention.
        """

    def swap_out(self, seq_id: int, key: int) -> None:
        """Copy what ``seq_id`` holds out of the cache, to ``key``."""

    def swap_in(self, key: int, seq_id: int) -> None:
        """Copy it into the cache again, for a ``seq_id`` that holds nothing.

        Raises:
            NoCellsError: No room; memory is as before.
        """

    def drop(self, key: int) -> None:
        """Forget what was swapped out to ``key``."""

    def sampler(
        self,
        params: SamplingParams,
        prompt: Items[Element],
        constraint: Constraint | None = None,
    ) -> Sampler:
        """Return a new sampler for a sequence that starts with ``prompt``."""

    def ends(self, token: int) -> bool:
        """Whether the model means to end its answer with ``token``."""

    def piece(self, token: int, *, special: bool = False) -> bytes:
        """Return the text bytes that ``token`` stands for.

        Control tokens have none, except with ``special``.
        """
