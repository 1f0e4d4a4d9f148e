"""Thoughts are told apart from the answer, where the model thinks and it is wanted."""

import pytest

from llm_ext.chat.families.harmony import Harmony
from llm_ext.chat.families.hermes import Hermes
from llm_ext.chat.reader import AnswerReader
from llm_ext.chat.reasoning import ReasoningStyle
from llm_ext.core.events import ReasoningDelta, TextDelta, TokenLogprob
from tests.chat.reading import Read, read

THINK = ReasoningStyle("<think>", "</think>")
GEMMA = ReasoningStyle("<|channel>thought\n", "<channel|>")
ANALYSIS = "<|channel|>analysis<|message|>Well.<|end|><|start|>assistant"
FINAL = "<|channel|>final<|message|>Yes.<|return|>"


@pytest.mark.parametrize(
    ("written", "opened", "reasoning", "content"),
    [
        ("<think>\nWell.\n</think>\n\nYes.", False, "Well.", "Yes."),
        ("Well.\n</think>\n\nYes.", True, "Well.", "Yes."),
        ("<think>Well.</think>Yes.", True, "Well.", "Yes."),
        ("Well.", True, "Well.", ""),
        ("<think></think>Yes.", False, "", "Yes."),
        (" Yes.", False, "", " Yes."),
        ("Use <think> and </think>.", False, "", "Use <think> and </think>."),
        ("<thinking>x", False, "", "<thinking>x"),
        ("<thi", False, "", "<thi"),
        ("<think>a </thin b", False, "a </thin b", ""),
    ],
)
def test_a_thought_is_what_an_answer_begins_with(
    written: str,
    opened: bool,  # noqa: FBT001  # a parameter
    reasoning: str,
    content: str,
) -> None:
    for pieces in ([written], list(written)):
        found = read(Hermes(""), pieces, style=THINK, opened=opened)
        assert found == Read(content, [], "stop", reasoning)


def test_a_call_may_follow_a_thought() -> None:
    written = '<think>Look.</think>\n<tool_call>{"name": "listen"}</tool_call>'
    found = read(Hermes(""), list(written), style=THINK)
    assert found == Read("", [("listen", "{}")], "tool_calls", "Look.")


def test_a_thought_in_a_channel_is_known_by_its_name() -> None:
    written = "<|channel>thought\nWell.\n<channel|>Yes."
    assert read(None, list(written), style=GEMMA) == Read("Yes.", [], "stop", "Well.")


def test_where_it_is_not_wanted_all_is_content() -> None:
    written = "<think>Well.</think>Yes."
    found = read(None, [written], style=THINK, thoughts=False)
    assert found == Read(written, [], "stop")


def test_harmonys_channels() -> None:
    """Thoughts, and the answer; or all in a row where that is wanted."""
    for pieces in ([ANALYSIS + FINAL], list(ANALYSIS + FINAL)):
        assert read(Harmony(""), pieces) == Read("Yes.", [], "stop", "Well.")
    together = read(Harmony(""), [ANALYSIS + FINAL], thoughts=False)
    assert together == Read("Well.Yes.", [], "stop")


def test_tokens_of_thoughts_are_counted() -> None:
    reader = AnswerReader(None, style=THINK)
    for piece in ("<think>", "I", " see", "</think>", "Yes", "."):
        reader.feed(piece)
    assert reader.reasoning_tokens == 2


def test_log_probabilities_are_those_of_the_content() -> None:
    """Not of a thought or a call; also where text was held back."""
    from tests.chat.reading import TOOLS  # noqa: PLC0415  # for this test alone

    reader = AnswerReader(Hermes(""), tools=TOOLS, style=THINK)
    told = []
    text = '<think> Well </think> \n Yes <tool <tool_call> {"name": "listen"}'
    for word in text.split(" "):
        piece = f"{word} "
        token = TokenLogprob(piece.encode(), -1.0)
        for delta in reader.feed(piece, (token,), (0,)):
            assert isinstance(delta, TextDelta) or not hasattr(delta, "logprobs")
            if isinstance(delta, TextDelta):
                told += [(delta.text, logprob.piece) for logprob in delta.logprobs]
            if isinstance(delta, ReasoningDelta):
                assert delta.text == "Well"
    assert [piece for _, piece in told] == [b"Yes ", b"<tool "]
    assert "".join(text for text, _ in told) == "Yes <tool"
