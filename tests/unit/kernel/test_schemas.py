"""What can be asked for with a schema, and the object that comes of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypedDict

import msgspec
import pydantic
import pytest

from kernel_magics.errors import SchemaError
from kernel_magics.schema import schema_of


@dataclass
class Point:
    x: int
    y: int = 0


class City(TypedDict):
    name: str
    people: int


class Person(pydantic.BaseModel):
    name: str
    home: Literal["Turin", "Oslo"]


@pytest.mark.parametrize(
    ("wanted", "text", "value"),
    [
        (Point, '{"x": 1, "y": 2}', Point(1, 2)),
        (Point, '```json\n{"x": 1}\n```', Point(1, 0)),
        (City, '{"name": "Oslo", "people": 1}', {"name": "Oslo", "people": 1}),
        (
            Person,
            '{"name": "Ada", "home": "Turin"}',
            Person(name="Ada", home="Turin"),
        ),
        (list[Point], '[{"x": 1}]', [Point(1)]),
        (Literal["yes", "no"], '"yes"', "yes"),
        ({"type": "object"}, '{"a": 1}', {"a": 1}),
        ('{"type": "array"}', "[1]", [1]),
    ],
)
def test_the_object_is_what_was_asked_for(wanted: Any, text: str, value: Any) -> None:  # noqa: ANN401  # any type
    """A dataclass, TypedDict, Pydantic model, plain type or JSON Schema."""
    schema = schema_of(wanted)
    assert schema.value(text) == value
    assert schema.response_format["json_schema"]["schema"] == schema.json


def test_types_have_an_end_and_a_users_schema_is_not_touched() -> None:
    """A small model would invent properties, and write digits, for ever."""
    assert schema_of(Person).json["additionalProperties"] is False
    assert schema_of(Point).json["$defs"]["Point"]["additionalProperties"] is False
    assert schema_of(list[int]).json["items"]["maximum"] == 2**63 - 1
    at_least_one = schema_of(Annotated[int, msgspec.Meta(ge=1)]).json
    assert (at_least_one["minimum"], at_least_one["maximum"]) == (1, 2**63 - 1)
    assert "minimum" not in schema_of(Literal[1, 2]).json
    own = {"type": "object", "properties": {"a": {}, "b": {"type": "integer"}}}
    assert schema_of(own).json == own


@pytest.mark.parametrize("text", ['{"x": "one"}', '{"x": 1', "none", ""])
def test_an_answer_that_is_none_is_refused(text: str) -> None:
    """It says what it should have been."""
    with pytest.raises(SchemaError, match="the answer is no Point"):
        schema_of(Point).value(text)


def test_an_answer_that_was_cut_says_what_lets_it_go_on() -> None:
    """Not where the parser stood when it ended."""
    with pytest.raises(
        SchemaError, match="cut at its greatest length, so it is no whole Point"
    ) as caught:
        schema_of(Point).value('{"x": 1', cut=True)
    assert "max_tokens" in str(caught.value)
    assert "byte" not in str(caught.value)
    assert schema_of(Point).value('{"x": 1}', cut=True) == Point(1)


class Indescribable(pydantic.BaseModel):
    call: Callable[[], int]


@pytest.mark.parametrize(
    "wanted",
    [
        Ellipsis,
        "{no json",
        lambda: 0,
        Indescribable,
        Person(name="Ada", home="Turin"),
    ],
)
def test_what_is_no_schema_is_refused(wanted: object) -> None:
    """In words that say what can be one."""
    with pytest.raises(SchemaError):
        schema_of(wanted)
