"""Anthropic's Messages API: what clients send, and what it becomes."""

import json
from typing import Any

import pytest

from llm_ext.core.constraint import JSONSchema
from llm_ext.core.messages import ChatMessage, ToolCall
from llm_ext.core.tools import ToolChoice
from llm_ext.errors import InvalidRequestError
from llm_ext.wire.anthropic.messages_request import MessagesCall, parse, parse_count

LOOK = {
    "name": "look",
    "description": "Looks.",
    "input_schema": {"type": "object", "properties": {"at": {"type": "string"}}},
}


def body(**fields: Any) -> bytes:  # noqa: ANN401  # any JSON
    base = {
        "model": "m",
        "max_tokens": 7,
        "messages": [{"role": "user", "content": "Hi"}],
    }
    return json.dumps({**base, **fields}).encode()


def called(**fields: Any) -> MessagesCall:  # noqa: ANN401  # any JSON
    return parse(body(**fields))


def turns(*messages: Any, **fields: Any) -> tuple[ChatMessage, ...]:  # noqa: ANN401  # any JSON
    return called(messages=list(messages), **fields).request.messages


def test_a_plain_request() -> None:
    call = called(
        stream=True, temperature=0.5, top_p=0.9, top_k=3, stop_sequences=["###"]
    )
    sampling = call.request.sampling
    assert call.stream
    assert call.request.model == "m"
    assert call.request.messages == (ChatMessage(role="user", content="Hi"),)
    assert (sampling.max_tokens, sampling.temperature) == (7, 0.5)
    assert (sampling.top_p, sampling.top_k, sampling.stop) == (0.9, 3, ("###",))
    assert not call.request.continue_final


def test_the_system_prompt_comes_first_and_its_blocks_are_paragraphs() -> None:
    user = {"role": "user", "content": [{"type": "text", "text": "Hi"}]}
    system = [
        {"type": "text", "text": "One.", "cache_control": {"type": "ephemeral"}},
        {"type": "text", "text": "Two."},
    ]
    expected = ChatMessage(role="user", content="Hi")
    assert turns(user, system="One.") == (
        ChatMessage(role="system", content="One."),
        expected,
    )
    assert turns(user, system=system)[0].content == "One.\nTwo."
    assert turns(user, system="") == (expected,)


def test_calls_thoughts_and_results_are_told_apart() -> None:
    found = turns(
        {"role": "user", "content": "What is there?"},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "Hm.", "signature": "local"},
                {"type": "redacted_thinking", "data": "xyz"},
                {"type": "text", "text": "Let me look."},
                {
                    "type": "tool_use",
                    "id": "a",
                    "name": "look",
                    "input": {"at": "ü"},
                },
                {"type": "tool_use", "id": "b", "name": "wait", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "a", "content": "A star."},
                {
                    "type": "tool_result",
                    "tool_use_id": "b",
                    "is_error": True,
                    "content": [{"type": "text", "text": "No time."}],
                },
                {"type": "text", "text": "And now?"},
            ],
        },
    )
    assert found[1:] == (
        ChatMessage(
            role="assistant",
            content="Let me look.",
            reasoning="Hm.",
            tool_calls=(
                ToolCall(id="a", name="look", arguments='{"at":"ü"}'),
                ToolCall(id="b", name="wait", arguments="{}"),
            ),
        ),
        ChatMessage(role="tool", content="A star.", tool_call_id="a"),
        ChatMessage(role="tool", content="Error: No time.", tool_call_id="b"),
        ChatMessage(role="user", content="And now?"),
    )


def test_what_was_found_is_read_where_it_is_text() -> None:
    """Documents and results of a search, below what is said of them."""
    plain = {"type": "text", "media_type": "text/plain", "data": "It is red."}
    parts = {"type": "content", "content": [{"type": "text", "text": "It is hot."}]}
    result = {
        "type": "search_result",
        "source": "https://example.org/sun",
        "title": "The sun",
        "content": [{"type": "text", "text": "It is far."}],
        "citations": {"enabled": True},
    }
    found = turns(
        {
            "role": "user",
            "content": [
                {
                    "type": "document",
                    "source": plain,
                    "title": "Mars",
                    "context": "Old.",
                },
                {"type": "document", "source": parts},
                {"type": "tool_result", "tool_use_id": "a", "content": [result]},
                {"type": "text", "text": "And now?"},
            ],
        },
    )
    assert [turn.content for turn in found] == [
        "Mars\nOld.\nIt is red.\nIt is hot.",
        "The sun\nhttps://example.org/sun\nIt is far.",
        "And now?",
    ]


def test_turns_of_one_role_are_one() -> None:
    """Chat templates know users and assistants in turn only."""
    found = turns(
        {"role": "user", "content": "One."},
        {"role": "user", "content": "Two."},
        {"role": "assistant", "content": "Th"},
        {"role": "assistant", "content": "ree."},
    )
    assert [(turn.role, turn.content) for turn in found] == [
        ("user", "One.\nTwo."),
        ("assistant", "Three."),
    ]


