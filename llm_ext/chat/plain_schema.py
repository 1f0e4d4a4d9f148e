"""Parameters that are simple enough for notations other than JSON's."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from llm_ext.core.tools import Tool

PlainKind = Literal["text", "option", "scalar", "nested"]
"""Any text, one of a few texts, another value without parts, or one with parts."""

_SAYS_NOTHING = {"description", "title", "default", "examples", "$schema"}
_OBJECT_KEYS = {"type", "properties", "required", "additionalProperties"}
_TYPE_NAMES = {str: "string", type(None): "null"}


class PlainProperty(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter.

    Attributes:
        name: Its name.
        schema: Its JSON Schema.
        kind: What its values are.
        required: Whether it must be given.
        options: The texts to choose from.
    """

    name: str
    schema: dict[str, Any]
    kind: PlainKind
    required: bool
    options: tuple[str, ...] = ()


def plain_properties(tool: Tool) -> list[PlainProperty] | None:
    """Return the parameters; None where only JSON can hold to their schema."""
    schema = tool.parameters
    properties = schema.get("properties", {})
    if not isinstance(properties, dict) or _said(schema) - _OBJECT_KEYS:
        return None
    required = _names(schema.get("required", []))
    if required is None or not required <= set(properties):
        return None
    found: list[PlainProperty] = []
    for name, value in properties.items():
        kind = _kind(value)
        if kind is None:
            return None
        found.append(
            PlainProperty(
                name=name,
                schema=value,
                kind=kind,
                required=name in required,
                options=tuple(value["enum"]) if kind == "option" else (),
            )
        )
    return found


def takes_text(tool: Tool, name: str) -> bool:
    """Whether a parameter is a text, if it is anything; or is not described."""
    properties = tool.parameters.get("properties")
    if not isinstance(properties, dict) or name not in properties:
        return True
    types = _types(properties[name])
    return "string" in types and types <= {"string", "null"}


def takes_null(tool: Tool, name: str) -> bool:
    """Whether a parameter may be null."""
    properties = tool.parameters.get("properties")
    return isinstance(properties, dict) and "null" in _types(properties.get(name))


def _types(schema: object) -> set[str]:
    """Return the JSON types that a schema names, if it does.

    Clients write schemas: what makes no sense names nothing.
    """
    match schema:
        case {"type": str(kind)}:
            return {kind}
        case {"type": [*kinds]}:
            return {kind for kind in kinds if isinstance(kind, str)}
        case {"enum": [*options]}:
            return {_TYPE_NAMES.get(type(option), "other") for option in options}
        case {"anyOf": [*kinds]} | {"oneOf": [*kinds]}:
            return {name for kind in kinds for name in _types(kind) or ["other"]}
    return set()


def _kind(schema: object) -> PlainKind | None:
    if not isinstance(schema, dict) or "$ref" in str(schema):
        return None
    kind, options = schema.get("type"), schema.get("enum")
    plain = _said(schema) <= {"type", "enum"}
    match kind:
        case "integer" | "number" | "boolean":
            return "scalar"
        case "array" | "object":
            return "nested"
        case "string" if plain and options is None:
            return "text"
        case "string" | None if plain and _are_plain(options):
            return "option"
    return None


def _are_plain(options: object) -> bool:
    names = _names(options)
    return bool(names) and not any("<" in name for name in names or ())


def _names(value: object) -> set[str] | None:
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return set(value)
    return None


def _said(schema: Mapping[str, Any]) -> set[str]:
    return set(schema) - _SAYS_NOTHING
