"""Answers under a constraint: valid, complete, and forced where only one text fits."""

import json
import re
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from llm_ext.core.constraint import (
    AnyJSON,
    Choice,
    Constraint,
    Grammar,
    JSONSchema,
    Regex,
)
from llm_ext.core.events import ChoiceEnded, TextDelta
from llm_ext.core.sampling import SamplingParams
from llm_ext.engine.constraint import ConstraintError
from llm_ext.engine.engine import Engine
from llm_ext.engine.sequence import Sequence
from llm_ext.errors import InvalidRequestError
from llm_ext.llama.backend import LlamaBackend
from llm_ext.llama.constraint import Compiler
from llm_ext.llama.context import Context
from llm_ext.llama.model import Model
from tests.models.opened import opened

PERSON = {
    "type": "object",
    "properties": {
        "first_name": {"type": "string", "maxLength": 5},
        "age": {"type": "integer", "minimum": 0, "maximum": 99},
        "role": {"enum": ["student", "teacher"]},
    },
    "required": ["first_name", "age", "role"],
    "additionalProperties": False,
}


class Runtime:
    """One model with an engine of its own."""

    def __init__(self, model: Model, backend: LlamaBackend) -> None:
        self.compiler = Compiler(model.vocab)
        self.engine = Engine(backend, n_slots=4)
        self.tokenize = model.vocab.tokenize

    def answers(
        self,
        *constraints: Constraint | None,
        most: int = 60,
        **options: Any,  # noqa: ANN401  # any parameter
    ) -> list[tuple[str, str]]:
        """Return text and reason of answers that are computed together."""
        prompt = self.tokenize("Who are you?")
        before = self.engine.steps
        for number, constraint in enumerate(constraints):
            self.engine.submit(
                Sequence(
                    request_id=number,
                    prompt=prompt,
                    params=SamplingParams(**options),
                    limit=len(prompt) + most,
                    constraint=None
                    if constraint is None
                    else self.compiler.compile(constraint),
                )
            )
        text = dict.fromkeys(range(len(constraints)), "")
        reasons = {}
        while not self.engine.idle:
            for number, event in self.engine.step():
                if isinstance(event, TextDelta):
                    text[number] += event.text
                if isinstance(event, ChoiceEnded):
                    reasons[number] = event.reason
        self.steps = self.engine.steps - before
        return [(text[number], reasons[number]) for number in text]


@contextmanager
def running(path: Path) -> Iterator[Runtime]:
    """Run the model in this file."""
    with (
        opened(path) as model,
        closing(Context(model, cells=1024, seq_ids=8, threads=1)) as context,
        closing(LlamaBackend(model, context)) as backend,
    ):
        yield Runtime(model, backend)


@pytest.fixture(scope="module")
def runtime(models: Path) -> Iterator[Runtime]:
    with running(models / "babble.gguf") as runtime:
        yield runtime


@pytest.fixture(scope="module")
def guide() -> Iterator[Runtime]:
    """A model whose vocabulary has a token for ``</tool_call>``."""
    path = Path(__file__).parents[2] / "llm_ext" / "demo" / "guide.gguf"
    with running(path) as runtime:
        yield runtime


def schema(value: object) -> JSONSchema:
    return JSONSchema(schema=json.dumps(value))


@pytest.mark.parametrize("options", [{"temperature": 0}, {"temperature": 2, "seed": 1}])
def test_a_schema_gives_a_valid_object(
    runtime: Runtime, options: dict[str, Any]
) -> None:
    ((text, reason),) = runtime.answers(schema(PERSON), **options)
    found = json.loads(text)
    assert reason == "stop"
    assert set(found) == {"first_name", "age", "role"}
    assert len(found["first_name"]) <= 5
    assert 0 <= found["age"] <= 99
    assert found["role"] in {"student", "teacher"}


def test_forced_text_takes_no_steps(runtime: Runtime) -> None:
    """A hundred characters that can only be so are appended at once."""
    fixed = {f"a_rather_long_key_{n}": {"const": n} for n in range(4)}
    wanted = {
        "type": "object",
        "properties": fixed,
        "required": list(fixed),
        "additionalProperties": False,
    }
    ((text, reason),) = runtime.answers(schema(wanted), temperature=0, most=200)
    assert (json.loads(text), reason) == (
        {key: n for n, key in enumerate(fixed)},
        "stop",
    )
    assert len(text) > 90
    assert runtime.steps <= 4


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        (Choice(options=("a</tool_call>b",)), "a</tool_call>b"),
        (schema({"const": "</tool_call>"}), '"</tool_call>"'),
        (schema({"const": "see <tool_call>"}), '"see <tool_call>"'),
        (Regex(pattern="</tool_call>{2}"), "</tool_call>>"),
    ],
)
def test_forced_text_may_spell_a_token_with_a_meaning(
    guide: Runtime, constraint: Constraint, expected: str
) -> None:
    """It is written as text."""
    assert guide.answers(constraint, temperature=0) == [(expected, "stop")]


