"""Schemas that clients write, sensible or not."""

import json
from typing import Any

import pytest

from llm_ext.chat.families.qwen_xml import QwenXML
from llm_ext.chat.plain_schema import plain_properties, takes_null, takes_text
from llm_ext.core.tools import Tool
from tests.chat.reading import read

TEXT = {"type": "string"}
NULL = {"type": "null"}


def tool(of_at: object, **fields: object) -> Tool:
    """Return a tool with a parameter ``at``."""
    return Tool(name="look", parameters={"properties": {"at": of_at}, **fields})


@pytest.mark.parametrize(
    "made",
    [
        tool({"type": ["string", "null"]}),
        tool({"type": {}}),
        tool({"type": 1}),
        tool({"enum": None}),
        tool({"enum": "abc"}),
        tool({"enum": 5, "type": "string"}),
        tool(None),
        tool(TEXT, required=None),
        tool(TEXT, required="at"),
        tool(TEXT, required=[["at"]]),
        tool(TEXT, required=["of"]),
        Tool(name="look", parameters={"properties": None}),
        Tool(name="look", parameters={"properties": [1]}),
    ],
)
def test_what_makes_no_sense_is_left_to_json(made: Tool) -> None:
    """And no question about it fails."""
    assert plain_properties(made) is None
    assert takes_text(made, "at") in (True, False)
    assert takes_null(made, "at") in (True, False)


@pytest.mark.parametrize(
    ("schema", "text", "null"),
    [
        (TEXT, True, False),
        ({"type": "integer"}, False, False),
        ({"type": ["string", "null"]}, True, True),
        ({"type": ["string", "integer"]}, False, False),
        ({"type": [["string"], 1]}, False, False),
        ({"anyOf": [TEXT, NULL]}, True, True),
        ({"oneOf": [TEXT, NULL, {}]}, False, True),
        ({"anyOf": [{"anyOf": [NULL]}, {"enum": ["a"]}]}, True, True),
        ({"enum": ["a", None]}, True, True),
        ({"enum": ["a", 1]}, False, False),
        ({"enum": None}, False, False),
        ({"anyOf": None}, False, False),
        ({}, False, False),
        (True, False, False),
    ],
)
def test_an_optional_text_is_a_text(
    schema: object,
    text: bool,  # noqa: FBT001  # a parameter
    null: bool,  # noqa: FBT001  # a parameter
) -> None:
    made = tool(schema)
    assert (takes_text(made, "at"), takes_null(made, "at")) == (text, null)
    assert takes_text(made, "of"), "it is not described"


@pytest.mark.parametrize(
    "schema", [{"type": ["string", "null"]}, {"anyOf": [TEXT, NULL]}]
)
@pytest.mark.parametrize(
    ("written", "value"),
    [
        ('{"a": 1}', '{"a": 1}'),
        ("12345", "12345"),
        ("null", None),
        ("null and void", "null and void"),
        ("", ""),
    ],
)
@pytest.mark.parametrize("end", ["\n", ""])
def test_an_optional_text_is_read_as_it_is_written(
    schema: dict[str, Any], written: str, value: str | None, end: str
) -> None:
    """Only null alone is none; in one piece, and character by character."""
    answer = (
        f"<tool_call>\n<function=look>\n<parameter=at>\n{written}{end}</parameter>\n"
        "</function>\n</tool_call>"
    )
    for pieces in ([answer], list(answer)):
        ((name, arguments),) = read(QwenXML(""), pieces, tools=(tool(schema),)).calls
        assert (name, json.loads(arguments)) == ("look", {"at": value})
