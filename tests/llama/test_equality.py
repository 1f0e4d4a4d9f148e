"""A request's greedy answer is the same however it was computed.

llama.cpp rounds differently in batches of other sizes, and where a sequence's cells lie
elsewhere in the cache: sums are taken in another order. So logits are equal within a
bound only, and an answer can differ where two tokens are as likely as each other within
that bound: a trained model that answers what it knows is never that undecided.
"""

from collections.abc import Iterator, Sequence as Items
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from llm_ext.core.sampling import SamplingParams
from llm_ext.engine import memory
from llm_ext.engine.backend import BatchElement, NoCellsError
from llm_ext.engine.constraint import Logits
from llm_ext.engine.engine import Engine
from llm_ext.engine.sequence import Sequence
from llm_ext.llama.backend import LlamaBackend
from llm_ext.llama.context import Context
from llm_ext.llama.model import Model
from tests.models.opened import opened
from tests.stepping import forget

GUIDE = Path(__file__).parents[2] / "llm_ext" / "demo" / "guide.gguf"
BOUND = 0.05
"""Of logits that differ by 10 and more between tokens."""
SYSTEM = "<|im_start|>system\nYou are a helpful assistant in a notebook.<|im_end|>\n"
QUESTIONS = (
    "What is 2+2?",
    "How do you say hello in Spanish?",
    "What is the capital of France?",
    "How do I load a model?",
    "My name is Anna.",
    "How do I sort a DataFrame by price?",
)


class Runtime:
    """A model and its cache."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.context = Context(model, cells=2048, seq_ids=40, threads=1)
        self.backend = LlamaBackend(model, self.context)

    def close(self) -> None:
        self.backend.close()
        self.context.close()

    def prompt(self, question: str) -> list[int]:
        return self.model.vocab.tokenize(
            f"{SYSTEM}<|im_start|>user\n{question}<|im_end|>\n<|im_start|>assistant\n"
        )

    def sequence(self, number: int, question: str) -> Sequence:
        prompt = self.prompt(question)
        return Sequence(
            request_id=number,
            prompt=prompt,
            params=SamplingParams(temperature=0),
            limit=len(prompt) + 40,
        )

    def logits(self, row: int) -> Logits:
        return self.context.logits(row).copy()


@pytest.fixture(scope="module")
def model() -> Iterator[Model]:
    with opened(GUIDE) as loaded:
        yield loaded


@pytest.fixture
def runtime(model: Model) -> Iterator[Runtime]:
    with closing(Runtime(model)) as made:
        yield made


def run(engine: Engine, sequences: list[Sequence]) -> list[list[int]]:
    for sequence in sequences:
        engine.submit(sequence)
    while not engine.idle:
        engine.step()
    return [sequence.answer for sequence in sequences]


@pytest.fixture
def alone(runtime: Runtime) -> list[list[int]]:
    """Each answered by an engine that has seen nothing else."""
    found = []
    for number, question in enumerate(QUESTIONS):
        engine = Engine(runtime.backend, n_slots=1)
        found += run(engine, [runtime.sequence(number, question)])
        forget(engine)
    assert len({tuple(answer) for answer in found}) == len(QUESTIONS)
    return found


def asked(runtime: Runtime) -> list[Sequence]:
    return [runtime.sequence(n, question) for n, question in enumerate(QUESTIONS)]


def test_in_a_batch(runtime: Runtime, alone: list[list[int]]) -> None:
    engine = Engine(runtime.backend, n_slots=len(QUESTIONS))
    assert run(engine, asked(runtime)) == alone


def test_after_a_prefix_was_found(runtime: Runtime, alone: list[list[int]]) -> None:
    """The system prompt from the first, then whole prompts and answers."""
    engine = Engine(runtime.backend, n_slots=2)
    first, again = asked(runtime), asked(runtime)
    assert run(engine, first) == alone
    assert run(engine, again) == alone
    assert all(sequence.cached for sequence in first[2:])
    assert all(sequence.cached == len(sequence.prompt) - 1 for sequence in again)


def test_after_a_swap(
    runtime: Runtime,
    model: Model,
    alone: list[list[int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was kept left the cache for another's sake, and came back."""
    monkeypatch.setattr(memory, "_WORTH_WAITING", 8)  # these prompts are short
    with closing(LlamaBackend(model, runtime.context, swap=10**8)) as backend:
        engine = Engine(backend, n_slots=2)
        first, again = asked(runtime), asked(runtime)
        assert run(engine, first) == alone
        forget(engine)
        assert len(list(engine.scheduler.memory.swapped)) > 4
        assert run(engine, again) == alone
        forget(engine)
    assert again[0].cached == len(again[0].prompt) - 1
    assert all(sequence.cached for sequence in again)


class Crowded(LlamaBackend):
    """Finds no room while more than two sequences run."""

    engine: Engine

    def decode(self, batch: Items[BatchElement], *, spare: int = 0) -> None:
        """See Backend."""
        if self.engine.busy_slots > 2 and self.engine.steps > 5:
            raise NoCellsError
        super().decode(batch, spare=spare)


def test_after_a_requeue(
    runtime: Runtime, model: Model, alone: list[list[int]]
) -> None:
    """All but two are taken back in the middle of their answers, and go on later."""
    with closing(Crowded(model, runtime.context)) as backend:
        engine = backend.engine = Engine(backend, n_slots=6)
        sequences = asked(runtime)
        for sequence in sequences:
            engine.submit(sequence)
        for _ in range(8):
            engine.step()
        assert engine.busy_slots == 2
        assert sum(bool(sequence.answer) for sequence in sequences) > 2
        while not engine.idle:
            engine.step()
        forget(engine)
    assert [sequence.answer for sequence in sequences] == alone


def test_after_a_cancel_in_the_middle(runtime: Runtime, alone: list[list[int]]) -> None:
    """What was computed for the cancelled is gone on with."""
    engine = Engine(runtime.backend, n_slots=2)
    for sequence in asked(runtime):
        engine.submit(sequence)
        for _ in range(7):
            engine.step()
        engine.cancel(sequence.request_id)
    again = asked(runtime)
    assert run(engine, again) == alone
    assert all((sequence.cached or 0) > 10 for sequence in again)


def test_logits_differ_by_rounding_only(runtime: Runtime) -> None:
    """At once, in pieces, beside others, and on copied cells."""
    prompt = runtime.prompt(QUESTIONS[0])
    other = runtime.prompt(QUESTIONS[1])
    backend, last = runtime.backend, len(prompt) - 1

    def decode(tokens: list[int], seq_id: int, start: int = 0) -> list[BatchElement]:
        return [
            BatchElement(token, start + n, seq_id, wants_logits=start + n == last)
            for n, token in enumerate(tokens)
        ]

    backend.decode(decode(prompt, 0))
    whole = runtime.logits(last)
    backend.decode(decode(prompt[:7], 1))
    backend.decode(decode(prompt[7:], 1, 7))
    found = {"in pieces": runtime.logits(last - 7)}
    beside = decode(other, 2)
    backend.decode([*beside, *decode(prompt, 3)])
    found["beside another"] = runtime.logits(len(other) + last)
    backend.copy(3, 4, 0, last)
    backend.decode(decode(prompt[last:], 4, last))
    found["on copied cells"] = runtime.logits(0)

    assert np.ptp(whole) > 10
    for name, logits in found.items():
        assert np.abs(logits - whole).max() < BOUND, name
