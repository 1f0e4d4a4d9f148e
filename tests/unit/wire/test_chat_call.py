"""Chat calls that the server itself makes."""

from typing import Any

import pytest

from llm_ext.core.bounds import MAX_SCHEMA_DEPTH, check
from llm_ext.core.conversation import Attachment, CalledFunction, Draft, ToolCall
from llm_ext.errors import InvalidRequestError
from llm_ext.wire.chat_call import chat_call, check_options, written

HI = [{"role": "user", "content": "Hi"}]


def test_a_turn_is_written_with_what_it_came_with() -> None:
    """Texts between marks that do not occur in them; images as parts."""
    cell = Attachment(kind="cell", name="In [1]", content="a\n```\nb")
    image = Attachment(kind="image", name="plot", content="data:image/png;base64,AA")
    plain = Draft(role="user", content="Why?", attachments=(cell,))
    (message,) = written("", [plain])
    text = "cell In [1]:\n````\na\n```\nb\n````\n\nWhy?"
    assert message == {"role": "user", "content": text}
    seen = Draft(role="user", content="Why?", attachments=(image, cell))
    (message,) = written("", [seen])
    assert message["content"] == [
        {"type": "image_url", "image_url": {"url": image.content}},
        {"type": "text", "text": text},
    ]


def test_a_conversation_with_tools_is_a_valid_call() -> None:
    """Calls, their results and thoughts reach the request."""
    call = ToolCall(id="c1", function=CalledFunction(name="add", arguments='{"a":1}'))
    path = [
        Draft(role="user", content="1 + 1?"),
        Draft(role="assistant", content="", reasoning="Hm.", tool_calls=(call,)),
        Draft(role="tool", content="2", tool_call_id="c1"),
    ]
    request = chat_call("m", written("Be brief.", path), {"seed": 3}).request
    roles = [message.role for message in request.messages]
    assert roles == ["system", "user", "assistant", "tool"]
    assert request.messages[2].tool_calls[0].name == "add"
    assert request.messages[2].reasoning == "Hm."
    assert request.messages[3].tool_call_id == "c1"
    assert request.sampling.seed == 3


@pytest.mark.parametrize("name", ["messages", "stream", "stream_options", "n"])
def test_what_the_server_decides_is_no_option(name: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        check_options({name: None})
    assert caught.value.param == name


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    for _ in range(levels - 1):
        schema = {"items": schema}
    return schema


def test_schemas_are_bounded() -> None:
    """Of answers and of arguments, to the level."""
    for options, param in (
        (lambda schema: {"json_schema": schema}, "json_schema"),
        (
            lambda schema: {
                "tools": [
                    {
                        "type": "function",
                        "function": {"name": "f", "parameters": schema},
                    }
                ]
            },
            "tools",
        ),
    ):
        check(chat_call("m", HI, options(nested(MAX_SCHEMA_DEPTH))).request)
        with pytest.raises(InvalidRequestError, match="levels") as caught:
            check(chat_call("m", HI, options(nested(MAX_SCHEMA_DEPTH + 2))).request)
        assert caught.value.param == param
