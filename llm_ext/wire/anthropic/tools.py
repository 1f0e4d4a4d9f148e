"""``v1/messages``: the tools that clients offer, and which must be called."""

from collections.abc import Sequence
from typing import Any

import msgspec

from llm_ext.core.tools import Tool, ToolChoice
from llm_ext.errors import InvalidRequestError
from llm_ext.wire.openai import chat_tools
from llm_ext.wire.openai.chat_tools import NamedChoice, ToolBody


class ToolOffer(msgspec.Struct):
    """A tool that is offered; only those that the client runs are known."""

    name: str
    type: str | None = None
    description: str | None = None
    input_schema: dict[str, Any] | None = None


class Choice(msgspec.Struct):
    """Whether tools are called: ``auto``, ``any``, ``none``, or the ``tool`` named."""

    type: str
    name: str | None = None
    disable_parallel_tool_use: bool | None = None


_MODES = {"auto": "auto", "any": "required", "none": "none"}


def tools(offers: Sequence[ToolOffer]) -> tuple[Tool, ...]:
    """Return the tools, by OpenAI's rules for names.

    Raises:
        InvalidRequestError: One is Anthropic's own, has no usable name, or the name of
            another; names the field.
    """
    return chat_tools.tools(
        [_body(offer, f"tools[{index}]") for index, offer in enumerate(offers)],
        name_field="name",
    )


def tool_choice(
    given: Choice | None, offered: tuple[Tool, ...]
) -> tuple[ToolChoice, tuple[Tool, ...]]:
    """Return what is chosen, and the tools that there are to choose from.

    Raises:
        InvalidRequestError: The choice is of no known kind, or of a tool that is not
            offered; names the field.
    """
    if given is None:
        return chat_tools.tool_choice(None, offered, parallel=True)
    return chat_tools.tool_choice(
        _choice(given), offered, parallel=not given.disable_parallel_tool_use
    )


def _body(offer: ToolOffer, where: str) -> ToolBody:
    if offer.type not in {None, "custom"}:
        raise InvalidRequestError(
            f"A tool of type {offer.type!r} is not supported; only those are that the "
            f"client runs, with an 'input_schema'.",
            param=f"{where}.type",
        )
    function = {
        "name": offer.name,
        "description": offer.description,
        "parameters": offer.input_schema,
    }
    return msgspec.convert({"type": "function", "function": function}, ToolBody)


def _choice(given: Choice) -> str | NamedChoice:
    if given.type == "tool":
        if given.name is None:
            raise InvalidRequestError(
                "'tool_choice' of type 'tool' needs the tool's name.",
                param="tool_choice.name",
            )
        named = {"type": "function", "function": {"name": given.name}}
        return msgspec.convert(named, NamedChoice)
    if given.type not in _MODES:
        raise InvalidRequestError(
            f"{given.type!r} is no tool choice; known ones are auto, any, tool and "
            f"none.",
            param="tool_choice.type",
        )
    return _MODES[given.type]
