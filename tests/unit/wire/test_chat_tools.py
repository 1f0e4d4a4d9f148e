"""OpenAI's dialect: tools, calls and thoughts, as they come and as they go."""

import json
from collections.abc import Iterable
from typing import Any

import pytest

from llm_ext.core.events import (
    ChoiceEnded,
    Event,
    Finished,
    ReasoningDelta,
    TextDelta,
    Timings,
    ToolCallBroken,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
)
from llm_ext.core.messages import ChatMessage, ToolCall
from llm_ext.core.tools import Tool, ToolChoice
from llm_ext.errors import InvalidRequestError
from llm_ext.wire.openai.chat_reply import ChatReply
from llm_ext.wire.openai.chat_request import parse

HI = [{"role": "user", "content": "Hi"}]
PARAMETERS = {"type": "object", "properties": {"at": {"type": "string"}}}
LOOK = {
    "type": "function",
    "function": {
        "name": "look",
        "description": "Looks.",
        "parameters": PARAMETERS,
        "strict": True,
    },
}
LISTEN = {"type": "function", "function": {"name": "listen"}}
NAMED = {"type": "function", "function": {"name": "look"}}


def body(**fields: Any) -> bytes:  # noqa: ANN401  # any JSON
    return json.dumps({"model": "m", "messages": HI, **fields}).encode()


def test_tools_arrive() -> None:
    request = parse(body(tools=[LOOK, LISTEN])).request
    look, listen = request.tools
    assert look == Tool(name="look", description="Looks.", parameters=PARAMETERS)
    assert listen == Tool(name="listen")
    assert request.tool_choice == ToolChoice()


@pytest.mark.parametrize(
    ("fields", "expected", "names"),
    [
        ({}, ToolChoice(), ["look", "listen"]),
        ({"tool_choice": "none"}, ToolChoice(mode="none"), ["look", "listen"]),
        ({"tool_choice": "auto"}, ToolChoice(), ["look", "listen"]),
        ({"tool_choice": "required"}, ToolChoice(mode="required"), ["look", "listen"]),
        (
            {"tool_choice": NAMED},
            ToolChoice(mode="required", name="look", parallel=False),
            ["look", "listen"],
        ),
        (
            {
                "tool_choice": {
                    "type": "allowed_tools",
                    "allowed_tools": {"mode": "required", "tools": [LISTEN]},
                }
            },
            ToolChoice(mode="required"),
            ["listen"],
        ),
        (
            {"parallel_tool_calls": False},
            ToolChoice(parallel=False),
            ["look", "listen"],
        ),
    ],
)
def test_the_choice_of_tools_arrives(
    fields: dict[str, Any], expected: ToolChoice, names: list[str]
) -> None:
    request = parse(body(tools=[LOOK, LISTEN], **fields)).request
    assert request.tool_choice == expected
    assert [tool.name for tool in request.tools] == names


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"tools": [{"type": "web_search"}]}, "tools[0].type"),
        ({"tools": [LOOK, LOOK]}, "tools[1].function.name"),
        ({"tools": [{"function": {"name": "a b"}}]}, "tools[0].function.name"),
        ({"tools": [{"function": {}}]}, "tools[0].function"),
        ({"tool_choice": "required"}, "tool_choice"),
        ({"tool_choice": "maybe", "tools": [LOOK]}, "tool_choice"),
        ({"tool_choice": NAMED, "tools": [LISTEN]}, "tool_choice"),
        ({"tool_choice": {"type": "mcp"}, "tools": [LOOK]}, "tool_choice.type"),
        (
            {"messages": [{"role": "tool", "content": "x"}]},
            "messages[0].tool_call_id",
        ),
        (
            {"continue_final_message": True, "add_generation_prompt": True},
            "continue_final_message",
        ),
        ({"chat_template_kwargs": []}, "chat_template_kwargs"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(
    fields: dict[str, Any], param: str
) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse(body(**fields))
    assert caught.value.param == param


def test_calls_and_results_of_earlier_turns_arrive() -> None:
    turns = [
        {"role": "developer", "content": [{"type": "text", "text": "Be brief."}]},
        {
            "role": "assistant",
            "content": None,
            "reasoning_content": "Hm.",
            "tool_calls": [
                {
                    "id": "a",
                    "type": "function",
                    "function": {"name": "look", "arguments": '{"at": "x"}'},
                },
                {"id": "b", "function": {"name": "listen", "arguments": {}}},
            ],
        },
        {"role": "tool", "tool_call_id": "a", "content": "blue", "name": "look"},
    ]
    system, assistant, tool = parse(body(messages=turns)).request.messages
    assert system == ChatMessage(role="system", content="Be brief.")
    assert assistant == ChatMessage(
        role="assistant",
        reasoning="Hm.",
        tool_calls=(
            ToolCall(id="a", name="look", arguments='{"at": "x"}'),
            ToolCall(id="b", name="listen", arguments="{}"),
        ),
    )
    assert tool == ChatMessage(
        role="tool", content="blue", tool_call_id="a", name="look"
    )


@pytest.mark.parametrize(
    ("fields", "options", "reasoning"),
    [
        ({}, {}, True),
        ({"chat_template_kwargs": {"x": 1}}, {"x": 1}, True),
        ({"reasoning_effort": "none"}, {"enable_thinking": False}, True),
        (
            {"reasoning_effort": "high", "chat_template_kwargs": {"x": 1}},
            {"reasoning_effort": "high", "enable_thinking": True, "x": 1},
            True,
        ),
        ({"reasoning_format": "none"}, {}, False),
        ({"reasoning_format": "deepseek"}, {}, True),
        ({"include_reasoning": False}, {}, False),
    ],
)
def test_what_is_said_of_thoughts_arrives(
    fields: dict[str, Any],
    options: dict[str, Any],
    reasoning: bool,  # noqa: FBT001  # a parameter
) -> None:
    request = parse(body(**fields)).request
    assert request.template_options == options
    assert request.reasoning is reasoning


def reply(**fields: Any) -> ChatReply:  # noqa: ANN401  # any JSON
    return ChatReply(parse(body(**fields)), reply_id="1", model="m", now=0)


def chunks(events: Iterable[Event], **fields: Any) -> list[dict[str, Any]]:  # noqa: ANN401  # any JSON
    made = reply(**fields)
    lines = [line for event in events for line in made.stream(event)]
    return [json.loads(line[6:]) for line in lines if line.startswith(b"data: {")]


END = Finished(
    reason="tool_calls",
    usage=Usage(prompt_tokens=1, completion_tokens=9, reasoning_tokens=4),
)
EVENTS: list[Event] = [
    ReasoningDelta(text="Hm."),
    TextDelta(text="I look."),
    ToolCallStarted(index=0, id="a", name="look"),
    ToolCallDelta(index=0, arguments='{"at": '),
    ToolCallDelta(index=0, arguments='"x"}'),
    ToolCallStarted(index=1, id="b", name="listen"),
    ToolCallDelta(index=1, arguments="{}"),
    ChoiceEnded(choice=0, reason="tool_calls"),
    END,
]


def test_calls_stream_as_openais_clients_join_them() -> None:
    """The index always; id, type and name once; arguments in parts."""
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks(EVENTS, tools=[LOOK])]
    assert deltas == [
        {"role": "assistant", "content": None},
        {"reasoning_content": "Hm."},
        {"content": "I look."},
        {
            "tool_calls": [
                {
                    "index": 0,
                    "id": "a",
                    "type": "function",
                    "function": {"name": "look", "arguments": ""},
                }
            ]
        },
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"at": '}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": '"x"}'}}]},
        {
            "tool_calls": [
                {
                    "index": 1,
                    "id": "b",
                    "type": "function",
                    "function": {"name": "listen", "arguments": ""},
                }
            ]
        },
        {"tool_calls": [{"index": 1, "function": {"arguments": "{}"}}]},
        {},
    ]


