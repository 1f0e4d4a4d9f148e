"""What llama-cpp-python's own class answers: one sequence, in an empty memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import llama_cpp
import numpy as np

from tests.models.tokenizer import SPECIAL

ANSWER = 24
"""Tokens of an answer."""

CLEAR = 0.1
"""Least lead of each token of an answer over the next likeliest. Rounding differs
between batches of different sizes, and moves the tiny models' logits by up to 0.01."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """A prompt, and the tokens that are likeliest to follow."""

    prompt: list[int]
    answer: list[int]


class Reference:
    """A model that llama-cpp-python runs."""

    def __init__(self, path: Path, *, cells: int) -> None:
        self._rng = np.random.default_rng(0)
        self._llama = llama_cpp.Llama(
            str(path),
            n_ctx=cells,
            n_threads=1,
            n_threads_batch=1,
            logits_all=True,
            verbose=False,
        )

    def question(self, length: int, *, start: Sequence[int] = ()) -> Question:
        """Return a random prompt that begins with ``start`` and has a clear answer."""
        while True:
            prompt = [*start, *self._random(length - len(start))]
            answer, lead = self._read(prompt)
            if lead >= CLEAR:
                return Question(prompt=prompt, answer=answer)

    def answer(self, prompt: Sequence[int]) -> list[int]:
        """Return the tokens that are likeliest to follow, clear or not."""
        return self._read(prompt)[0]

    def close(self) -> None:
        """Free the model."""
        self._llama.close()

    def _random(self, length: int) -> list[int]:
        size = self._llama.n_vocab()
        tokens: list[int] = self._rng.integers(len(SPECIAL), size, length).tolist()
        return tokens

    def _read(self, prompt: Sequence[int]) -> tuple[list[int], float]:
        """Return the answer, and its least lead."""
        llama = self._llama
        llama.reset()
        llama.eval(prompt)
        answer: list[int] = []
        leads: list[float] = []
        while True:
            row = llama.scores[llama.n_tokens - 1]
            second, first = np.sort(row)[-2:]
            leads.append(float(first - second))
            answer.append(int(row.argmax()))
            if len(answer) == ANSWER:
                return answer, min(leads)
            llama.eval(answer[-1:])
