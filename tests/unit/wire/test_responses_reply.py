"""OpenAI's Responses API: what clients get, to the letter."""

import itertools
import json
from typing import Any

import pytest

from llm_ext.core.events import (
    Accepted,
    Alternative,
    ChoiceEnded,
    Event,
    Finished,
    TextDelta,
    TokenLogprob,
)
from llm_ext.core.messages import ChatMessage, ToolCall
from llm_ext.wire.responses.response_reply import ResponseReply
from llm_ext.wire.responses.response_request import parse
from tests.recorded import check
from tests.scenes import COUNTS, SCENES


def reply(**fields: Any) -> ResponseReply:  # noqa: ANN401  # any JSON
    body = {"model": "m", "input": "Hi", **fields}
    seconds = itertools.count(1000.5)
    call = parse(json.dumps(body).encode())
    return ResponseReply(call, reply_id="1", model="m", clock=lambda: next(seconds))


def streamed(events: list[Event], **fields: Any) -> str:  # noqa: ANN401  # any JSON
    telling = reply(stream=True, **fields)
    parts = [part for event in events for part in telling.stream(event)]
    return b"".join(parts).decode()


def data(told: str) -> list[dict[str, Any]]:
    lines = [line for line in told.splitlines() if line.startswith("data: ")]
    return [json.loads(line.removeprefix("data: ")) for line in lines]


def whole(events: list[Event], **fields: Any) -> dict[str, Any]:  # noqa: ANN401  # any JSON
    found: dict[str, Any] = json.loads(reply(**fields).whole(events))
    return found


@pytest.mark.parametrize("scene", SCENES)
def test_every_sequence_of_events_is_as_recorded(scene: str) -> None:
    check(f"responses/{scene}.sse", streamed(SCENES[scene]))


@pytest.mark.parametrize("scene", SCENES)
def test_events_are_numbered_and_named_by_their_type(scene: str) -> None:
    told = streamed(SCENES[scene])
    found = data(told)
    assert [event["sequence_number"] for event in found] == list(range(len(found)))
    names = [line for line in told.splitlines() if line.startswith("event: ")]
    assert names == [f"event: {event['type']}" for event in found]


@pytest.mark.parametrize("scene", SCENES)
def test_the_last_event_holds_the_items_that_were_told(scene: str) -> None:
    """Each at its place, under the id that it had from its beginning."""
    found = data(streamed(SCENES[scene]))
    done = [e["item"] for e in found if e["type"] == "response.output_item.done"]
    begun = [e["item"] for e in found if e["type"] == "response.output_item.added"]
    if scene != "death":  # its message is never done
        assert found[-1]["response"]["output"] == done
        assert [item["id"] for item in begun] == [item["id"] for item in done]
    places = [e["output_index"] for e in found if e["type"].endswith("item.added")]
    assert places == list(range(len(places)))


def test_a_whole_response_repeats_its_request() -> None:
    tool = {"type": "function", "name": "look", "parameters": {"type": "object"}}
    found = whole(
        SCENES["text"],
        instructions="Be brief.",
        temperature=0.5,
        max_output_tokens=9,
        metadata={"a": "b"},
        tools=[tool],
        tool_choice={"type": "function", "name": "look"},
        parallel_tool_calls=False,
        reasoning={"effort": "low"},
        store=False,
    )
    assert found == {
        "id": "resp_1",
        "object": "response",
        "created_at": 1000,
        "completed_at": 1001,
        "status": "completed",
        "model": "m",
        "output": [
            {
                "id": "msg_100",
                "type": "message",
                "role": "assistant",
                "status": "completed",
                "content": [
                    {
                        "type": "output_text",
                        "text": "Hello.",
                        "annotations": [],
                        "logprobs": [],
                    }
                ],
            }
        ],
        "usage": {
            "input_tokens": 12,
            "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
            "output_tokens": 5,
            "output_tokens_details": {"reasoning_tokens": 2},
            "total_tokens": 17,
        },
        "instructions": "Be brief.",
        "temperature": 0.5,
        "top_p": None,
        "top_logprobs": 0,
        "max_output_tokens": 9,
        "metadata": {"a": "b"},
        "tools": [tool],
        "tool_choice": {"type": "function", "name": "look"},
        "parallel_tool_calls": False,
        "previous_response_id": None,
        "reasoning": {"effort": "low", "summary": None},
        "text": {"format": {"type": "text"}},
        "store": False,
        "background": False,
        "truncation": "disabled",
        "error": None,
        "incomplete_details": None,
    }


def test_what_was_cut_off_is_incomplete() -> None:
    found = whole(SCENES["length"])
    assert found["status"] == "incomplete"
    assert found["incomplete_details"] == {"reason": "max_output_tokens"}
    assert found["completed_at"] is None
    assert found["output"][0]["status"] == "incomplete"


def test_a_broken_call_is_text_and_incomplete_where_it_was_seen_already() -> None:
    (item,) = whole(SCENES["broken_call"])["output"]
    assert item["type"] == "message"
    assert item["content"][0]["text"].startswith('{"name"')
    call, text = data(streamed(SCENES["broken_call"]))[-1]["response"]["output"]
    assert (call["type"], call["status"]) == ("function_call", "incomplete")
    assert text["type"] == "message"


def kept(scene: str) -> tuple[ChatMessage, ...]:
    telling = reply(stream=True)
    for event in SCENES[scene]:
        list(telling.stream(event))
    return telling.turns


def test_an_answer_can_be_gone_on_from() -> None:
    assert kept("thought") == (
        ChatMessage(role="assistant", content="Hello.", reasoning="Who is there?"),
    )
    assert kept("calls") == (
        ChatMessage(
            role="assistant",
            content="Let me look.",
            tool_calls=(
                ToolCall(id="call_a", name="look", arguments='{"at": "the sky"}'),
                ToolCall(id="call_b", name="wait", arguments="{}"),
            ),
        ),
    )
    assert kept("nothing") == ()


def test_calls_that_came_to_nothing_are_not_gone_on_from() -> None:
    (turn,) = kept("broken_call")
    assert not turn.tool_calls
    assert turn.content.startswith('{"name"')


def test_log_probabilities_are_told_with_the_text() -> None:
    """With the bytes of characters that are split across tokens."""
    half = TokenLogprob(b"\xc3", -0.5, (Alternative(b"\xc3", -0.5),))
    rest = TokenLogprob(b"\xa4", -0.25)
    events: list[Event] = [
        Accepted(3),
        TextDelta("ä", logprobs=(half, rest)),
        ChoiceEnded(0, "stop"),
        Finished("stop", COUNTS),
    ]
    expected = [
        {
            "token": "\ufffd",
            "logprob": -0.5,
            "bytes": [0xC3],
            "top_logprobs": [{"token": "\ufffd", "logprob": -0.5, "bytes": [0xC3]}],
        },
        {"token": "\ufffd", "logprob": -0.25, "bytes": [0xA4], "top_logprobs": []},
    ]
    (item,) = whole(events, top_logprobs=1)["output"]
    assert item["content"][0]["logprobs"] == expected
    found = data(streamed(events, top_logprobs=1))
    told = {e["type"]: e["logprobs"] for e in found if "logprobs" in e}
    assert told == {
        "response.output_text.delta": expected,
        "response.output_text.done": expected,
    }
