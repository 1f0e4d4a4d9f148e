"""How large the parts of a request may be, whatever dialect it came in."""

from collections.abc import Iterable

import msgspec

from llm_ext.errors import InvalidRequestError

from .constraint import JSONSchema
from .requests import ChatRequest, CompletionRequest, Request

MAX_MESSAGES = 10_000
MAX_TOOLS = 512
MAX_SCHEMA_DEPTH = 64
"""Levels of objects and lists in a JSON Schema, of an answer or of arguments."""


def check(request: Request) -> None:
    """Refuse what no honest client sends.

    Raises:
        InvalidRequestError: There are too many messages or tools, or a schema is too
            deep; names the field.
    """
    if isinstance(request, ChatRequest):
        _check_chat(request)
    if isinstance(request, (ChatRequest, CompletionRequest)) and isinstance(
        request.constraint, JSONSchema
    ):
        _check_depth(_schema(request.constraint), request.constraint.param)


def _check_chat(request: ChatRequest) -> None:
    if len(request.messages) > MAX_MESSAGES:
        raise InvalidRequestError(
            f"{len(request.messages)} messages are too many; at most {MAX_MESSAGES} "
            f"are read.",
            param="messages",
        )
    if len(request.tools) > MAX_TOOLS:
        raise InvalidRequestError(
            f"{len(request.tools)} tools are too many; at most {MAX_TOOLS} are read.",
            param="tools",
        )
    for tool in request.tools:
        _check_depth(tool.parameters, "tools")


def _schema(constraint: JSONSchema) -> object:
    try:
        return msgspec.json.decode(constraint.schema)
    except msgspec.DecodeError:
        return None  # the constraint's compiler says what is wrong with it
    except RecursionError:
        raise _too_deep(constraint.param) from None


def is_deeper(value: object, levels: int) -> bool:
    """Whether objects and lists are nested in more than so many levels."""
    level: list[object] = [value]
    for _ in range(levels + 1):
        level = [child for value in level for child in _children(value)]
        if not level:
            return False
    return True


def _check_depth(schema: object, param: str) -> None:
    if is_deeper(schema, MAX_SCHEMA_DEPTH):
        raise _too_deep(param)


def _children(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list | tuple) else ()


def _too_deep(param: str) -> InvalidRequestError:
    return InvalidRequestError(
        f"A schema has more than {MAX_SCHEMA_DEPTH} levels; at most these are read.",
        param=param,
    )
