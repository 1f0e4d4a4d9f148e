"""One question to its answer, over several requests."""

import json
from typing import Any

import pytest

from kernel_magics.errors import RefusedError, SchemaError
from kernel_magics.exchange import MAX_ROUNDS, Exchange, Question
from kernel_magics.functions import Toolbox
from kernel_magics.pieces import (
    ChatReader,
    End,
    Piece,
    Reasoning,
    Status,
    Text,
    ToolCall,
    ToolResult,
)
from kernel_magics.schema import schema_of
from kernel_magics.stream import ServerEvent


def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


CALL = ToolCall(id="c1", name="add", arguments='{"a": 1, "b": 2}')


def exchange(**options: Any) -> Exchange:  # noqa: ANN401  # Question's fields
    question = Question(
        model="m",
        messages=({"role": "user", "content": "1 + 2?"},),
        **{"toolbox": Toolbox([add]), **options},
    )
    return Exchange(question)


def feed(one: Exchange, *pieces: Piece) -> list[ToolResult]:
    for piece in pieces:
        one.take(piece)
    return list(one.settle())


def test_a_call_is_made_and_its_result_goes_back() -> None:
    """The second request has the first's call and the result; text is the last's."""
    one = exchange()
    (result,) = feed(one, Text(text="Let me see"), CALL, End(reason="tool_calls"))
    still_open = one.open

    assert still_open
    assert result == ToolResult(call=CALL, content="3")
    assistant, tool = one.messages[1:]
    assert assistant["tool_calls"][0]["function"]["name"] == "add"
    assert assistant["content"] == "Let me see"
    assert tool == {"role": "tool", "tool_call_id": "c1", "content": "3"}
    assert feed(one, Text(text="3"), End(reason="stop", completion_tokens=1)) == []
    assert not one.open
    answer = one.answer()
    assert (answer.text, answer.calls) == ("3", (result,))


def test_a_call_without_consent_is_not_made() -> None:
    """The model is told so."""
    called: list[int] = []

    def spy() -> None:
        called.append(1)

    question = Question(model="m", messages=(), toolbox=Toolbox([spy]))
    one = Exchange(question, consent=lambda _call: "Not today.")
    (result,) = feed(
        one, ToolCall(id="1", name="spy", arguments="{}"), End(reason="tool_calls")
    )

    assert result.refused
    assert result.content == "Not today."
    assert not called


def test_nobody_is_asked_about_a_function_that_is_not_there() -> None:
    """The model is told which there are."""
    asked: list[ToolCall] = []

    def consent(call: ToolCall) -> str:
        asked.append(call)
        return ""

    question = Question(model="m", messages=(), toolbox=Toolbox([add]))
    one = Exchange(question, consent=consent)
    made = ToolCall(id="1", name="rm", arguments="{}")
    (result,) = feed(one, made, End(reason="tool_calls"))

    assert "there are add" in result.content
    assert not asked


def test_a_model_that_calls_for_ever_has_to_answer() -> None:
    """In the last round there is no tool to call."""
    one = exchange()
    rounds = 0
    while "tools" in one.options:
        feed(one, CALL, End(reason="tool_calls"))
        rounds += 1
    assert rounds == MAX_ROUNDS - 1


def test_tokens_of_all_requests_are_counted() -> None:
    """Usage is the sum; the rate is of what came after the first text."""
    one = exchange()
    end = End(reason="tool_calls", prompt_tokens=10, completion_tokens=5)
    feed(one, CALL, end)
    feed(one, Text(text="3"), End(reason="stop", prompt_tokens=20, completion_tokens=1))

    usage = one.answer().usage
    assert (usage.prompt_tokens, usage.completion_tokens) == (30, 6)
    assert usage.total_tokens == 36


def test_times_are_measured_from_the_question() -> None:
    """To the first text, and to the end."""
    now = 100.0
    one = Exchange(Question(model="m", messages=()), clock=lambda: now)
    now += 2
    one.take(Reasoning(text="hm"))
    one.take(Text(text="a"))
    now += 4
    one.take(Text(text="b"))
    one.take(End(reason="stop", completion_tokens=9))

    timings = one.answer().timings
    assert (timings.first, timings.total, timings.tokens_per_second) == (2, 6, 2)
    assert one.answer().reasoning == "hm"


def test_an_answer_of_a_schema_is_its_object() -> None:
    """One that was cut is an error; one that was stopped is its text so far."""
    one = exchange(schema=schema_of(list[int]), toolbox=None)
    assert "response_format" in one.options
    feed(one, Text(text="[1, 2"), End(reason="length"))

    with pytest.raises(SchemaError, match="max_tokens"):
        one.answer()
    stopped = one.answer(stopped=True)
    assert (stopped.value, stopped.finish_reason) == ("[1, 2", "stopped")
    one.take(Text(text="]"))
    assert one.answer().value == [1, 2]


def event(data: object, name: str = "message") -> ServerEvent:
    text = data if isinstance(data, str) else json.dumps(data)
    return ServerEvent(name=name, data=text)


def chunk(**delta: Any) -> ServerEvent:  # noqa: ANN401  # any JSON
    choice = {"index": 0, "delta": delta, "finish_reason": None}
    return event({"model": "m", "choices": [choice]})


def test_chunks_become_pieces() -> None:
    """Calls come in parts and are told once they are whole; the end has the figures."""
    reader = ChatReader()
    part: dict[str, Any] = {"index": 0, "id": "1", "function": {"name": "f"}}
    events = [
        event({"status": "loading", "stage": "reading", "fraction": 0.5}, "status"),
        event({"status": "loading", "stage": "waiting", "fraction": 0}, "status"),
        event({"status": "ready"}, "status"),
        event({"status": "queued", "position": 2}, "status"),
        event({"status": "prompt", "done": 1, "total": 4}, "status"),
        chunk(role="assistant", content=None),
        chunk(reasoning_content="hm"),
        chunk(content="Hi"),
        chunk(tool_calls=[part]),
        chunk(tool_calls=[{"index": 0, "function": {"arguments": '{"a"'}}]),
        chunk(tool_calls=[{"index": 0, "function": {"arguments": ": 1}"}}]),
        event({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]}),
        event(
            {
                "choices": [],
                "usage": {
                    "prompt_tokens": 4,
                    "completion_tokens": 5,
                    "prompt_tokens_details": {"cached_tokens": 3},
                },
                "timings": {"predicted_per_second": 7.0},
            }
        ),
        event("[DONE]"),
    ]
    pieces = [piece for one in events for piece in reader.take(one)]

    assert pieces == [
        Status(text="loading (reading)", fraction=0.5),
        Status(text="waiting for memory"),
        Status(text="loaded", fraction=1.0),
        Status(text="queued behind 2"),
        Status(text="reading the prompt", fraction=0.25),
        Reasoning(text="hm"),
        Text(text="Hi"),
        ToolCall(id="1", name="f", arguments='{"a": 1}'),
        End(
            reason="tool_calls",
            model="m",
            prompt_tokens=4,
            completion_tokens=5,
            cached_tokens=3,
            timings={"predicted_per_second": 7.0},
        ),
    ]


@pytest.mark.parametrize("name", ["message", "error"])
def test_an_error_after_the_stream_opened_is_raised(name: str) -> None:
    """In either of the forms in which it comes."""
    data = '{"error":{"message":"too bad","code":"worker_died"}}'
    with pytest.raises(RefusedError, match="too bad") as caught:
        list(ChatReader().take(event(data, name)))
    assert caught.value.code == "worker_died"
