"""Which events are told together, and when."""

from hypothesis import given, strategies as st

from llm_ext.core.events import (
    Accepted,
    ChoiceEnded,
    EngineEvent,
    Finished,
    ReasoningDelta,
    TextDelta,
    TokenLogprob,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
)
from llm_ext.worker.bundle import Bundle

NOW = 0.0
INTERVAL = 0.07
END = Finished(reason="stop", usage=Usage(prompt_tokens=1, completion_tokens=1))


def begun(*numbers: int) -> Bundle:
    """Return a bundle of which a first piece of these answers was taken, NOW."""
    bundle = Bundle(INTERVAL)
    bundle.add([(number, TextDelta("first")) for number in numbers])
    bundle.take(NOW)
    return bundle


def test_a_beginning_is_told_at_once() -> None:
    bundle = begun(1)
    bundle.add([(2, TextDelta("first"))])
    assert bundle.is_due(NOW, calm=True)


def test_what_goes_on_waits_for_the_interval() -> None:
    bundle = begun(1)
    bundle.add([(1, TextDelta("a"))])
    assert not bundle.is_due(NOW + INTERVAL / 2, calm=True)
    bundle.add([(1, TextDelta("b"))])
    assert bundle.is_due(NOW + INTERVAL, calm=True)
    assert bundle.take(NOW + INTERVAL) == [(1, TextDelta("ab"))]
    assert bundle.take(NOW + INTERVAL) == []


def test_nothing_waits_for_a_step_that_may_take_long() -> None:
    bundle = begun(1)
    bundle.add([(1, TextDelta("a"))])
    assert bundle.is_due(NOW, calm=False)


def test_an_end_is_told_at_once_with_what_came_before() -> None:
    bundle = begun(1, 2)
    bundle.add([(1, TextDelta("a")), (2, TextDelta("x"))])
    bundle.add([(1, TextDelta("b")), (1, ChoiceEnded(0, "stop")), (1, END)])
    assert bundle.is_due(NOW, calm=True)
    assert bundle.take(NOW) == [
        (1, TextDelta("ab")),
        (1, ChoiceEnded(0, "stop")),
        (1, END),
        (2, TextDelta("x")),
    ]
    bundle.add([(2, TextDelta("y"))])
    assert not bundle.is_due(NOW, calm=True)


def test_only_what_goes_on_is_joined() -> None:
    """Not another answer's, nor another call's, and nothing loses its place."""
    likely = TokenLogprob(b"a", -1.0)
    told: list[EngineEvent] = [
        TextDelta("a", 0, (likely,)),
        TextDelta("b", 0, (likely, likely)),
        TextDelta("c", 1),
        TextDelta("d", 0),
        TextDelta("e", 0, (likely,)),
        ReasoningDelta("e", 0),
        ReasoningDelta("f", 0),
        ReasoningDelta("g", 1),
        ToolCallStarted(0, "id", "name"),
        ToolCallDelta(0, "{"),
        ToolCallDelta(0, "}"),
        ToolCallDelta(1, "{"),
    ]
    bundle = begun(1)
    bundle.add([(1, event) for event in told])
    assert [event for _, event in bundle.take(NOW)] == [
        TextDelta("ab", 0, (likely, likely, likely)),
        TextDelta("c", 1),
        TextDelta("d", 0),
        TextDelta("e", 0, (likely,)),
        ReasoningDelta("ef", 0),
        ReasoningDelta("g", 1),
        ToolCallStarted(0, "id", "name"),
        ToolCallDelta(0, "{}"),
        ToolCallDelta(1, "{"),
    ]


def test_without_an_interval_each_piece_is_told_by_itself() -> None:
    """Also those of one step, such as what a grammar forces."""
    bundle = Bundle(0)
    bundle.add([(1, TextDelta("a"))])
    bundle.take(NOW)
    bundle.add([(1, TextDelta("b")), (1, TextDelta("c"))])
    assert bundle.is_due(NOW, calm=True)
    assert bundle.take(NOW) == [(1, TextDelta("b")), (1, TextDelta("c"))]


@given(
    steps=st.lists(st.sets(st.integers(1, 4)), min_size=1),
    pause=st.floats(0.001, 0.2),
)
def test_nothing_is_lost_or_late(steps: list[set[int]], pause: float) -> None:
    """Whatever streams draw in each of several steps, and however long these take."""
    bundle = Bundle(INTERVAL)
    drawn: dict[int, str] = {}
    read: dict[int, str] = {}
    now = told = NOW
    bundle.add([(number, Accepted(prompt_tokens=1)) for number in range(1, 5)])
    for index, numbers in enumerate(steps):
        now += pause
        bundle.add([(number, TextDelta(chr(97 + index % 26))) for number in numbers])
        for number in numbers:
            drawn[number] = drawn.get(number, "") + chr(97 + index % 26)
        if bundle.is_due(now, calm=True):
            for number, event in bundle.take(now):
                if isinstance(event, TextDelta):
                    read[number] = read.get(number, "") + event.text
            told = now
            assert read == drawn
        assert now - told < INTERVAL
