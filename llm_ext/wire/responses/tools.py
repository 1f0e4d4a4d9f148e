"""``v1/responses``: the tools that clients offer, and which must be called."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import msgspec

from llm_ext.core.tools import Tool, ToolChoice
from llm_ext.errors import InvalidRequestError
from llm_ext.wire.openai import chat_tools
from llm_ext.wire.openai.chat_tools import NamedChoice, ToolBody


class ToolOffer(msgspec.Struct, omit_defaults=True):
    """A tool that is offered. Answers repeat those that are functions."""

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


def functions(offers: Sequence[ToolOffer]) -> tuple[ToolOffer, ...]:
    """Return those that the client runs.

    Others are OpenAI's own, such as a search of the web. Agents offer them wherever
    they are, so that they are left out rather than refused: a model that hears nothing
    of a tool does not call it.
    """
    return tuple(offer for offer in offers if offer.type == "function")


def tools(offers: Sequence[ToolOffer]) -> tuple[Tool, ...]:
    """Return the tools; ``offers`` are functions.

    Raises:
        InvalidRequestError: One has no usable name, or the name of another; names the
            field.
    """
    bodies = [
        msgspec.convert(_nested(offer, f"tools[{index}]"), ToolBody)
        for index, offer in enumerate(offers)
    ]
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
            for index, tool in enumerate(functions(given.tools or ()))
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
