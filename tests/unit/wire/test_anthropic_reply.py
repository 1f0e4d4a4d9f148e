"""Anthropic's Messages API: what clients get, to the letter."""

import json
import re
from typing import Any

import pytest

from llm_ext import errors
from llm_ext.core.events import (
    Accepted,
    ChoiceEnded,
    Event,
    Finished,
    ReasoningDelta,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
)
from llm_ext.wire.anthropic import errors as wire_errors
from llm_ext.wire.anthropic.messages_reply import MessagesReply
from llm_ext.wire.anthropic.messages_request import parse
from tests.recorded import check
from tests.scenes import COUNTS, SCENES


def reply(*, thinking: bool = True) -> MessagesReply:
    body: dict[str, Any] = {
        "model": "m",
        "max_tokens": 5,
        "messages": [{"role": "user", "content": "Hi"}],
    }
    if thinking:
        body["thinking"] = {"type": "enabled", "budget_tokens": 1024}
    return MessagesReply(parse(json.dumps(body).encode()), reply_id="1", model="m")


def streamed(events: list[Event], *, thinking: bool = True) -> str:
    telling = reply(thinking=thinking)
    parts = [part for event in events for part in telling.stream(event)]
    return b"".join(parts).decode()


def whole(events: list[Event], *, thinking: bool = True) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(reply(thinking=thinking).whole(events))
    return found


@pytest.mark.parametrize("scene", SCENES)
def test_every_sequence_of_events_is_as_recorded(scene: str) -> None:
    check(f"anthropic/{scene}.sse", streamed(SCENES[scene]))


def test_thoughts_nobody_asked_for_are_signs_of_life() -> None:
    """The message begins with its text, in one piece and in many."""
    told = streamed(SCENES["thought"], thinking=False)
    check("anthropic/hidden_thought.sse", told)
    content = whole(SCENES["thought"], thinking=False)["content"]
    assert content == [{"type": "text", "text": "Hello."}]


def test_a_whole_message() -> None:
    assert whole(SCENES["text"]) == {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [{"type": "text", "text": "Hello."}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 8,
            "output_tokens": 5,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 4,
        },
    }


def test_a_whole_message_thinks_speaks_and_calls_in_this_order() -> None:
    thought = whole(SCENES["thought"])["content"]
    assert [block["type"] for block in thought] == ["thinking", "text"]
    assert thought[0]["thinking"] == "Who is there?"
    assert thought[0]["signature"]
    calls = whole(SCENES["calls"])
    assert calls["stop_reason"] == "tool_use"
    assert calls["content"] == [
        {"type": "text", "text": "Let me look."},
        {
            "type": "tool_use",
            "id": "call_a",
            "name": "look",
            "input": {"at": "the sky"},
        },
        {"type": "tool_use", "id": "call_b", "name": "wait", "input": {}},
    ]


def test_blocks_are_in_the_same_order_in_one_piece_and_in_many() -> None:
    """That of the answer: a text may follow a call, and a thought a text."""
    events: list[Event] = [
        Accepted(3),
        ToolCallStarted(0, "call_a", "look"),
        ToolCallDelta(0, "{}"),
        TextDelta("I "),
        TextDelta("see."),
        ReasoningDelta("Hm."),
        TextDelta("So."),
        ChoiceEnded(0, "tool_calls"),
        Finished("tool_calls", COUNTS),
    ]
    content = whole(events)["content"]
    begun = re.findall(r'"content_block":\{"type":"(\w+)"', streamed(events))
    assert [block["type"] for block in content] == begun
    assert begun == ["tool_use", "text", "thinking", "text"]
    assert content[1] == {"type": "text", "text": "I see."}


@pytest.mark.parametrize(
    ("scene", "reason", "stop"),
    [
        ("length", "max_tokens", None),
        ("stop_string", "stop_sequence", "###"),
        ("nothing", "end_turn", None),
        ("broken_call", "max_tokens", None),
    ],
)
def test_a_message_says_why_it_ended(scene: str, reason: str, stop: str | None) -> None:
    message = whole(SCENES[scene])
    assert (message["stop_reason"], message["stop_sequence"]) == (reason, stop)


@pytest.mark.parametrize("value", ['"\\ud800"', "1e999"])
def test_an_input_is_passed_on_as_it_was_written(value: str) -> None:
    """Also where no value of Python's could hold it."""
    arguments = f'{{"at": {value}}}'
    events: list[Event] = [
        Accepted(3),
        ToolCallStarted(0, "call_a", "look"),
        ToolCallDelta(0, arguments),
        ChoiceEnded(0, "tool_calls"),
        Finished("tool_calls", COUNTS),
    ]
    assert f'"input":{arguments}'.encode() in reply().whole(events)


def test_a_broken_call_is_text() -> None:
    (block,) = whole(SCENES["broken_call"])["content"]
    assert block["type"] == "text"
    assert block["text"].startswith('{"name"')


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (errors.InvalidRequestError("x"), 400, "invalid_request_error"),
        (errors.KeyRefusedError(), 401, "authentication_error"),
        (errors.ModelNotAllowedError("x", allowed=[]), 403, "permission_error"),
        (errors.ModelNotFoundError("x"), 404, "not_found_error"),
        (errors.BodyTooLargeError(size=2, limit=1), 413, "request_too_large"),
        (errors.QueueFullError("x", waiting=1), 429, "rate_limit_error"),
        (errors.ModelLoadError("x"), 500, "api_error"),
        (errors.InsufficientMemoryError("x"), 503, "api_error"),
        (errors.WorkerDiedError("x"), 503, "overloaded_error"),
    ],
)
def test_every_error_has_a_type_that_anthropic_knows(
    error: errors.LLMError, status: int, kind: str
) -> None:
    assert wire_errors.status(error) == status
    told = wire_errors.reply(error)
    assert (told.type, told.error.type) == ("error", kind)


def test_an_error_names_the_field_once() -> None:
    """Anthropic's shape has no place for it beside the message."""
    field = errors.InvalidRequestError("It is wrong.", param="messages[0]")
    assert wire_errors.reply(field).error.message == "messages[0]: It is wrong."
    named = errors.InvalidRequestError("'top_p' is wrong.", param="top_p")
    assert wire_errors.reply(named).error.message == "'top_p' is wrong."


def test_agents_know_by_its_words_that_a_prompt_is_too_long() -> None:
    """They shorten the conversation then, and go on."""
    here = errors.ContextLengthError(prompt_tokens=9000, context_length=8192)
    there = errors.rebuild(here.code, "Too long for 'lab'.", param="messages")
    for error in (here, there):
        message = wire_errors.reply(error).error.message
        assert message == f"prompt is too long: {error}"


def test_the_web_servers_own_errors_have_the_shape_too() -> None:
    assert wire_errors.http_reply(404, "x").error.type == "not_found_error"
    assert wire_errors.http_reply(599, "x").error.type == "api_error"
