"""In which pieces an answer comes makes no difference."""

import itertools

import pytest
from hypothesis import given, settings, strategies as st

from llm_ext.chat.families.hermes import Hermes
from llm_ext.chat.family import Family
from llm_ext.chat.reasoning import ReasoningStyle
from llm_ext.chat.registry import FAMILIES
from llm_ext.core.messages import ToolCall
from tests.chat.reading import read
from tests.chat.test_families import ANSWERS, BROKEN

THINK = ReasoningStyle("<think>", "</think>")
EXAMPLES = [(family, written) for family, written, *_ in ANSWERS] + BROKEN
HINTS = ("", "[ARGS][CALL_ID]", "```json", "<|tool_call>")
FRAGMENTS = sorted(
    {marker for kind in FAMILIES for marker in kind.markers}
    | {'{"name": "look", "arguments": ', '{"at": "x"}', "}", "[", "]", "{", '"'}
    | {"look", "call:", "to=functions.look", "json", "```json\n", "```", "functools"}
    | {"<function=look>", "<parameter=at>", "</parameter>", "</function>", "; ", ", "}
    | {"<think>", "</think>", "\n", "  ", "text", '<|"|>', '{"at": 1', "(at='x')"}
)
"""Of what calls are made, so that nearly valid ones come often."""


def pieces_of(text: str, cuts: list[int]) -> list[str]:
    """Cut ``text`` at places that are given modulo its length."""
    places = sorted({cut % (len(text) + 1) for cut in cuts} | {0, len(text)})
    return [text[a:b] for a, b in itertools.pairwise(places)]


families = st.builds(
    lambda kind, hint: kind(hint), st.sampled_from(FAMILIES), st.sampled_from(HINTS)
)
cuts = st.lists(st.integers(0, 10_000), max_size=40)
styles = st.sampled_from([None, THINK])


@given(example=st.sampled_from(EXAMPLES), cuts=cuts)
def test_of_a_documented_answer(example: tuple[Family, str], cuts: list[int]) -> None:
    family, written = example
    assert read(family, pieces_of(written, cuts)) == read(family, [written])


@settings(max_examples=400)
@given(
    family=families,
    parts=st.lists(st.sampled_from(FRAGMENTS), max_size=14),
    cuts=cuts,
    style=styles,
    opened=st.booleans(),
    many=st.booleans(),
)
def test_of_anything_that_looks_like_calls(  # noqa: PLR0917  # hypothesis gives them by name
    family: Family,
    parts: list[str],
    cuts: list[int],
    style: ReasoningStyle | None,
    opened: bool,  # noqa: FBT001  # likewise
    many: bool,  # noqa: FBT001  # likewise
) -> None:
    written = "".join(parts)
    whole = read(family, [written], style=style, opened=opened, many=many)
    cut = pieces_of(written, cuts)
    assert read(family, cut, style=style, opened=opened, many=many) == whole


@given(family=families, text=st.text(), cuts=cuts)
def test_text_without_a_call_passes_unchanged(
    family: Family, text: str, cuts: list[int]
) -> None:
    if text.lstrip().startswith("to="):  # harmony's header, which gives it back, too
        text = "x" + text
    assert read(family, pieces_of(text, cuts)) == (text, [], "stop", "")


@given(
    family=families,
    before=st.text(alphabet="ab \n.{"),
    at=st.text(max_size=20),
    cuts=cuts,
)
def test_a_call_after_any_text_is_found(
    family: Family, before: str, at: str, cuts: list[int]
) -> None:
    """A line begins where some families look for calls."""
    import json  # noqa: PLC0415  # for this test alone

    arguments = json.dumps({"at": at})
    call = ToolCall(id="x", name="look", arguments=arguments)
    written = f"{before}.\n{family.write([call])}"
    found = read(family, pieces_of(written, cuts))
    ((name, read_back),) = found.calls
    assert (name, json.loads(read_back)) == ("look", {"at": at})
    assert found.content.rstrip() == f"{before}."


@given(thought=st.text(alphabet="ab\n<think/> "), cuts=cuts)
def test_of_thoughts(thought: str, cuts: list[int]) -> None:
    written = f"<think>{thought}</think>\n\nDone."
    whole = read(Hermes(""), [written], style=THINK)
    assert read(Hermes(""), pieces_of(written, cuts), style=THINK) == whole


@pytest.mark.parametrize("kind", FAMILIES)
def test_nothing_is_swallowed_at_the_limit_of_tokens(kind: type[Family]) -> None:
    """An answer that is cut anywhere within a call is given as content."""
    family = kind("")
    call = ToolCall(id="x", name="look", arguments='{"at": "the sky"}')
    written = family.write([call])
    for end in range(1, len(written)):
        found = read(family, [written[:end]], reason="length")
        assert found.content == written[:end] or found.calls, written[:end]
        assert found.reason == "length"
