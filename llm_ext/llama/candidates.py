"""The tokens that a sampler chain chooses from."""

import ctypes

import numpy as np
from llama_cpp import llama_cpp as lib

from llm_ext.engine.constraint import Logits

from .logprobs import Logprobs

_CANDIDATE = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])
"""A ``llama_token_data``."""


class Candidates:
    """All tokens and their logits; a chain changes those, drops some, and draws one.

    What ``llama_sampler_sample`` does, but that what was drawn from can be seen.
    """

    def __init__(self, logits: Logits) -> None:
        self._all = np.zeros(len(logits), _CANDIDATE)
        self._all["id"] = np.arange(len(logits))
        self._all["logit"] = logits
        self._array = lib.llama_token_data_array(
            data=self._all.ctypes.data_as(lib.llama_token_data_p),
            size=len(logits),
            selected=-1,
            sorted=False,
        )

    def draw(self, chain: int) -> int:
        """Return the token that ``chain`` draws, which it takes note of."""
        lib.llama_sampler_apply(chain, ctypes.byref(self._array))
        token = int(self._array.data[self._array.selected].id)
        lib.llama_sampler_accept(chain, token)
        return token

    def logprobs(self, count: int) -> Logprobs:
        """Return how likely those were that were not dropped, once one is drawn."""
        kind = ctypes.c_char * (_CANDIDATE.itemsize * self._array.size)
        there = ctypes.cast(self._array.data, ctypes.POINTER(kind)).contents
        left = np.frombuffer(there, _CANDIDATE)
        left = left[np.isfinite(left["logit"])]
        return Logprobs(left["logit"], count, tokens=left["id"])
