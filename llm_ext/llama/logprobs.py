"""The model's own probabilities of tokens."""

import math

import numpy as np

from llm_ext.engine.constraint import Logits


class Logprobs:
    """The logarithms of a distribution's probabilities: ``log(softmax(logits))``.

    Attributes:
        top: The ``count`` likeliest tokens and theirs, the likeliest first.
    """

    def __init__(self, logits: Logits, count: int) -> None:
        self._logits = logits.copy()
        highest = float(logits.max())
        exponentials = np.exp(logits - highest, dtype=np.float64)
        self._log_sum = highest + math.log(exponentials.sum())
        count = min(count, len(logits))
        likely = np.argpartition(logits, -count)[-count:] if count else np.empty(0, int)
        best = sorted(likely.tolist(), key=lambda token: (-logits[token], token))
        self.top = [(token, self.of(token)) for token in best]

    def of(self, token: int) -> float:
        """Return the log of a token's probability."""
        return float(self._logits[token]) - self._log_sum
