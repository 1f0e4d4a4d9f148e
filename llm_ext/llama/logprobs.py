"""How likely tokens are: to the model itself, or after all samplers."""

import math

import numpy as np
from numpy.typing import NDArray

from llm_ext.engine.constraint import Logits


class Logprobs:
    """The logarithms of a distribution's probabilities: ``log(softmax(logits))``.

    Args:
        logits: Of each token.
        count: How many of the likeliest are to be told.
        tokens: Their ids; None where they are the whole vocabulary.

    Attributes:
        top: The ``count`` likeliest tokens and theirs, the likeliest first.
    """

    def __init__(
        self, logits: Logits, count: int, tokens: "NDArray[np.int32] | None" = None
    ) -> None:
        self._logits = logits.copy()
        self._tokens = tokens
        highest = float(logits.max())
        exponentials = np.exp(logits - highest, dtype=np.float64)
        self._log_sum = highest + math.log(exponentials.sum())
        count = min(count, len(logits))
        likely = np.argpartition(logits, -count)[-count:] if count else np.empty(0, int)
        best = sorted(likely.tolist(), key=lambda place: (-logits[place], place))
        self.top = [(self._token(place), self._at(place)) for place in best]

    def of(self, token: int) -> float:
        """Return the log of a token's probability; the token must be among them."""
        if self._tokens is None:
            return self._at(token)
        return self._at(int(np.flatnonzero(self._tokens == token)[0]))

    def _at(self, place: int) -> float:
        return float(self._logits[place]) - self._log_sum

    def _token(self, place: int) -> int:
        return place if self._tokens is None else int(self._tokens[place])
