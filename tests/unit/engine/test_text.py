"""Bytes to text, and stop strings."""

import itertools

import pytest
from hypothesis import given, strategies as st

from llm_ext.engine.detokenizer import Detokenizer
from llm_ext.engine.prefill import prompt_chunks
from llm_ext.engine.seq_ids import SeqIds
from llm_ext.engine.stopping import StopStrings


@given(text=st.text(), cuts=st.lists(st.integers(0, 400)))
def test_text_survives_any_split_of_its_bytes(text: str, cuts: list[int]) -> None:
    """A character split across tokens comes out whole."""
    data = text.encode()
    edges = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    detokenizer = Detokenizer()
    parts = [data[start:end] for start, end in itertools.pairwise(edges)]
    out = "".join(detokenizer.feed(part) for part in parts)
    assert out + detokenizer.finish() == text


def test_bytes_that_are_no_text_are_replaced() -> None:
    """Also an incomplete character at the very end."""
    detokenizer = Detokenizer()
    assert detokenizer.feed(b"a\xffb") == "a\ufffdb"
    assert detokenizer.feed(b"\xe2\x82") == ""
    assert detokenizer.finish() == "\ufffd"


@given(
    text=st.text(alphabet="ab", max_size=30),
    stops=st.lists(st.text(alphabet="ab", min_size=1, max_size=4), max_size=3),
    sizes=st.lists(st.integers(1, 5), min_size=1),
)
def test_a_stop_string_is_never_shown_and_nothing_else_is_lost(
    text: str, stops: list[str], sizes: list[int]
) -> None:
    """However the text is split into tokens."""
    checker = StopStrings(stops)
    shown, at, turn = "", 0, 0
    while at < len(text) and not checker.found:
        size = sizes[turn % len(sizes)]
        shown += checker.feed(text[at : at + size])
        at, turn = at + size, turn + 1
    if not checker.found:
        shown += checker.finish()

    assert text.startswith(shown)
    assert not any(stop in shown for stop in stops)
    if checker.found:
        assert any(text[len(shown) :].startswith(stop) for stop in stops)
    else:
        assert shown == text


def test_the_stop_string_that_starts_first_is_the_one_found() -> None:
    """Whatever their order in the request."""
    checker = StopStrings(["cd", "bc", "x"])
    assert checker.feed("ab") == "a"
    assert checker.found is None
    assert checker.feed("cde") == ""
    assert checker.found == "bc"


def test_text_is_held_back_only_while_it_could_still_be_a_stop_string() -> None:
    """Streaming stays live."""
    checker = StopStrings(["\n\nUser:"])
    assert checker.feed("Yes.\n") == "Yes."
    assert checker.feed("\nU") == ""
    assert checker.feed("nless") == "\n\nUnless"


def test_sequence_ids_are_given_back_once() -> None:
    """The lowest free one comes first; what is not there is an error."""
    ids = SeqIds(2)
    assert [ids.claim(), ids.claim()] == [0, 1]
    with pytest.raises(ValueError, match="no sequence id is free"):
        ids.claim()
    ids.release(0)
    assert ids.free == 1
    with pytest.raises(ValueError, match="not taken"):
        ids.release(0)
    with pytest.raises(ValueError, match="at least one"):
        SeqIds(0)


def test_no_budget_gives_no_chunks() -> None:
    """A full cache leaves prompts where they are."""
    assert prompt_chunks([], 10) == []