def test_a_last_turn_of_the_assistants_is_gone_on_with() -> None:
    user = {"role": "user", "content": "Hi"}
    begun = {"role": "assistant", "content": "Hel"}
    assert called(messages=[user, begun]).request.continue_final
    assert not called(messages=[user, begun, user]).request.continue_final


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        (None, ToolChoice()),
        ({"type": "auto"}, ToolChoice()),
        ({"type": "none"}, ToolChoice(mode="none")),
        ({"type": "any"}, ToolChoice(mode="required")),
        (
            {"type": "any", "disable_parallel_tool_use": True},
            ToolChoice(mode="required", parallel=False),
        ),
        (
            {"type": "tool", "name": "look"},
            ToolChoice(mode="required", name="look", parallel=False),
        ),
    ],
)
def test_tools_and_choices(choice: Any, expected: ToolChoice) -> None:  # noqa: ANN401  # any JSON
    request = called(tools=[LOOK], tool_choice=choice).request
    (tool,) = request.tools
    assert (tool.name, tool.description) == ("look", "Looks.")
    assert tool.parameters == LOOK["input_schema"]
    assert request.tool_choice == expected


@pytest.mark.parametrize(
    ("fields", "shown", "options"),
    [
        ({}, False, {"enable_thinking": False}),
        ({"thinking": {"type": "disabled"}}, False, {"enable_thinking": False}),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 1024}},
            True,
            {"enable_thinking": True},
        ),
        (
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
            True,
            {"enable_thinking": True, "reasoning_effort": "low"},
        ),
        (
            {"thinking": {"type": "adaptive", "display": "omitted"}},
            False,
            {"enable_thinking": True},
        ),
    ],
)
def test_who_asks_for_thoughts_gets_them(
    fields: dict[str, Any],
    shown: bool,  # noqa: FBT001  # a parameter
    options: dict[str, Any],
) -> None:
    call = called(**fields)
    assert call.thinking == shown
    assert call.request.template_options == options


@pytest.mark.parametrize("older", [False, True])
def test_an_output_format_is_a_constraint(
    older: bool,  # noqa: FBT001  # a parameter
) -> None:
    wanted = {"type": "json_schema", "schema": {"type": "object"}}
    fields = (
        {"output_format": wanted} if older else {"output_config": {"format": wanted}}
    )
    assert called(**fields).request.constraint == JSONSchema(
        schema='{"type":"object"}', param="output_config.format"
    )


def test_counting_needs_no_limit() -> None:
    data = json.loads(body(system="One.", tools=[LOOK]))
    del data["max_tokens"]
    request = parse_count(json.dumps(data).encode())
    assert [message.role for message in request.messages] == ["system", "user"]
    assert request.tools


def said(*blocks: Any, role: str = "user") -> dict[str, Any]:  # noqa: ANN401  # any JSON
    return {"messages": [{"role": role, "content": list(blocks)}]}


IMAGE = {"type": "image", "source": {"type": "url", "url": "x"}}
DOCUMENT = {"type": "document", "source": {"type": "base64", "data": "x"}}


@pytest.mark.parametrize(
    ("fields", "param", "words"),
    [
        ({"max_tokens": 0}, "max_tokens", "1 or more"),
        ({"messages": []}, "messages", "at least one"),
        (said(), "messages", "something in it"),
        ({**said(), "system": "Be brief."}, "messages", "something in it"),
        (said(IMAGE), "messages[0].content[0]", "Images cannot be read"),
        (said(DOCUMENT), "messages[0].content[0]", "Documents cannot be read"),
        (
            said({"type": "tool_result", "tool_use_id": "a", "content": [IMAGE]}),
            "messages[0].content[0].content[0]",
            "Images cannot be read",
        ),
        (said({"type": "search_result"}), "messages[0].content[0]", "search_result"),
        (
            said({"type": "tool_result", "content": "x"}),
            "messages[0].content[0].tool_use_id",
            "tool_use_id",
        ),
        (
            said({"type": "tool_use", "name": "x"}, role="assistant"),
            "messages[0].content[0]",
            "'id'",
        ),
        (said(role="robot"), "messages[0].role", "robot"),
        (
            {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
            "tools[0].type",
            "web_search_20250305",
        ),
        ({"tools": [LOOK, LOOK]}, "tools[1].name", "two tools"),
        ({"tool_choice": {"type": "any"}}, "tool_choice", "offers none"),
        (
            {"tools": [LOOK], "tool_choice": {"type": "tool", "name": "x"}},
            "tool_choice",
            "does not offer",
        ),
        ({"tool_choice": {"type": "tool"}}, "tool_choice.name", "name"),
        ({"tool_choice": {"type": "some"}}, "tool_choice.type", "some"),
        (
            {"output_config": {"format": {"type": "xml"}}},
            "output_config.format",
            "xml",
        ),
        ({"temperature": -1}, "temperature", "temperature"),
        ({"thinking": {"type": "hard"}}, "thinking.type", "hard"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(
    fields: dict[str, Any], param: str, words: str
) -> None:
    with pytest.raises(InvalidRequestError, match=words) as caught:
        called(**fields)
    assert caught.value.param == param


def test_a_missing_limit_is_refused() -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse(b'{"model": "m", "messages": []}')
    assert caught.value.param == "max_tokens"
