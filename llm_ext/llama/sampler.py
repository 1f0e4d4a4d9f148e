"""llama.cpp's sampler chains."""

import math
import secrets
from collections.abc import Callable, Sequence

import msgspec
from llama_cpp import llama_cpp as lib

from llm_ext.core.sampling import SamplerName, SamplingParams
from llm_ext.engine.backend import Drawn
from llm_ext.engine.constraint import Constraint, Logits
from llm_ext.engine.element import Element

from .bias import Bias
from .candidates import Candidates
from .context import Context
from .dry import Dry, DrySamplers
from .logprobs import Logprobs
from .vocab import Vocab

MIROSTAT_CANDIDATES = 100
"""Tokens from which Mirostat 1 estimates; the value in its paper."""

_BANNED = float("-inf")
_INT32 = 2**31 - 1
"""What a longer number is cut to, of which C would take a part."""

_PENALTIES = {"penalties", "dry"}
"""Samplers that can change which token is the likeliest."""

_CUTS: dict[SamplerName, Callable[[SamplingParams], int]] = {
    "top_n_sigma": lambda p: lib.llama_sampler_init_top_n_sigma(p.top_n_sigma),
    "top_k": lambda p: lib.llama_sampler_init_top_k(min(p.top_k, _INT32)),
    "typ_p": lambda p: lib.llama_sampler_init_typical(p.typical_p, p.min_keep),
    "top_p": lambda p: lib.llama_sampler_init_top_p(p.top_p, p.min_keep),
    "min_p": lambda p: lib.llama_sampler_init_min_p(p.min_p, p.min_keep),
    "temperature": lambda p: lib.llama_sampler_init_temp_ext(
        p.temperature, p.dynatemp_range, p.dynatemp_exponent
    ),
}
"""Samplers that need nothing but parameters."""


class ChainSampler:
    """One sequence's chain, in llama-server's order.

    What the constraint allows, bias, the samplers in their order, then the draw from
    its own random numbers. The first two change the logits where llama.cpp has them.
    Where nothing but the likeliest token can be drawn, the chain is not asked: it
    copies all logits first, which takes most of the time of a draw.

    Under a constraint an answer ends where that says so, whatever ``min_tokens`` and
    ``ignore_eos`` want.
    """

    def __init__(
        self,
        context: Context,
        vocab: Vocab,
        dry: DrySamplers,
        params: SamplingParams,
        constraint: Constraint | None = None,
    ) -> None:
        self._context = context
        self._vocab = vocab
        self._dry = dry
        self._constraint = constraint
        after = params.post_sampling_probs
        self._told_before = None if after else params.logprobs
        self._told_after = params.logprobs if after else None
        if constraint is not None:
            params = msgspec.structs.replace(params, min_tokens=0, ignore_eos=False)
        self._likeliest = params.greedy and not (params.penalises or params.dry)
        self._bias = Bias(params.logit_bias)
        self._unending = Bias()
        if params.ignore_eos or params.min_tokens > 0:
            self._unending = Bias((token, _BANNED) for token in vocab.end_tokens)
        self._held_open = math.inf if params.ignore_eos else params.min_tokens
        self._chain = lib.llama_sampler_chain_init(
            lib.llama_sampler_chain_default_params()
        )
        self._window = 0
        self._add_draw(params)

    def accept(self, prompt: Sequence[Element]) -> None:
        """Take the end of ``prompt`` as drawn, as far as the penalties look back."""
        for token in prompt[len(prompt) - min(self._window, len(prompt)) :]:
            if isinstance(token, int):
                lib.llama_sampler_accept(self._chain, token)

    def sample(self, row: int) -> Drawn:
        """See :class:`llm_ext.engine.backend.Sampler`."""
        logits = self._context.logits(row)
        before, after = self._told_before, self._told_after
        told = None if before is None else Logprobs(logits, before)
        if self._constraint is not None:
            self._constraint.mask(logits)
        self._bias.add_to(logits)
        if self._held_open > 0:
            self._held_open -= 1
            self._unending.add_to(logits)
        if after is None:
            token = self._draw(logits, row)
        else:
            candidates = Candidates(logits)
            token = candidates.draw(self._chain)
            told = candidates.logprobs(after)
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
        return int(lib.llama_sampler_sample(self._chain, self._context.pointer, row))

    def close(self) -> None:
        """Free the chain and what was added to it."""
        if self._chain is not None:
            lib.llama_sampler_free(self._chain)
            self._chain = None

    def _add_draw(self, params: SamplingParams) -> None:
        seed = secrets.randbits(32) if params.seed is None else params.seed % 2**32
        if params.greedy:
            for name in params.samplers:
                if name in _PENALTIES:
                    self._add_sampler(name, params, seed)
            # Where what is drawn from is told, it is the likeliest token and no other.
            self._add(lib.llama_sampler_init_temp(0))
            self._add(lib.llama_sampler_init_greedy())
        elif params.mirostat:
            self._add_mirostat(params, seed)
        else:
            for name in params.samplers:
                self._add_sampler(name, params, seed)
            self._add_choice(params, seed)

    def _add_choice(self, params: SamplingParams, seed: int) -> None:
        if "adaptive_p" in params.samplers and params.adaptive_target >= 0:
            sampler = lib.llama_sampler_init_adaptive_p(
                params.adaptive_target, params.adaptive_decay, seed
            )
        else:
            sampler = lib.llama_sampler_init_dist(seed)
        self._add(sampler)

    def _add_mirostat(self, params: SamplingParams, seed: int) -> None:
        self._add_sampler("temperature", params, seed)
        tau, eta = params.mirostat_tau, params.mirostat_eta
        if params.mirostat == 1:
            sampler = lib.llama_sampler_init_mirostat(
                self._vocab.size, seed, tau, eta, MIROSTAT_CANDIDATES
            )
        else:
            sampler = lib.llama_sampler_init_mirostat_v2(seed, tau, eta)
        self._add(sampler)

    def _add_sampler(
        self, name: SamplerName, params: SamplingParams, seed: int
    ) -> None:
        """Add one sampler; adaptive-p is no sampler but a way to draw."""
        if name in _CUTS:
            self._add(_CUTS[name](params))
        elif name == "penalties" and params.penalises:
            self._add_penalties(params)
        elif name == "dry" and params.dry:
            self._add_dry(params)
        elif name == "xtc" and params.xtc_probability > 0:
            chance, threshold = params.xtc_probability, params.xtc_threshold
            self._add(
                lib.llama_sampler_init_xtc(chance, threshold, params.min_keep, seed)
            )

    def _add_penalties(self, params: SamplingParams) -> None:
        # llama.cpp makes room for all that it is to look at, however much that is.
        last = min(params.repeat_last_n, self._context.cells)
        self._window = max(self._window, last)
        self._add(
            lib.llama_sampler_init_penalties(
                self._vocab.size,
                last,
                params.repeat_penalty,
                params.frequency_penalty,
                params.presence_penalty,
            )
        )

    def _add_dry(self, params: SamplingParams) -> None:
        cells, last = self._context.cells, params.dry_penalty_last_n
        last = cells if last < 0 else min(last, cells)
        self._window = max(self._window, last)
        asked = Dry(
            multiplier=params.dry_multiplier,
            base=params.dry_base,
            allowed_length=min(params.dry_allowed_length, cells),
            last=last,
            breakers=params.dry_sequence_breakers,
        )
        self._add(self._dry.new(asked))

    def _add(self, sampler: int) -> None:
        lib.llama_sampler_chain_add(self._chain, sampler)
