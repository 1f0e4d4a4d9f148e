"""What an answer's tokens must be."""

from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Logits: TypeAlias = "NDArray[np.float32]"
"""One number for each token of the vocabulary."""


class ConstraintError(Exception):
    """The constraint met something that it cannot go on from."""


class Constraint(Protocol):
    """One answer's way through a grammar."""

    @property
    def done(self) -> bool:
        """Whether the answer is complete, and nothing more may follow."""

    def mask(self, logits: Logits) -> None:
        """Set the logits of all tokens that may not come next to minus infinity.

        Raises:
            ConstraintError: It cannot tell.
        """

    def accept(self, token: int) -> list[int]:
        """Go on with ``token``; return the tokens that must follow, also gone on with.

        Raises:
            ConstraintError: It may not come here.
        """
