"""When the parts of a request happened."""

import pytest

from llm_ext.core.events import (
    Accepted,
    Event,
    Finished,
    PromptProgress,
    Ready,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
)
from llm_ext.pool.timing import Timing

END = Finished(reason="stop", usage=Usage(prompt_tokens=1, completion_tokens=1))


def timing(*events: tuple[Event, float]) -> Timing:
    found = Timing(10)
    for event, now in events:
        found.note(event, now)
    return found


def test_what_happens_is_noted_once() -> None:
    """A prompt may be computed in one step, and its first piece is the first."""
    found = timing(
        (Ready(), 11),
        (Accepted(prompt_tokens=3), 12),
        (TextDelta("a"), 14),
        (TextDelta("b"), 15),
        (END, 16),
    )
    assert (found.asked, found.ready, found.accepted) == (10, 11, 12)
    assert (found.started, found.first, found.last) == (14, 14, 15)
    assert found.ended == 16
    long = timing((PromptProgress(1, 3), 13), (TextDelta("a"), 14))
    assert (long.ready, long.started) == (None, 13)


@pytest.mark.parametrize(
    "piece",
    [
        TextDelta("a"),
        ReasoningDelta("a"),
        ToolCallStarted(0, "id", "name"),
        ToolCallDelta(0, "{"),
    ],
)
def test_whatever_is_told_of_an_answer_is_its_first_piece(piece: Event) -> None:
    """A model that thinks first has not been silent."""
    assert timing((piece, 12), (TextDelta("b"), 13)).first == 12


def test_gaps_are_between_pieces_of_one_answer() -> None:
    """Several answers to one request are told in turn."""
    found = timing(
        (TextDelta("a", choice=0), 11),
        (TextDelta("x", choice=1), 12),
        (TextDelta("b", choice=0), 13),
        (TextDelta("y", choice=1), 16),
    )
    assert found.gaps == [2, 4]
    assert found.last == 16
