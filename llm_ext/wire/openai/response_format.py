"""What clients say an answer must look like: OpenAI's field, llama-server's, vLLM's."""

from typing import Any

import msgspec

from llm_ext.core.constraint import (
    AnyJSON,
    Choice,
    Constraint,
    Grammar,
    JSONSchema,
    Regex,
)
from llm_ext.errors import InvalidRequestError


class _NamedSchema(msgspec.Struct):
    schema: dict[str, Any] | bool | None = None
    name: str | None = None
    strict: bool | None = None


class ResponseFormat(msgspec.Struct):
    """OpenAI's ``response_format``; ``schema`` beside the type is llama-server's."""

    type: str
    json_schema: _NamedSchema | None = None
    schema: dict[str, Any] | None = None


class StructuredOutputs(msgspec.Struct):
    """vLLM's ``structured_outputs``; one of the fields."""

    json: dict[str, Any] | str | None = None
    json_object: bool | None = None
    regex: str | None = None
    choice: list[str] | None = None
    grammar: str | None = None


_schema_decoder = msgspec.json.Decoder(dict[str, Any] | bool)


def constraint(
    response_format: ResponseFormat | None,
    structured_outputs: StructuredOutputs | None,
    json_schema: dict[str, Any] | None,
    grammar: str | None,
) -> Constraint | None:
    """Return the one constraint that a body's fields ask for.

    Args:
        response_format: OpenAI's field.
        structured_outputs: vLLM's field.
        json_schema: llama-server's field.
        grammar: llama-server's field, in GBNF.

    Raises:
        InvalidRequestError: A type is not known, a part is missing, or there is more
            than one constraint; names the field.
    """
    asked = {
        "response_format": _of_format(response_format or ResponseFormat(type="text")),
        "structured_outputs": _of_outputs(structured_outputs or StructuredOutputs()),
        "json_schema": None if json_schema is None else _schema(json_schema),
        "grammar": Grammar(text=grammar, syntax="gbnf") if grammar else None,
    }
    found = {field: wanted for field, wanted in asked.items() if wanted is not None}
    if len(found) > 1:
        raise InvalidRequestError(
            f"Only one of {' and '.join(repr(field) for field in found)} can be used.",
            param=list(found)[-1],
        )
    for field, wanted in found.items():
        return msgspec.structs.replace(wanted, param=field)
    return None


def _of_format(given: ResponseFormat) -> Constraint | None:
    match given.type:
        case "text":
            return None
        case "json_object":
            return AnyJSON() if given.schema is None else _schema(given.schema)
        case "json_schema":
            schema = (
                given.schema
                if given.json_schema is None
                else (given.json_schema.schema)
            )
            if schema is None:
                raise InvalidRequestError(
                    "'response_format' of type 'json_schema' needs a schema.",
                    param="response_format.json_schema.schema",
                )
            return _schema(schema)
        case other:
            raise InvalidRequestError(
                f"{other!r} is no response format; known ones are text, json_object "
                f"and json_schema.",
                param="response_format.type",
            )


def _of_outputs(given: StructuredOutputs) -> Constraint | None:
    asked: list[Constraint] = []
    if given.json is not None:
        wanted = given.json
        asked.append(_written(wanted) if isinstance(wanted, str) else _schema(wanted))
    if given.json_object:
        asked.append(AnyJSON())
    if given.regex is not None:
        asked.append(Regex(pattern=given.regex))
    if given.choice is not None:
        if not all(given.choice) or not given.choice:
            raise InvalidRequestError(
                "'structured_outputs.choice' must hold texts to choose from.",
                param="structured_outputs.choice",
            )
        asked.append(Choice(options=tuple(given.choice)))
    if given.grammar is not None:
        # Lark has no such sign, and GBNF no rule without it.
        gbnf = "::=" in given.grammar
        asked.append(Grammar(text=given.grammar, syntax="gbnf" if gbnf else "lark"))
    if len(asked) > 1:
        raise InvalidRequestError(
            "'structured_outputs' must say one thing.", param="structured_outputs"
        )
    return asked[0] if asked else None


def _written(text: str) -> JSONSchema:
    try:
        _schema_decoder.decode(text)
    except (msgspec.DecodeError, RecursionError) as error:
        raise InvalidRequestError(
            f"'structured_outputs.json' holds no JSON Schema: {error}.",
            param="structured_outputs",
        ) from error
    return JSONSchema(schema=text)


def _schema(schema: object) -> JSONSchema:
    return JSONSchema(schema=msgspec.json.encode(schema).decode())
