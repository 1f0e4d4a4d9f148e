"""Every sampling parameter, on llama.cpp: that it does what it says, and repeats."""

import math
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from llama_cpp import llama_cpp as lib

from llm_ext.core.sampling import SamplingParams
from llm_ext.engine.backend import BatchElement, Drawn
from llm_ext.engine.engine import Engine
from llm_ext.engine.sequence import Sequence
from llm_ext.llama.backend import LlamaBackend
from llm_ext.llama.context import Context
from llm_ext.llama.model import Model
from tests.models.opened import opened
from tests.stepping import forget

PROMPT = [100, 101, 102]


@dataclass(frozen=True)
class Runtime:
    """A loaded model."""

    model: Model
    backend: LlamaBackend

    def draw(self, prompt: list[int], **options: Any) -> int:  # noqa: ANN401  # any of them
        """Return the first token after ``prompt``."""
        return self.sample(prompt, **options).token

    def sample(self, prompt: list[int], **options: Any) -> Drawn:  # noqa: ANN401  # the same
        """Draw it, and return what is known of it."""
        last = len(prompt) - 1
        batch = [
            BatchElement(token, index, 0, wants_logits=index == last)
            for index, token in enumerate(prompt)
        ]
        self.backend.decode(batch)
        self.backend.clear(0, 0, None)  # the logits stay until the next decode
        with closing(
            self.backend.sampler(SamplingParams(**options), prompt)
        ) as sampler:
            return sampler.sample(last)

    def generate(self, prompt: list[int], *, most: int, **options: Any) -> list[int]:  # noqa: ANN401  # the same
        """Return the tokens that follow ``prompt``, at most ``most``."""
        engine = Engine(self.backend, n_slots=1)
        params = SamplingParams(**options)
        limit = len(prompt) + most
        sequence = Sequence(request_id=1, prompt=prompt, params=params, limit=limit)
        engine.submit(sequence)
        while not engine.idle:
            engine.step()
        forget(engine)
        return sequence.answer


def load(path: Path) -> Iterator[Runtime]:
    with (
        opened(path) as model,
        closing(Context(model, cells=512, seq_ids=2, threads=1)) as context,
        closing(LlamaBackend(model, context)) as backend,
    ):
        yield Runtime(model, backend)


@pytest.fixture(scope="module")
def babble(models: Path) -> Iterator[Runtime]:
    """Random weights."""
    yield from load(models / "babble.gguf")


@pytest.fixture(scope="module")
def hello(models: Path) -> Iterator[Runtime]:
    """A model that recites one sentence and ends."""
    yield from load(models / "hello.gguf")


def test_greedy_is_what_every_cut_to_one_token_is(babble: Runtime) -> None:
    greedy = babble.draw(PROMPT, temperature=0)
    for cut in ({"top_k": 1}, {"top_p": 0.0}, {"min_p": 1.0}, {"top_n_sigma": 1e-4}):
        assert babble.draw(PROMPT, temperature=5, **cut) == greedy, cut


def test_a_bias_bans_a_token_or_forces_it(babble: Runtime) -> None:
    greedy = babble.draw(PROMPT, temperature=0)
    banned = ((greedy, float("-inf")),)
    assert babble.draw(PROMPT, temperature=0, logit_bias=banned) != greedy
    assert babble.draw(PROMPT, temperature=2, logit_bias=((77, 1000.0),)) == 77


@pytest.mark.parametrize("temperature", [0, 1])
def test_biases_of_one_token_add_up(babble: Runtime, temperature: float) -> None:
    pushed = ((77, 1000.0), (78, 600.0), (78, 600.0))
    assert babble.draw(PROMPT, temperature=temperature, logit_bias=pushed) == 78


def test_a_bias_changes_no_log_probability(babble: Runtime) -> None:
    """They are the model's own."""
    plain = babble.sample(PROMPT, temperature=0, logprobs=3)
    greedy = plain.top[0][0]
    biased = babble.sample(
        PROMPT, temperature=0, logprobs=3, logit_bias=((greedy, float("-inf")),)
    )
    assert biased.top == plain.top
    assert biased.token != greedy


