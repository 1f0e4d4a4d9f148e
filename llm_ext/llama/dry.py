"""llama.cpp's DRY samplers: what has been repeated is less likely to go on."""

import ctypes
from typing import NamedTuple

from llama_cpp import llama_cpp as lib

from .vocab import Vocab


class Dry(NamedTuple):
    """What one is made of; see :class:`llm_ext.core.sampling.SamplingParams`.

    Attributes:
        last: Tokens that it looks back.
    """

    multiplier: float
    base: float
    allowed_length: int
    last: int
    breakers: tuple[str, ...]


class DrySamplers:
    """Makes DRY samplers for one vocabulary.

    llama.cpp looks for each breaker in all of the vocabulary, which takes so long that
    streams would falter. So the last one is kept, and those that ask for the same, such
    as the answers to one request, get copies of it.
    """

    def __init__(self, vocab: Vocab) -> None:
        self._vocab = vocab
        self._asked: Dry | None = None
        self._kept: int | None = None

    def new(self, asked: Dry) -> int:
        """Return a new sampler, which has accepted nothing and is the caller's."""
        if asked != self._asked:
            self.close()
            self._asked, self._kept = asked, self._made(asked)
        clone: int = lib.llama_sampler_clone(self._kept)
        return clone

    def close(self) -> None:
        """Free the one that is kept."""
        if self._kept is not None:
            lib.llama_sampler_free(self._kept)
            self._asked = self._kept = None

    def _made(self, asked: Dry) -> int:
        breakers = [text.encode() for text in asked.breakers]
        made: int = lib.llama_sampler_init_dry(
            self._vocab.pointer,
            asked.multiplier,
            asked.base,
            asked.allowed_length,
            asked.last,
            (ctypes.c_char_p * len(breakers))(*breakers),
            len(breakers),
        )
        return made
