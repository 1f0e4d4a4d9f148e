"""``v1/responses``: the tools that clients offer, and which must be called."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import msgspec

from llm_ext.core.tools import Tool, ToolChoice
from llm_ext.errors import InvalidRequestError
from llm_ext.wire.openai import chat_tools
from llm_ext.wire.openai.chat_tools import NamedChoice, ToolBody


class ToolOffer(msgspec.Struct, omit_defaults=True):
    """A tool that is offered; only functions are known. Answers repeat it."""

    type: str
    name: str | None = None
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class Choice(msgspec.Struct, omit_defaults=True):
    """The function that must be called, or the tools that may be."""

    type: str
    name: str | None = None
    mode: str | None = None
    tools: list[ToolOffer] | None = None


_Nested: TypeAlias = dict[str, Any]
"""A tool as chats have it: what describes a function is a level below its type."""


def tools(offers: Sequence[ToolOffer]) -> tuple[Tool, ...]:
    """Return the tools.

    Raises:
        InvalidRequestError: One is no function, has no usable name, or the name of
            another; names the field.
    """
    bodies = []
    for index, offer in enumerate(offers):
        function = offer.type == "function"
        nested = _nested(offer, f"tools[{index}]") if function else {"type": offer.type}
        bodies.append(msgspec.convert(nested, ToolBody))
    return chat_tools.tools(bodies, name_field="name")


def tool_choice(
    given: str | Choice | None, offered: tuple[Tool, ...], *, parallel: bool
) -> tuple[ToolChoice, tuple[Tool, ...]]:
    """Return what is chosen, and the tools that there are to choose from.

    Raises:
        InvalidRequestError: The choice is of no known kind, or of a tool that is not
            offered; names the field.
    """
    chosen = _chosen(given) if isinstance(given, Choice) else given
    return chat_tools.tool_choice(chosen, offered, parallel=parallel)


def _chosen(given: Choice) -> NamedChoice:
    nested: _Nested = {"type": given.type}
    if given.type == "function":
        offer = ToolOffer(type="function", name=given.name)
        nested = _nested(offer, "tool_choice")
    elif given.type == "allowed_tools":
        allowed = [
            _nested(tool, f"tool_choice.tools[{index}]")
            for index, tool in enumerate(given.tools or [])
        ]
        mode = "required" if given.mode == "required" else "auto"
        nested["allowed_tools"] = {"mode": mode, "tools": allowed}
    return msgspec.convert(nested, NamedChoice)


def _nested(offer: ToolOffer, where: str) -> _Nested:
    if offer.name is None:
        raise InvalidRequestError("A function needs a 'name'.", param=f"{where}.name")
    function = {
        "name": offer.name,
        "description": offer.description,
        "parameters": offer.parameters,
    }
    return {"type": "function", "function": function}