def test_the_reason_is_a_call_but_for_one_that_was_named() -> None:
    last = chunks(EVENTS, tools=[LOOK])[-1]["choices"][0]
    assert last["finish_reason"] == "tool_calls"
    named = chunks(EVENTS, tools=[LOOK], tool_choice=NAMED)[-1]["choices"][0]
    assert named["finish_reason"] == "stop"


def test_a_whole_answer_has_thought_calls_and_counts() -> None:
    whole = json.loads(reply(tools=[LOOK]).whole(EVENTS))
    assert whole["choices"][0]["message"] == {
        "role": "assistant",
        "content": "I look.",
        "refusal": None,
        "reasoning_content": "Hm.",
        "tool_calls": [
            {
                "id": "a",
                "type": "function",
                "function": {"name": "look", "arguments": '{"at": "x"}'},
            },
            {
                "id": "b",
                "type": "function",
                "function": {"name": "listen", "arguments": "{}"},
            },
        ],
    }
    assert whole["usage"]["completion_tokens_details"] == {"reasoning_tokens": 4}


def test_content_is_null_where_there_are_only_calls() -> None:
    whole = json.loads(reply(tools=[LOOK]).whole(EVENTS[2:]))
    assert whole["choices"][0]["message"]["content"] is None


def test_what_was_no_call_after_all_is_content() -> None:
    """In a stream its beginning is out already; in a whole answer it is not there."""
    events: list[Event] = [
        ToolCallStarted(index=0, id="a", name="look"),
        ToolCallDelta(index=0, arguments="{"),
        ToolCallBroken(index=0),
        TextDelta(text="<tool_call>{oops"),
        ChoiceEnded(choice=0, reason="stop"),
        Finished(reason="stop", usage=END.usage),
    ]
    message = json.loads(reply(tools=[LOOK]).whole(events))["choices"][0]["message"]
    assert message["content"] == "<tool_call>{oops"
    assert "tool_calls" not in message
    assert chunks(events)[-2]["choices"][0]["delta"] == {"content": "<tool_call>{oops"}


def test_timings_are_in_llama_servers_words() -> None:
    """In a whole answer, and beside the counts of a stream."""
    usage = Usage(prompt_tokens=10, completion_tokens=4, cached_tokens=5)
    end = Finished(reason="stop", usage=usage, timings=Timings(prompt=0.5, answer=0.25))
    expected = {
        "cache_n": 5,
        "prompt_n": 5,
        "prompt_ms": 500.0,
        "prompt_per_token_ms": 100.0,
        "prompt_per_second": 10.0,
        "predicted_n": 4,
        "predicted_ms": 250.0,
        "predicted_per_token_ms": 62.5,
        "predicted_per_second": 16.0,
    }
    assert json.loads(reply().whole([end]))["timings"] == expected
    (last,) = chunks([end], stream_options={"include_usage": True})
    assert last["timings"] == expected
