"""llama.cpp's sampler chains."""

import ctypes
import secrets
from collections.abc import Sequence

import msgspec
from llama_cpp import llama_cpp as lib

from llm_ext.core.sampling import LogitBias, SamplingParams
from llm_ext.engine.backend import Drawn
from llm_ext.engine.constraint import Constraint, Logits
from llm_ext.engine.element import Element

from .context import Context
from .logprobs import Logprobs
from .vocab import Vocab

MIROSTAT_CANDIDATES = 100
"""Tokens from which Mirostat 1 estimates; the value in its paper."""

_BANNED = float("-inf")
_MIN_KEEP = 1


class ChainSampler:
    """One sequence's chain, in llama-server's order.

    What the constraint allows, bias, penalties, DRY, top-n-sigma, top-k, typical,
    top-p, min-p, XTC, temperature, then the draw from its own random numbers. Where
    nothing but the likeliest token can be drawn, the chain is not asked.

    Under a constraint an answer ends where that says so, whatever ``min_tokens`` and
    ``ignore_eos`` want.
    """

    def __init__(
        self,
        context: Context,
        vocab: Vocab,
        params: SamplingParams,
        constraint: Constraint | None = None,
    ) -> None:
        self._context = context
        self._vocab = vocab
        self._constraint = constraint
        self._logprobs = params.logprobs
        if constraint is not None:
            params = msgspec.structs.replace(params, min_tokens=0, ignore_eos=False)
        self._likeliest = params.greedy and params.plain
        self._chain = lib.llama_sampler_chain_init(
            lib.llama_sampler_chain_default_params()
        )
        self._held_open = max(0, params.min_tokens)
        self._window = 0
        if self._held_open:  # first in the chain, so that it can be taken out
            self._add_bias(self._no_end())
        self._add_bias(params.logit_bias)
        if params.ignore_eos:
            self._add_bias(self._no_end())
        self._add_penalties(params)
        self._add_draw(params)

    def accept(self, prompt: Sequence[Element]) -> None:
        """Take the end of ``prompt`` as drawn, as far as the penalties look back."""
        for token in prompt[len(prompt) - min(self._window, len(prompt)) :]:
            if isinstance(token, int):
                lib.llama_sampler_accept(self._chain, token)

    def sample(self, row: int) -> Drawn:
        """See :class:`llm_ext.engine.backend.Sampler`."""
        logits = self._context.logits(row)
        told = None if self._logprobs is None else Logprobs(logits, self._logprobs)
        if self._constraint is not None:
            self._constraint.mask(logits)
        token = self._draw(logits, row)
        forced = [] if self._constraint is None else self._constraint.accept(token)
        for following in forced:
            lib.llama_sampler_accept(self._chain, following)
        return Drawn(
            token,
            forced=forced,
            done=self._constraint is not None and self._constraint.done,
            logprob=None if told is None else told.of(token),
            top=() if told is None else told.top,
        )

    def _draw(self, logits: Logits, row: int) -> int:
        if self._likeliest:
            return int(logits.argmax())
        token = int(lib.llama_sampler_sample(self._chain, self._context.pointer, row))
        if self._held_open:
            self._held_open -= 1
            if not self._held_open:
                lib.llama_sampler_free(lib.llama_sampler_chain_remove(self._chain, 0))
        return token

    def close(self) -> None:
        """Free the chain and what was added to it."""
        if self._chain is not None:
            lib.llama_sampler_free(self._chain)
            self._chain = None

    def _no_end(self) -> LogitBias:
        return tuple((token, _BANNED) for token in self._vocab.end_tokens)

    def _add_bias(self, biases: LogitBias) -> None:
        if not biases:
            return
        structs = (lib.llama_logit_bias * len(biases))(*biases)
        self._add(
            lib.llama_sampler_init_logit_bias(self._vocab.size, len(biases), structs)
        )

    def _add_penalties(self, params: SamplingParams) -> None:
        if params.penalises:
            self._window = params.repeat_last_n
            self._add(
                lib.llama_sampler_init_penalties(
                    self._vocab.size,
                    params.repeat_last_n,
                    params.repeat_penalty,
                    params.frequency_penalty,
                    params.presence_penalty,
                )
            )
        if params.dry:
            last = params.dry_penalty_last_n
            last = self._context.cells if last < 0 else last
            self._window = max(self._window, last)
            breakers = [text.encode() for text in params.dry_sequence_breakers]
            self._add(
                lib.llama_sampler_init_dry(
                    self._vocab.pointer,
                    params.dry_multiplier,
                    params.dry_base,
                    params.dry_allowed_length,
                    last,
                    (ctypes.c_char_p * len(breakers))(*breakers),
                    len(breakers),
                )
            )

    def _add_draw(self, params: SamplingParams) -> None:
        seed = secrets.randbits(32) if params.seed is None else params.seed % 2**32
        if params.greedy:
            self._add(lib.llama_sampler_init_greedy())
        elif params.mirostat:
            self._add_mirostat(params, seed)
        else:
            self._add_cuts(params, seed)
            self._add_temperature(params)
            self._add(lib.llama_sampler_init_dist(seed))

    def _add_mirostat(self, params: SamplingParams, seed: int) -> None:
        self._add_temperature(params)
        tau, eta = params.mirostat_tau, params.mirostat_eta
        if params.mirostat == 1:
            sampler = lib.llama_sampler_init_mirostat(
                self._vocab.size, seed, tau, eta, MIROSTAT_CANDIDATES
            )
        else:
            sampler = lib.llama_sampler_init_mirostat_v2(seed, tau, eta)
        self._add(sampler)

    def _add_cuts(self, params: SamplingParams, seed: int) -> None:
        if params.top_n_sigma > 0:
            self._add(lib.llama_sampler_init_top_n_sigma(params.top_n_sigma))
        self._add(lib.llama_sampler_init_top_k(params.top_k))
        if params.typical_p < 1:
            self._add(lib.llama_sampler_init_typical(params.typical_p, _MIN_KEEP))
        self._add(lib.llama_sampler_init_top_p(params.top_p, _MIN_KEEP))
        self._add(lib.llama_sampler_init_min_p(params.min_p, _MIN_KEEP))
        if params.xtc_probability > 0:
            self._add(
                lib.llama_sampler_init_xtc(
                    params.xtc_probability, params.xtc_threshold, _MIN_KEEP, seed
                )
            )

    def _add_temperature(self, params: SamplingParams) -> None:
        self._add(
            lib.llama_sampler_init_temp_ext(
                params.temperature, params.dynatemp_range, params.dynatemp_exponent
            )
        )

    def _add(self, sampler: int) -> None:
        lib.llama_sampler_chain_add(self._chain, sampler)
