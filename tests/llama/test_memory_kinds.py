"""Models whose memory is no plain attention cache answer as if they ran alone.

The engine shares one memory among sequences and reads prompts in pieces; the reference
has one sequence, and reads a prompt at once.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from llama_cpp import llama_cpp as lib

from llm_ext.core.context_sizes import BATCH_SIZE
from llm_ext.core.events import Finished
from llm_ext.core.memory_kind import MemoryKind
from llm_ext.core.sampling import SamplingParams
from llm_ext.engine.engine import Engine, Published
from llm_ext.engine.pace import MOST
from llm_ext.engine.sequence import Sequence
from llm_ext.llama.backend import LlamaBackend
from llm_ext.llama.context import Context
from llm_ext.llama.library import Log
from llm_ext.llama.model import Model
from tests.models.kinds import WINDOW, WRITERS, write_window
from tests.reference import ANSWER, Question, Reference

SLOTS = 4
CELLS = 512
IN_PIECES = MOST + 22


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A model, as the engine and as the reference has it."""

    model: Model
    reference: Reference
    questions: list[Question]

    @contextmanager
    def engine(self) -> Iterator[Engine]:
        """Yield an engine with an empty memory."""
        with (
            closing(
                Context(self.model, cells=CELLS, seq_ids=SLOTS, threads=1)
            ) as context,
            serving(self.model, context) as engine,
        ):
            yield engine


@contextmanager
def serving(model: Model, context: Context) -> Iterator[Engine]:
    with closing(LlamaBackend(model, context)) as backend:
        yield Engine(backend, n_slots=SLOTS)


def loaded(path: Path, log: Log) -> closing[Model]:
    return closing(Model(path, gpu_layers=0, log=log, progress=lambda _part: None))


@pytest.fixture(scope="module")
def log() -> Iterator[Log]:
    """Keep llama.cpp quiet."""
    with closing(Log(lambda _text: None)) as log:
        yield log


@pytest.fixture(scope="module", params=WRITERS)
def kind(request: pytest.FixtureRequest) -> MemoryKind:
    chosen: MemoryKind = request.param
    return chosen


@pytest.fixture(scope="module")
def subject(
    kind: MemoryKind, log: Log, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Subject]:
    """A model of this kind; its last question begins like the one before."""
    path = WRITERS[kind](tmp_path_factory.mktemp(kind) / "model.gguf")
    with (
        loaded(path, log) as model,
        closing(Reference(path, cells=CELLS)) as reference,
    ):
        lengths = (2, 9, IN_PIECES, 30, 60)
        questions = [reference.question(length) for length in lengths]
        questions.append(reference.question(80, start=questions[-1].prompt))
        yield Subject(model=model, reference=reference, questions=questions)


def ask(engine: Engine, number: int, question: Question) -> Sequence:
    prompt = question.prompt
    sequence = Sequence(
        request_id=number,
        prompt=prompt,
        params=SamplingParams(temperature=0),
        limit=len(prompt) + ANSWER,
    )
    engine.submit(sequence)
    return sequence


def finish(engine: Engine) -> Published:
    published: Published = []
    while not engine.idle:
        published += engine.step()
        engine.scheduler.check_integrity()
    return published


def answers(engine: Engine, questions: list[Question]) -> list[list[int]]:
    """Return what the engine answers when it is asked all of them at once."""
    sequences = [ask(engine, number, each) for number, each in enumerate(questions)]
    finish(engine)
    return [sequence.answer for sequence in sequences]


def test_a_model_says_what_it_keeps(subject: Subject, kind: MemoryKind) -> None:
    assert subject.model.memory_kind == kind


def test_a_plain_model_keeps_all(models: Path, log: Log) -> None:
    with loaded(models / "babble.gguf", log) as model:
        assert model.memory_kind == "attention"


def test_an_answer_hangs_on_all_that_came_before(subject: Subject) -> None:
    """So that an answer from a memory that lacks something is another one."""
    for question in subject.questions:
        first, *rest = question.prompt
        other = 100 if first != 100 else 101
        assert subject.reference.answer([other, *rest]) != question.answer


def test_each_question_alone(subject: Subject) -> None:
    """Also one that is read in pieces."""
    for question in subject.questions:
        with subject.engine() as engine:
            assert answers(engine, [question]) == [question.answer]


