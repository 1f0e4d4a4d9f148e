"""OpenAI's Responses API: what clients send, and what it becomes."""

import json
from typing import Any

import pytest

from llm_ext.core.constraint import AnyJSON, Constraint, JSONSchema
from llm_ext.core.messages import ChatMessage, ToolCall
from llm_ext.core.tools import ToolChoice
from llm_ext.errors import InvalidRequestError
from llm_ext.wire.responses.ids import item_id, response_id, response_of
from llm_ext.wire.responses.items import answered
from llm_ext.wire.responses.response_request import ResponseCall, parse

LOOK = {
    "type": "function",
    "name": "look",
    "description": "Looks.",
    "parameters": {"type": "object", "properties": {"at": {"type": "string"}}},
    "strict": True,
}
WAIT = {"type": "function", "name": "wait", "parameters": None}
HI = ChatMessage(role="user", content="Hi")


def called(**fields: Any) -> ResponseCall:  # noqa: ANN401  # any JSON
    return parse(json.dumps({"model": "m", "input": "Hi", **fields}).encode())


def turns(*items: Any) -> tuple[ChatMessage, ...]:  # noqa: ANN401  # any JSON
    return called(input=list(items)).input


def test_a_plain_request() -> None:
    call = called(stream=True, max_output_tokens=7, temperature=0.5, top_p=0.9)
    request = call.after(())
    assert (call.stream, call.store) == (True, True)
    assert (request.model, request.messages) == ("m", (HI,))
    assert request.sampling.max_tokens == 7
    assert (request.sampling.temperature, request.sampling.top_p) == (0.5, 0.9)
    assert request.sampling.logprobs is None
    assert request.template_options == {}


def test_instructions_come_before_all_that_was_said() -> None:
    before = (ChatMessage(role="user", content="My name is Ada."),)
    request = called(instructions="Be brief.").after(before)
    system = ChatMessage(role="system", content="Be brief.")
    assert request.messages == (system, *before, HI)


def test_the_input_may_be_what_was_said_before() -> None:
    """Such as for one more answer to it; but nothing at all cannot be answered."""
    assert called(input=[]).after((HI,)).messages == (HI,)
    with pytest.raises(InvalidRequestError) as caught:
        called(input=[]).after(())
    assert caught.value.param == "input"


def test_items_of_an_answer_are_one_turn() -> None:
    found = turns(
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": [{"type": "input_text", "text": "Look."}]},
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [],
            "content": [{"type": "reasoning_text", "text": "Hm."}],
        },
        {
            "type": "message",
            "role": "assistant",
            "content": [{"type": "output_text", "text": "Yes.", "annotations": []}],
        },
        {"type": "function_call", "call_id": "a", "name": "look", "arguments": "{}"},
        {
            "type": "function_call",
            "call_id": "b",
            "name": "wait",
            "arguments": '{"s',
            "status": "incomplete",
        },
        {"type": "function_call_output", "call_id": "a", "output": "A star."},
        {
            "type": "function_call_output",
            "call_id": "b",
            "output": [{"type": "input_text", "text": "Two."}],
        },
        {"role": "user", "content": "And now?"},
    )
    assert found == (
        ChatMessage(role="system", content="Be brief."),
        ChatMessage(role="user", content="Look."),
        ChatMessage(
            role="assistant",
            content="Yes.",
            reasoning="Hm.",
            tool_calls=(ToolCall(id="a", name="look", arguments="{}"),),
        ),
        ChatMessage(role="tool", content="A star.", tool_call_id="a"),
        ChatMessage(role="tool", content="Two.", tool_call_id="b"),
        ChatMessage(role="user", content="And now?"),
    )


def test_a_thought_may_be_known_by_its_summary_alone() -> None:
    summary = [{"type": "summary_text", "text": "Hm."}]
    (turn,) = turns({"type": "reasoning", "id": "rs_1", "summary": summary})
    assert turn.reasoning == "Hm."


@pytest.mark.parametrize(
    ("choice", "expected", "names"),
    [
        (None, ToolChoice(), ["look", "wait"]),
        ("required", ToolChoice(mode="required"), ["look", "wait"]),
        ("none", ToolChoice(mode="none"), ["look", "wait"]),
        (
            {"type": "function", "name": "look"},
            ToolChoice(mode="required", name="look", parallel=False),
            ["look", "wait"],
        ),
        (
            {
                "type": "allowed_tools",
                "mode": "required",
                "tools": [{"type": "function", "name": "wait"}],
            },
            ToolChoice(mode="required"),
            ["wait"],
        ),
    ],
)
def test_tools_and_choices(
    choice: Any,  # noqa: ANN401  # any JSON
    expected: ToolChoice,
    names: list[str],
) -> None:
    request = called(tools=[LOOK, WAIT], tool_choice=choice).request
    assert [tool.name for tool in request.tools] == names
    assert request.tool_choice == expected


def test_tools_that_nobody_runs_here_are_left_out_and_told() -> None:
    """Agents offer OpenAI's own wherever they are."""
    search = {"type": "web_search", "external_web_access": False}
    patch = {"type": "custom", "name": "apply_patch", "format": {"type": "text"}}
    allowed = {"type": "allowed_tools", "mode": "auto", "tools": [search, LOOK]}
    call = called(tools=[search, LOOK, patch], tool_choice=allowed)
    assert [tool.name for tool in call.request.tools] == ["look"]
    assert [offer.name for offer in call.offered] == ["look"]
    assert call.ignored == ["tools.custom", "tools.web_search"]
    assert called(tools=[LOOK]).ignored == []


