"""What an answer has to be: a JSON Schema, and the Python object that it stands for."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec

from .errors import SchemaError
from .fences import without_fences

_LOWEST = {"minimum", "exclusiveMinimum"}
_HIGHEST = {"maximum", "exclusiveMaximum"}
_CHOSEN = {"enum", "const"}
"""JSON Schema's words for which integers may be."""


@dataclass(frozen=True, kw_only=True)
class Schema:
    """A JSON Schema, and how a text that keeps to it is read.

    Attributes:
        name: What it is called in a request.
        json: The JSON Schema.
        read: Makes the object of a text.
    """

    name: str
    json: dict[str, Any]
    read: Callable[[str], Any]

    @property
    def response_format(self) -> dict[str, Any]:
        """OpenAI's field, which asks for such an answer."""
        named = {"name": self.name, "schema": self.json, "strict": True}
        return {"type": "json_schema", "json_schema": named}

    def value(self, text: str, *, cut: bool = False) -> Any:  # noqa: ANN401  # of the type that was asked for
        """Return the object that ``text`` stands for.

        Raises:
            SchemaError: It is no such object; ``cut`` is whether the text was ended
                by its length, which is then why.
        """
        try:
            return self.read(without_fences(text))
        # Pydantic's error, msgspec's and json's have only this in common.
        except (ValueError, TypeError) as error:
            if cut:
                raise SchemaError(
                    f"the answer was cut at its greatest length, so it is no whole "
                    f"{self.name}. A larger max_tokens, or a longer context, lets it "
                    "go on."
                ) from error
            raise SchemaError(f"the answer is no {self.name}: {error}.") from error


def schema_of(wanted: object) -> Schema:
    """Return the schema for ``wanted``.

    Args:
        wanted: A JSON Schema as a dict or as text; a Pydantic model; or a type, such
            as a dataclass, a TypedDict, ``list[int]`` or a ``Literal``.

    Raises:
        SchemaError: It can be described by no JSON Schema; says why.
    """
    if isinstance(wanted, Schema):
        return wanted
    if isinstance(wanted, str):
        wanted = _parsed(wanted)
    if isinstance(wanted, dict):
        name = _plain_name(wanted.get("title") or "answer")
        return Schema(name=name, json=wanted, read=json.loads)
    if isinstance(wanted, type) and hasattr(wanted, "model_json_schema"):
        return _pydantic(wanted)
    return _typed(wanted)


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError as error:
        raise SchemaError(f"the schema is no JSON: {error}.") from error


def _pydantic(model: Any) -> Schema:  # noqa: ANN401  # Pydantic need not be installed
    try:
        described = model.model_json_schema()
    # Pydantic's errors cannot be named here, and hooks of the model may raise others.
    except Exception as error:
        raise SchemaError(f"{model.__name__} cannot be a schema: {error}.") from error
    return Schema(
        name=_plain_name(model.__name__),
        json=finite(described),
        read=model.model_validate_json,
    )


def _typed(wanted: Any) -> Schema:  # noqa: ANN401  # any type
    name = _plain_name(getattr(wanted, "__name__", "") or str(wanted))
    try:
        described = msgspec.json.schema(wanted)
        decoder = msgspec.json.Decoder(wanted)
    # A type that msgspec does not know is a TypeError, a name that it cannot find in
    # an annotation a NameError.
    except (TypeError, NameError) as error:
        raise SchemaError(
            f"{name} cannot be a schema: {error}. It may be a JSON Schema (a dict), a "
            f"Pydantic model, a dataclass, a TypedDict, or made of plain types."
        ) from error
    return Schema(name=name, json=finite(described), read=decoder.decode)


def finite(schema: Any) -> Any:  # noqa: ANN401  # any part of a JSON Schema
    """Return ``schema`` without what a small model could write for ever.

    Objects have no other properties than the named, and integers have 64 bits.
    """
    if isinstance(schema, list):
        return [finite(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    parts = {name: finite(part) for name, part in schema.items()}
    if isinstance(parts.get("properties"), dict) and parts.get("type") == "object":
        parts.setdefault("additionalProperties", False)
    if parts.get("type") == "integer" and not parts.keys() & _CHOSEN:
        if not parts.keys() & _LOWEST:
            parts["minimum"] = -(2**63)
        if not parts.keys() & _HIGHEST:
            parts["maximum"] = 2**63 - 1
    return parts


def _plain_name(name: str) -> str:
    """Return ``name`` in the letters that OpenAI allows here."""
    letters = (c if c.isascii() and (c.isalnum() or c in "_-") else "_" for c in name)
    return "".join(letters).strip("_")[:64] or "answer"