def test_all_questions_together(subject: Subject) -> None:
    """More than there are slots, in both orders, so that batches mix all lengths."""
    for questions in (subject.questions, subject.questions[::-1]):
        with subject.engine() as engine:
            together = answers(engine, questions)
        assert together == [question.answer for question in questions]


def test_one_question_after_another(subject: Subject) -> None:
    """What an ended sequence leaves is not felt by the next one with its id."""
    with subject.engine() as engine:
        for question in [*subject.questions, *subject.questions[::-1]]:
            assert answers(engine, [question]) == [question.answer]


@pytest.mark.parametrize("steps", [1, 12], ids=["in the prompt", "in the answer"])
def test_a_question_that_was_cancelled_and_is_asked_again(
    subject: Subject, steps: int
) -> None:
    """While others run, which it does not disturb."""
    cancelled = subject.questions[2]
    others = [subject.questions[1], subject.questions[4]]
    longer = subject.questions[5]
    with subject.engine() as engine:
        first = ask(engine, 0, cancelled)
        running = [ask(engine, 1 + at, other) for at, other in enumerate(others)]
        for _ in range(steps):
            engine.step()
        assert 0 < first.computed < len(first.prompt) + ANSWER
        assert bool(first.answer) == (steps > 1)
        engine.cancel(0)
        again = [ask(engine, 10, cancelled), ask(engine, 11, longer)]
        finish(engine)
    assert [each.answer for each in running] == [other.answer for other in others]
    assert [each.answer for each in again] == [cancelled.answer, longer.answer]


def test_a_question_that_had_to_wait_in_the_middle(subject: Subject) -> None:
    """When cells run out the newest is taken back, and read again with its answer."""
    length = CELLS // SLOTS - ANSWER // 2
    questions = [subject.reference.question(length) for _ in range(SLOTS)]
    taken_back = False
    with subject.engine() as engine:
        sequences = [ask(engine, number, each) for number, each in enumerate(questions)]
        while not engine.idle:
            engine.step()
            taken_back |= any(each.answer for each in engine.scheduler.waiting)
    assert taken_back
    assert [each.answer for each in sequences] == [each.answer for each in questions]


def test_nothing_is_reused(subject: Subject) -> None:
    """Neither of a question that was asked before, nor of one that runs."""
    base, longer = subject.questions[-2:]
    with subject.engine() as engine:
        answers(engine, [base])
        ask(engine, 1, base)
        ask(engine, 2, longer)
        ends = [event for _, event in finish(engine) if isinstance(event, Finished)]
    assert [end.usage.cached_tokens for end in ends] == [0, 0]


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_window(tmp_path_factory.mktemp("window") / "model.gguf")


@pytest.mark.usefixtures("log")
def test_the_window_is_felt(window: Path, tmp_path: Path) -> None:
    """Or the answers above would prove nothing of it."""
    wide = write_window(tmp_path / "wide.gguf", window=CELLS)
    with (
        closing(Reference(window, cells=CELLS)) as narrow_one,
        closing(Reference(wide, cells=CELLS)) as wide_one,
    ):
        inside = narrow_one.question(WINDOW - 4)
        beyond = narrow_one.question(60)
        assert wide_one.answer(inside.prompt)[:5] == inside.answer[:5]
        assert wide_one.answer(inside.prompt) != inside.answer
        assert wide_one.answer(beyond.prompt) != beyond.answer


def test_a_window_has_cells_for_what_it_covers(window: Path, log: Log) -> None:
    """The layers that see it need few, and take back those of what it has left."""
    length = 300
    in_window = SLOTS * WINDOW + BATCH_SIZE
    assert SLOTS * length > in_window + 256  # llama.cpp rounds up to as many
    with (
        loaded(window, log) as model,
        closing(Reference(window, cells=CELLS)) as reference,
        closing(Context(model, cells=2048, seq_ids=SLOTS, threads=1)) as context,
        serving(model, context) as engine,
    ):
        questions = [reference.question(length) for _ in range(SLOTS)]
        sequences = [ask(engine, number, each) for number, each in enumerate(questions)]
        oldest = 0
        while not engine.idle:
            engine.step()
            for sequence in engine.scheduler.running:
                held = lib.llama_memory_seq_pos_min(context.memory, sequence.held_id)
                oldest = max(oldest, held)
    assert oldest > 0
    assert [each.answer for each in sequences] == [each.answer for each in questions]