def test_a_token_that_may_not_come_is_refused_in_a_line(runtime: Runtime) -> None:
    matcher = runtime.compiler.compile(Choice(options=("yes",)))
    with pytest.raises(ConstraintError, match="grammar") as caught:
        matcher.accept(runtime.tokenize("z")[-1])
    assert "\n" not in str(caught.value)


def test_json_is_written_in_one_line_with_spaces(runtime: Runtime) -> None:
    """As most models write it, and so that the spaces are forced."""
    wanted = {
        "type": "object",
        "properties": {"a": {"const": 1}, "b": {"const": [1, 2]}},
        "required": ["a", "b"],
        "additionalProperties": False,
    }
    ((text, _),) = runtime.answers(schema(wanted), temperature=0)
    assert text == '{"a": 1, "b": [1, 2]}'


def test_json_mode_gives_an_object_or_runs_out(runtime: Runtime) -> None:
    ((text, reason),) = runtime.answers(AnyJSON(), temperature=1, seed=4, most=300)
    assert text.startswith("{")
    if reason == "stop":
        assert isinstance(json.loads(text), dict)


def test_a_regex_matches_the_whole_answer(runtime: Runtime) -> None:
    pattern = r"(\d{3})-([a-f]{2,4})!"
    ((text, reason),) = runtime.answers(Regex(pattern=pattern), temperature=1, seed=2)
    assert re.fullmatch(pattern, text)
    assert reason == "stop"


def test_a_choice_is_one_of_the_options(runtime: Runtime) -> None:
    options = ("yes", "no", 'it "depends" \\ on | that', "ja — nein")
    found = runtime.answers(Choice(options=options), temperature=0)
    assert found[0][0] in options
    wild = {"temperature": 20, "top_k": 0, "top_p": 1, "min_p": 0}
    drawn = {
        runtime.answers(Choice(options=options), **wild, seed=n)[0][0]
        for n in range(20)
    }
    assert len(drawn) > 1
    assert drawn <= set(options)


@pytest.mark.parametrize(
    "grammar",
    [
        Grammar(text='root ::= ("ab" | "cd") [0-9]{2}', syntax="gbnf"),
        Grammar(text='start: ("ab" | "cd") /[0-9][0-9]/', syntax="lark"),
    ],
)
def test_a_grammar_derives_the_answer(runtime: Runtime, grammar: Grammar) -> None:
    ((text, reason),) = runtime.answers(grammar, temperature=0)
    assert re.fullmatch(r"(ab|cd)[0-9]{2}", text)
    assert reason == "stop"


def test_free_and_constrained_answers_are_computed_together(runtime: Runtime) -> None:
    """And each is as if it were alone."""
    constraints = (None, schema(PERSON), Choice(options=("a", "b")), None)
    together = runtime.answers(*constraints, temperature=0)
    alone = [runtime.answers(wanted, temperature=0)[0] for wanted in constraints]
    assert together == alone


def test_a_constraint_ends_what_may_not_end(runtime: Runtime) -> None:
    found = runtime.answers(Choice(options=("a",)), temperature=0, ignore_eos=True)
    assert found == [("a", "stop")]


def test_an_answer_cut_short_says_so(runtime: Runtime) -> None:
    ((text, reason),) = runtime.answers(schema(PERSON), temperature=0, most=5)
    assert reason == "length"
    assert text.startswith('{"f')


@pytest.mark.parametrize(
    ("constraint", "says"),
    [
        (JSONSchema(schema="{"), "JSON schema"),
        (JSONSchema(schema="[]"), "object"),
        (JSONSchema(schema='{"type": "banana"}'), "banana"),
        (schema({"$ref": "#/$defs/nowhere"}), "nowhere"),
        (schema({"type": "string", "pattern": "("}), "JSON schema"),
        (schema({"type": "array", "uniqueItems": True}), "uniqueItems"),
        (Regex(pattern="("), "regular expression"),
        (Grammar(text="root ::= nothing", syntax="gbnf"), "grammar"),
        (Grammar(text="start: (", syntax="lark"), "grammar"),
        (Grammar(text="", syntax="lark"), "grammar"),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_is_computed(
    runtime: Runtime, constraint: Constraint, says: str
) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        runtime.compiler.compile(constraint)
    assert says in str(caught.value)
    assert "cannot be used" in str(caught.value)


def test_copies_go_their_own_ways(runtime: Runtime) -> None:
    matcher = runtime.compiler.compile(Choice(options=("aaaa", "bbbb")))
    other = matcher.copy()
    (a,), (b,) = runtime.tokenize("a"), runtime.tokenize("b")
    matcher.accept(a)
    other.accept(b)
    assert matcher.done
    assert other.done
