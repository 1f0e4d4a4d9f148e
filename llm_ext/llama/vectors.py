"""What is done to a vector after the model has computed it. Pure."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from llm_ext.errors import InvalidRequestError

Vector: TypeAlias = NDArray[np.float32]
"""Of shape (components,)."""


def normalised(vector: Vector) -> Vector:
    """Return ``vector`` with a length (its L2 norm) of 1; zero stays zero.

    The rows of a matrix are normalised each on its own.
    """
    # The squares of large components overflow in 32 bits.
    exact = vector.astype(np.float64)
    length = np.linalg.norm(exact, axis=-1, keepdims=True)
    np.divide(exact, length, out=exact, where=length > 0)
    return exact.astype(np.float32)


def check_dimensions(dimensions: int, *, width: int) -> None:
    """Refuse more components than a model's vectors have, or none.

    Raises:
        InvalidRequestError: There are not so many.
    """
    if not 1 <= dimensions <= width:
        raise InvalidRequestError(
            f"'dimensions' is {dimensions}, but this model's vectors have {width} "
            f"components: choose 1 to {width}.",
            param="dimensions",
        )
