"""``v1/chat/completions``: the tools that clients offer, and which must be called."""

import re
from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from llm_ext.core.tools import Tool, ToolChoice, ToolMode
from llm_ext.errors import InvalidRequestError

_NAME = re.compile(r"[\w.:/-]{1,128}")
_MODES: dict[str, ToolMode] = {"none": "none", "auto": "auto", "required": "required"}


class _Function(msgspec.Struct):
    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None


class ToolBody(msgspec.Struct):
    """A tool that is offered; only functions are known."""

    type: str = "function"
    function: _Function | None = None


class _Named(msgspec.Struct):
    name: str


class _Allowed(msgspec.Struct):
    tools: list[ToolBody]
    mode: Literal["auto", "required"] = "auto"


class NamedChoice(msgspec.Struct):
    """The tool that must be called, or those that may be."""

    type: str
    function: _Named | None = None
    allowed_tools: _Allowed | None = None


def tools(
    bodies: Sequence[ToolBody], *, name_field: str = "function.name"
) -> tuple[Tool, ...]:
    """Return the tools; ``name_field`` is where clients of the dialect write names.

    Raises:
        InvalidRequestError: One is no function, has no usable name, or the name of
            another; names the field.
    """
    found: dict[str, Tool] = {}
    for index, body in enumerate(bodies):
        tool = _tool(body, f"tools[{index}]", name_field)
        if tool.name in found:
            raise InvalidRequestError(
                f"There are two tools {tool.name!r}.",
                param=f"tools[{index}].{name_field}",
            )
        found[tool.name] = tool
    return tuple(found.values())


def tool_choice(
    given: str | NamedChoice | None, offered: tuple[Tool, ...], *, parallel: bool
) -> tuple[ToolChoice, tuple[Tool, ...]]:
    """Return what is chosen, and the tools that there are to choose from.

    Raises:
        InvalidRequestError: The choice is of no known kind, or of a tool that is not
            offered; names the field.
    """
    if given is None:
        return ToolChoice(parallel=parallel), offered
    if isinstance(given, str):
        return ToolChoice(mode=_mode(given, offered), parallel=parallel), offered
    if given.function is not None:
        name = given.function.name
        _subset([name], offered)
        return ToolChoice(mode="required", name=name, parallel=False), offered
    if given.allowed_tools is None:
        raise InvalidRequestError(
            f"'tool_choice' of type {given.type!r} is not supported; known ones are "
            f"function and allowed_tools.",
            param="tool_choice.type",
        )
    allowed = given.allowed_tools
    names = [body.function.name for body in allowed.tools if body.function]
    subset = _subset(names, offered)
    return ToolChoice(mode=_mode(allowed.mode, subset), parallel=parallel), subset


def _tool(body: ToolBody, where: str, name_field: str) -> Tool:
    if body.type != "function" or body.function is None:
        raise InvalidRequestError(
            f"A tool of type {body.type!r} is not supported; only functions are.",
            param=f"{where}.type",
        )
    function = body.function
    if not _NAME.fullmatch(function.name):
        raise InvalidRequestError(
            f"{function.name!r} cannot be a tool's name: it must have 1 to 128 "
            f"letters, digits and any of _ - . : /",
            param=f"{where}.{name_field}",
        )
    tool = Tool(name=function.name, description=function.description or "")
    if function.parameters is None:
        return tool
    return msgspec.structs.replace(tool, parameters=function.parameters)


def _mode(given: str, offered: tuple[Tool, ...]) -> ToolMode:
    mode = _MODES.get(given)
    if mode is None:
        raise InvalidRequestError(
            f"{given!r} is no tool choice; known ones are none, auto and required.",
            param="tool_choice",
        )
    if mode == "required" and not offered:
        raise InvalidRequestError(
            "'tool_choice' demands a call, but 'tools' offers none.",
            param="tool_choice",
        )
    return mode


def _subset(names: Sequence[str], offered: tuple[Tool, ...]) -> tuple[Tool, ...]:
    known = {tool.name for tool in offered}
    for name in names:
        if name not in known:
            raise InvalidRequestError(
                f"'tool_choice' names {name!r}, which 'tools' does not offer.",
                param="tool_choice",
            )
    return tuple(tool for tool in offered if tool.name in names)
