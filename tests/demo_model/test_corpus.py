"""The demo model's corpus: seeded, well-formed, and apart from the evaluation."""

import ast
import itertools
import json
import keyword
import re

import pytest

from llm_ext.chat.template import ChatTemplate
from tools.demo_model.corpus import cases, examples, first_lessons, values
from tools.demo_model.corpus.phrasing import source
from tools.demo_model.example import Chat, Example, Fill
from tools.demo_model.template import CHAT_TEMPLATE, pieces, prompt

MANY = 20_000


@pytest.fixture(scope="module")
def sample() -> list[Example]:
    return list(itertools.islice(examples(7), MANY))


def test_one_seed_gives_one_corpus() -> None:
    """So that a build can be repeated."""
    first, second, other = (
        list(itertools.islice(examples(seed), 50)) for seed in (1, 1, 2)
    )
    assert first == second != other


def test_no_case_is_in_the_corpus(sample: list[Example]) -> None:
    """Else the evaluation would measure memory."""
    read = {
        turn.content
        for example in sample
        if isinstance(example, Chat)
        for turn in example.turns
        if turn.role == "user"
    }
    asked = [
        [turn.content for turn in case.prompt.turns if turn.role == "user"][-1]
        for case in cases()
        if isinstance(case.prompt, Chat)
    ]
    assert asked
    assert not read & set(asked)


def test_no_gap_of_the_cases_is_in_the_corpus(sample: list[Example]) -> None:
    read = {(e.prefix, e.suffix) for e in sample if isinstance(e, Fill)}
    asked = {
        (case.prompt.prefix, case.prompt.suffix)
        for case in cases()
        if isinstance(case.prompt, Fill)
    }
    assert asked
    assert not read & asked


def test_no_value_to_copy_is_one_of_the_cases() -> None:
    """Neither a real word nor an invented one."""
    assert not set(values.NOUNS) & values.HELD_OUT
    rng = source(3)
    made = {
        word.casefold()
        for make in (values.word, values.proper, values.identifier)
        for _ in range(MANY)
        for word in [make(rng)]
    }
    assert len(made) > MANY
    assert not made & values.HELD_OUT
    names = [values.identifier(rng) for _ in range(MANY)]
    assert all(name.isidentifier() and not keyword.iskeyword(name) for name in names)


def test_the_first_lessons_are_words_to_repeat() -> None:
    """What is answered was said, and nothing needs to be known."""
    for example in itertools.islice(first_lessons(1), 500):
        asked, answered = (turn.content for turn in example.turns)
        assert asked.endswith(answered)


def test_every_chat_is_well_formed(sample: list[Example]) -> None:
    """Turns alternate as a chat's do, and the assistant has the last word."""
    for example in sample:
        if isinstance(example, Fill):
            continue
        roles = "".join(turn.role[0] for turn in example.turns)
        assert re.fullmatch(r"s?(u(at)?a)+", roles), example
        assert all(turn.content.strip() for turn in example.turns)


def test_every_tool_call_names_a_tool_that_was_offered(sample: list[Example]) -> None:
    calls = 0
    for example in sample:
        if isinstance(example, Fill):
            continue
        offered = {tool.get("function", tool)["name"] for tool in example.tools}
        for turn in example.turns:
            if "<tool_call>" in turn.content:
                body = turn.content.split("<tool_call>\n")[1].split("\n</tool_call>")[0]
                assert json.loads(body)["name"] in offered
                calls += 1
    assert calls > MANY / 100


def test_every_snippet_compiles(sample: list[Example]) -> None:
    found = 0
    for example in sample:
        if isinstance(example, Fill):
            continue
        for turn in example.turns:
            for code in re.findall(r"```python\n(.*?)```", turn.content, re.DOTALL):
                ast.parse(code)
                found += 1
    assert found > MANY / 100


def test_what_it_learns_is_what_the_shipped_template_writes(
    sample: list[Example],
) -> None:
    """The template in the file, in the project's sandbox, gives the training text."""
    template = ChatTemplate(CHAT_TEMPLATE, bos="", eos="")
    for example in sample[:500]:
        if isinstance(example, Fill) or example.tools:
            continue
        messages = [
            {"role": turn.role, "content": turn.content} for turn in example.turns[:-1]
        ]
        cut = Chat(turns=example.turns[:-1])
        rendered = template.render(messages, {"add_generation_prompt": True})
        assert rendered == prompt(cut)
        whole = "".join(piece.text for piece in pieces(example))
        assert whole.startswith(prompt(cut))
