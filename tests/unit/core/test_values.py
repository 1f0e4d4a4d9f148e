"""Names, sampling parameters, progress, errors."""

import re
from typing import get_args

import pytest
from hypothesis import given, strategies as st

from llm_ext import errors
from llm_ext.core.events import Failed, LoadStage
from llm_ext.core.model_name import model_id, near_matches
from llm_ext.core.model_status import load_progress
from llm_ext.core.sampling import SamplingOptions, SamplingParams


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Llama-3.2-1B-Instruct-Q4_K_M.gguf", "llama-3-2-1b-instruct-q4-k-m"),
        ("  hello  ", "hello"),
        ("HELLO.GGUF", "hello"),
        ("Modèle été", "modele-ete"),
        ("a//b__c", "a-b-c"),
        ("???", ""),
    ],
)
def test_every_spelling_of_a_file_name_gives_one_id(name: str, expected: str) -> None:
    assert model_id(name) == expected


@given(st.text())
def test_an_id_is_its_own_id(name: str) -> None:
    """So that it can be looked up by itself."""
    assert model_id(model_id(name)) == model_id(name)


def test_a_mistyped_name_has_near_matches() -> None:
    known = ["llama-3-2-1b-instruct-q4-k-m", "qwen3-4b-q4-k-m", "hello"]
    assert near_matches("helo", known) == ["hello"]
    assert near_matches("llama", known) == ["llama-3-2-1b-instruct-q4-k-m"]
    assert near_matches("zzz", known) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("max_tokens", 0),
        ("temperature", -0.1),
        ("top_k", -1),
        ("top_p", 1.1),
        ("min_p", -1),
        ("repeat_penalty", 0),
        ("frequency_penalty", 3),
        ("presence_penalty", -3),
        ("stop", ("",)),
        ("stop", ("x",) * 17),
        ("logit_bias", ((1, 1.0),) * 1025),
        ("dry_sequence_breakers", ("",)),
        ("dry_penalty_last_n", -2),
        ("xtc_threshold", 2),
    ],
)
def test_a_sampling_value_out_of_range_names_its_field(
    field: str, value: object
) -> None:
    with pytest.raises(errors.InvalidRequestError) as caught:
        SamplingOptions(**{field: value})  # type: ignore[arg-type]  # wrong on purpose
    assert caught.value.param == field
    assert field in str(caught.value)


def test_what_a_request_leaves_open_the_model_recommends() -> None:
    """And what neither says is llama-server's default."""
    asked = SamplingOptions(temperature=0, seed=3)
    recommended = SamplingOptions(temperature=0.6, top_k=20)
    assert asked.over(recommended) == SamplingParams(temperature=0, top_k=20, seed=3)
    assert SamplingOptions().over(SamplingOptions()) == SamplingParams()


def test_progress_never_goes_back() -> None:
    """One bar from 0 to 1 over all stages."""
    stages: tuple[LoadStage, ...] = get_args(LoadStage)
    fractions = [
        load_progress(stage, part / 10).fraction
        for stage in stages
        for part in range(11)
    ]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0
    assert fractions[-1] == 1


def all_errors(root: type[errors.LLMError]) -> list[type[errors.LLMError]]:
    return [root, *(e for child in root.__subclasses__() for e in all_errors(child))]


def test_every_error_survives_the_pipe() -> None:
    """Class, message and field come back from code, message and field."""
    for kind in all_errors(errors.LLMError)[1:]:
        built = errors.rebuild(kind.code, "Why.", param="p")
        again = Failed.of(built).error()
        assert isinstance(again, type(built))
        assert (str(again), again.param, again.code) == ("Why.", "p", kind.code)


def test_the_tree_of_errors_is_drawn_as_it_is() -> None:
    """Every class once, below the one that it is a kind of, and by its code."""
    path: list[str] = ["LLMError"]
    drawn: dict[str, tuple[str, str | None]] = {}
    for line in (errors.__doc__ or "").splitlines():
        if found := re.match(r"    ([ │]*)[├└]── (\w+) +(.*)", line):
            depth = len(found[1]) // 4 + 1
            path[depth:] = [found[2]]
            code = None if " " in found[3] else found[3]
            drawn[found[2]] = (path[depth - 1], code)
    kinds = all_errors(errors.LLMError)[1:]
    for kind in kinds:
        parent, code = drawn.pop(kind.__name__)
        assert parent == kind.__bases__[0].__name__
        assert code in (None, kind.code)
    assert not drawn


def test_an_unknown_code_is_still_an_error() -> None:
    assert type(errors.rebuild("nonsense", "Why.")) is errors.LLMError


def test_errors_say_what_to_do() -> None:
    length = errors.ContextLengthError(prompt_tokens=9, context_length=8)
    assert "9 tokens" in str(length)
    assert "Shorten" in str(length)
    assert "'hello'" in str(errors.ModelNotFoundError("helo", near=["hello"]))
    assert "2 requests are" in str(errors.ModelBusyError("m", requests=2))
