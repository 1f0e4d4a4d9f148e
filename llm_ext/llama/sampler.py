"""llama.cpp's sampler chains."""

import secrets
from collections.abc import Sequence

from llama_cpp import llama_cpp as lib

from llm_ext.core.sampling import SamplingParams

from .context import Context

PENALTY_WINDOW = 64
"""Recent tokens that the penalties look at; llama-server's default."""


class ChainSampler:
    """One sequence's chain, in llama-server's order.

    Penalties, top-k, top-p, min-p, temperature, then the draw from the sequence's own
    random numbers.
    """

    def __init__(
        self, context: Context, params: SamplingParams, *, vocabulary: int
    ) -> None:
        self._context = context
        self._chain = lib.llama_sampler_chain_init(
            lib.llama_sampler_chain_default_params()
        )
        if params.penalises:
            self._add(
                lib.llama_sampler_init_penalties(
                    vocabulary,
                    PENALTY_WINDOW,
                    params.repeat_penalty,
                    params.frequency_penalty,
                    params.presence_penalty,
                )
            )
        if params.greedy:
            self._add(lib.llama_sampler_init_greedy())
            return
        seed = secrets.randbits(32) if params.seed is None else params.seed
        self._add(lib.llama_sampler_init_top_k(params.top_k))
        self._add(lib.llama_sampler_init_top_p(params.top_p, 1))
        self._add(lib.llama_sampler_init_min_p(params.min_p, 1))
        self._add(lib.llama_sampler_init_temp(params.temperature))
        self._add(lib.llama_sampler_init_dist(seed % 2**32))

    def accept(self, tokens: Sequence[int]) -> None:
        """Take ``tokens`` as drawn, for the penalties."""
        for token in tokens:
            lib.llama_sampler_accept(self._chain, token)

    def sample(self, row: int) -> int:
        """See :class:`llm_ext.engine.backend.Sampler`."""
        return int(lib.llama_sampler_sample(self._chain, self._context.pointer, row))

    def close(self) -> None:
        """Free the chain and what was added to it."""
        if self._chain is not None:
            lib.llama_sampler_free(self._chain)
            self._chain = None

    def _add(self, sampler: int) -> None:
        lib.llama_sampler_chain_add(self._chain, sampler)