def test_an_item_may_be_referred_to() -> None:
    """It stands where it is referred to."""
    kept = b"""{"output": [
        {"type": "reasoning", "id": "rs_1", "summary": [],
         "content": [{"type": "reasoning_text", "text": "Hm."}]},
        {"type": "message", "id": "msg_1", "role": "assistant",
         "content": [{"type": "output_text", "text": "Yes."}]}
    ]}"""
    given = [
        {"role": "user", "content": "Look."},
        {"type": "item_reference", "id": "rs_1"},
        {"type": "item_reference", "id": "msg_1"},
    ]
    body = json.dumps({"model": "m", "input": given}).encode()
    call = parse(body, lambda item_id: answered(kept, item_id))
    assert call.input == (
        ChatMessage(role="user", content="Look."),
        ChatMessage(role="assistant", content="Yes.", reasoning="Hm."),
    )
    with pytest.raises(LookupError):
        answered(kept, "msg_2")


@pytest.mark.parametrize("place", [0, 9, 42])
def test_an_items_id_says_which_response_it_is_of(place: int) -> None:
    assert response_of(item_id("msg", "ab12", place)) == response_id("ab12")


def test_a_tool_has_its_description_and_parameters() -> None:
    (tool,) = called(tools=[LOOK], parallel_tool_calls=False).request.tools
    assert (tool.description, tool.parameters) == ("Looks.", LOOK["parameters"])


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ({"type": "text"}, None),
        ({"type": "json_object"}, AnyJSON(param="text.format")),
        (
            {"type": "json_schema", "name": "x", "schema": {"type": "object"}},
            JSONSchema(schema='{"type":"object"}', param="text.format"),
        ),
    ],
)
def test_a_text_format_is_a_constraint(
    form: dict[str, Any], expected: Constraint | None
) -> None:
    assert called(text={"format": form}).request.constraint == expected


@pytest.mark.parametrize(
    ("effort", "expected"),
    [
        (None, {}),
        ("none", {"enable_thinking": False}),
        ("low", {"reasoning_effort": "low", "enable_thinking": True}),
    ],
)
def test_an_effort_is_for_the_chat_template(
    effort: str | None, expected: dict[str, Any]
) -> None:
    request = called(reasoning={"effort": effort}).request
    assert request.template_options == expected


def test_log_probabilities_are_asked_for_in_two_ways() -> None:
    included = called(include=["message.output_text.logprobs"]).request
    assert included.sampling.logprobs == 0
    assert called(top_logprobs=3).request.sampling.logprobs == 3


def message(part: dict[str, Any]) -> dict[str, Any]:
    return {"input": [{"role": "user", "content": [part]}]}


@pytest.mark.parametrize(
    ("fields", "param", "words"),
    [
        ({"background": True}, "background", "background"),
        ({"conversation": "conv_1"}, "conversation", "conversation"),
        ({"prompt": {"id": "p"}}, "prompt", "prompt"),
        ({"max_output_tokens": 0}, "max_output_tokens", ">= 1"),
        (
            message({"type": "input_image", "image_url": "x"}),
            "input[0].content[0]",
            "Images cannot be read",
        ),
        (
            message({"type": "input_file", "file_id": "x"}),
            "input[0].content[0]",
            "Files cannot be read",
        ),
        ({"input": [{"role": "robot", "content": "x"}]}, "input[0].role", "robot"),
        (
            {"input": [{"type": "item_reference", "id": "msg_1"}]},
            "input[0].id",
            "msg_1",
        ),
        ({"input": [{"type": "local_shell_call"}]}, "input[0].type", "local_shell"),
        (
            {"input": [{"type": "function_call_output", "output": "x"}]},
            "input[0].call_id",
            "call_id",
        ),
        (
            {"input": [{"type": "function_call", "name": "x"}]},
            "input[0]",
            "call_id",
        ),
        (
            {"tools": [{"type": "web_search"}], "tool_choice": "required"},
            "tool_choice",
            "offers none",
        ),
        ({"tools": [{"type": "function"}]}, "tools[0].name", "name"),
        ({"tools": [LOOK, LOOK]}, "tools[1].name", "two tools"),
        ({"tool_choice": "required"}, "tool_choice", "offers none"),
        ({"tool_choice": {"type": "web_search"}}, "tool_choice.type", "web_search"),
        (
            {"tools": [LOOK], "tool_choice": {"type": "function", "name": "x"}},
            "tool_choice",
            "does not offer",
        ),
        ({"text": {"format": {"type": "xml"}}}, "text.format", "xml"),
        ({"text": {"format": {"type": "json_schema"}}}, "text.format", "schema"),
        ({"top_logprobs": 99}, "top_logprobs", "top_logprobs"),
        ({"metadata": {"a": 1}}, "metadata[...]", "metadata"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(
    fields: dict[str, Any], param: str, words: str
) -> None:
    with pytest.raises(InvalidRequestError, match=words) as caught:
        called(**fields)
    assert caught.value.param == param
