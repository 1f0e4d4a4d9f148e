"""What is added to the logits of some tokens."""

from collections.abc import Iterable

import numpy as np

from llm_ext.engine.constraint import Logits


class Bias:
    """Adds a value to each of some tokens' logits; several for a token add up."""

    def __init__(self, biases: Iterable[tuple[int, float]] = ()) -> None:
        sums: dict[int, float] = {}
        for token, value in biases:
            sums[token] = sums.get(token, 0.0) + value
        self._tokens = np.array(list(sums), dtype=np.intp)
        self._values = np.array(list(sums.values()), dtype=np.float32)

    def add_to(self, logits: Logits) -> None:
        """Change the logits."""
        logits[self._tokens] += self._values
