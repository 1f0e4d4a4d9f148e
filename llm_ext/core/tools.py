"""Functions that a client offers to the model."""

from typing import Any, Literal

import msgspec

ToolMode = Literal["none", "auto", "required"]


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """A function that the model may ask the client to call.

    Attributes:
        name: What it is called by.
        description: What it is for.
        parameters: A JSON Schema of its arguments, which are an object.
    """

    name: str
    description: str = ""
    parameters: dict[str, Any] = msgspec.field(
        default_factory=lambda: {"type": "object", "properties": {}}
    )


class ToolChoice(msgspec.Struct, frozen=True, kw_only=True):
    """Whether tools are called.

    Attributes:
        mode: Never, as the model likes, or at least one.
        name: The one tool that must be called, and once; with ``required``.
        parallel: Whether one answer may make several calls.
    """

    mode: ToolMode = "auto"
    name: str | None = None
    parallel: bool = True


def is_object(arguments: str) -> bool:
    """Return whether a call's arguments are whole: one cut short cannot be answered."""
    try:
        return isinstance(msgspec.json.decode(arguments), dict)
    except (msgspec.DecodeError, RecursionError):
        return False