def test_the_probabilities_after_sampling_are_those_of_the_draw(
    babble: Runtime,
) -> None:
    """Of what was not dropped; the draw itself is the same, told or not."""
    options = {"top_k": 3, "temperature": 0.5, "top_p": 1.0, "min_p": 0.0, "seed": 3}
    own = babble.sample(PROMPT, logprobs=3, **options)
    drawn = babble.sample(PROMPT, logprobs=5, post_sampling_probs=True, **options)
    assert drawn.token == own.token == babble.draw(PROMPT, **options)
    assert [token for token, _ in drawn.top] == [token for token, _ in own.top]
    weights = [math.exp(value / 0.5) for _, value in own.top]
    expected = [math.log(weight / sum(weights)) for weight in weights]
    assert [value for _, value in drawn.top] == pytest.approx(expected, abs=1e-4)
    assert drawn.logprob == dict(drawn.top)[drawn.token]


@pytest.mark.parametrize("options", [{"temperature": 0}, {"top_k": 1}])
@pytest.mark.parametrize("penalty", [1.0, 1.5])
def test_what_can_only_be_drawn_is_certain(
    babble: Runtime, options: dict[str, Any], penalty: float
) -> None:
    """Nothing else is told beside it."""
    options = {**options, "repeat_penalty": penalty, "logprobs": 4}
    drawn = babble.sample(PROMPT, post_sampling_probs=True, **options)
    assert drawn.token == babble.draw(PROMPT, **options)
    assert drawn.top == [(drawn.token, 0.0)]


def test_what_is_banned_is_not_told_after_sampling(babble: Runtime) -> None:
    """It cannot be drawn."""
    options: dict[str, Any] = {"logprobs": 1, "post_sampling_probs": True, "top_k": 0}
    likeliest = babble.sample(PROMPT, **options).top[0][0]
    bias = ((likeliest, float("-inf")),)
    drawn = babble.sample(PROMPT, logit_bias=bias, **{**options, "logprobs": 20})
    assert likeliest not in dict(drawn.top)


@pytest.mark.parametrize(
    "options",
    [
        {"mirostat": 1},
        {"mirostat": 2},
        {"samplers": ("adaptive_p",), "adaptive_target": 0.1},
    ],
)
def test_other_draws_tell_their_probabilities_too(
    babble: Runtime, options: dict[str, Any]
) -> None:
    """And draw what they draw without."""
    told = babble.sample(
        PROMPT, seed=5, logprobs=20, post_sampling_probs=True, **options
    )
    assert told.token == babble.draw(PROMPT, seed=5, **options)
    assert sum(math.exp(value) for _, value in told.top) <= 1 + 1e-6
    assert told.logprob is not None
    assert told.logprob <= 0


def test_penalties_see_the_prompt(babble: Runtime) -> None:
    greedy = babble.draw(PROMPT, temperature=0)
    prompt = [greedy, *PROMPT]
    likeliest = babble.draw(prompt, temperature=0)
    again = [likeliest, *prompt]
    repeated = babble.draw(again, temperature=0)
    strong = {"temperature": 0, "presence_penalty": 2.0, "repeat_penalty": 100.0}
    assert repeated in again or babble.draw(again, **strong) == repeated
    answer = babble.generate(PROMPT, most=60, repeat_last_n=512, **strong)
    assert len(set(answer)) == len(answer)


def test_samplers_that_are_not_named_are_left_out(babble: Runtime) -> None:
    greedy = babble.draw(PROMPT, temperature=0)
    wild = {"temperature": 50.0, "top_k": 1, "top_p": 1.0, "min_p": 0.0}
    assert babble.draw(PROMPT, **wild, seed=1) == greedy
    without = ("top_p", "temperature")
    drawn = {babble.draw(PROMPT, **wild, seed=n, samplers=without) for n in range(20)}
    assert len(drawn) > 5
    banned = {"temperature": 0, "presence_penalty": 2.0, "repeat_penalty": 100.0}
    told = [greedy, *PROMPT]
    again = babble.draw(told, temperature=0)
    assert babble.draw([again, *told], **banned, samplers=("top_k",)) == babble.draw(
        [again, *told], temperature=0
    )


def test_samplers_are_applied_in_their_order(babble: Runtime) -> None:
    """A cut before a high temperature keeps the likely; after it, hardly anything."""
    options = {"temperature": 100.0, "min_p": 0.5}
    first = {
        babble.draw(PROMPT, **options, seed=n, samplers=("min_p", "temperature"))
        for n in range(30)
    }
    last = {
        babble.draw(PROMPT, **options, seed=n, samplers=("temperature", "min_p"))
        for n in range(30)
    }
    assert len(first) < len(last)


def test_adaptive_p_draws_near_its_target(babble: Runtime) -> None:
    """A high one takes what is likely, a low one what is not."""
    options = {"temperature": 1.0, "samplers": ("temperature", "adaptive_p")}
    draws = [
        [
            babble.draw(PROMPT, **options, seed=n, adaptive_target=target)
            for n in range(30)
        ]
        for target in (0.9, 0.01)
    ]
    greedy = babble.draw(PROMPT, temperature=0)
    high, low = (drawn.count(greedy) for drawn in draws)
    assert high > low


def test_a_short_window_forgets(babble: Runtime) -> None:
    """Outside of it, tokens may come again."""
    strong = {"temperature": 0, "repeat_penalty": 100.0, "repeat_last_n": 2}
    answer = babble.generate(PROMPT, most=100, **strong)
    assert len(set(answer)) < len(answer)
    assert all(a not in answer[max(0, i - 2) : i] for i, a in enumerate(answer))


def test_dry_breaks_a_repetition(hello: Runtime) -> None:
    """The recited sentence, begun again, is not gone on with."""
    line = hello.model.vocab.tokenize("\nHello! I am the tiny model that")
    twice = [*line, *line[:5]]
    assert hello.draw(twice, temperature=0) == line[5]
    options = {"temperature": 0, "dry_multiplier": 100.0, "dry_sequence_breakers": ()}
    assert hello.draw(twice, **options) != line[5]


def test_the_answers_to_a_request_look_for_the_breakers_once(
    hello: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That goes through the whole vocabulary for each; a copy breaks off as well."""
    made: list[int] = []
    make = lib.llama_sampler_init_dry

    def counted(*args: Any) -> int:  # noqa: ANN401  # as llama.cpp's
        made.append(make(*args))
        return made[-1]

    monkeypatch.setattr(lib, "llama_sampler_init_dry", counted)
    line = hello.model.vocab.tokenize("\nHello! I am the tiny model that")
    twice = [*line, *line[:5]]
    options = {"temperature": 0, "dry_multiplier": 99.0}
    free = {**options, "dry_sequence_breakers": ()}
    broken = {**options, "dry_sequence_breakers": ("!", " am", " the", "tiny")}
    for _ in range(3):
        assert hello.draw(twice, **free) != line[5]
    assert len(made) == 1
    for _ in range(3):
        assert hello.draw(twice, **broken) == line[5]
    assert len(made) == 2


def test_the_model_ends_unless_it_may_not(hello: Runtime) -> None:
    prompt = hello.model.vocab.tokenize("\n")
    whole = hello.generate(prompt, most=100, temperature=0)
    assert len(whole) < 60
    held = hello.generate(prompt, most=100, temperature=0, min_tokens=len(whole) + 5)
    assert len(whole) + 5 <= len(held) <= 100
    endless = hello.generate(prompt, most=100, temperature=0, ignore_eos=True)
    assert len(endless) == 100
    assert held[: len(whole)] == endless[: len(whole)] == whole


@pytest.mark.parametrize(
    "options",
    [
        {"typical_p": 0.5},
        {"top_n_sigma": 1.0},
        {"xtc_probability": 0.5, "xtc_threshold": 0.05},
        {"dynatemp_range": 1.0, "dynatemp_exponent": 2.0},
        {"mirostat": 1},
        {"mirostat": 2, "mirostat_tau": 2.0, "mirostat_eta": 0.5},
        {"dry_multiplier": 0.8},
        {"frequency_penalty": 1.0},
    ],
    ids=lambda options: next(iter(options)),
)
def test_a_seed_repeats_a_draw_and_another_does_not(
    babble: Runtime, options: dict[str, Any]
) -> None:
    """Whatever else is asked for."""
    wide = {"top_k": 0, "top_p": 1.0, "min_p": 0.0, "temperature": 1.5, **options}
    texts = [
        tuple(babble.generate(PROMPT, most=20, seed=seed, **wide)) for seed in (1, 1, 2)
    ]
    assert texts[0] == texts[1] != texts[2]


def test_xtc_drops_the_likeliest(babble: Runtime) -> None:
    greedy = babble.draw(PROMPT, temperature=0)
    options = {"xtc_probability": 1.0, "xtc_threshold": 0.0, "top_k": 5}
    drawn = {babble.draw(PROMPT, seed=seed, **options) for seed in range(10)}
    assert greedy not in drawn
