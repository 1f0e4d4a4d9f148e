"""Prompts that people keep: a text with holes, and how it is to be answered."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from llm_ext.errors import InvalidRequestError

_VARIABLE = re.compile(r"\{\{\s*(\w+)\s*\}\}")
"""A hole, such as ``{{name}}``. Nothing else in a template means anything."""


class PromptText(msgspec.Struct, frozen=True, kw_only=True):
    """What its owner writes.

    Attributes:
        name: What it is asked for by; each owner has it once.
        template: The text; ``{{variable}}`` is replaced.
        model: The id of the model that answers; None takes the default.
        options: Chat options, such as ``temperature``.
    """

    name: str
    template: str
    model: str | None = None
    options: dict[str, Any] = {}


class Prompt(PromptText, frozen=True, kw_only=True):
    """A stored prompt.

    Attributes:
        id: Its own.
        variables: Names of the template's variables, in order of appearance.
        version: Grows with every change; the first is 1.
        updated: When it last changed.
    """

    id: str
    variables: tuple[str, ...]
    version: int
    updated: datetime


def variables(template: str) -> tuple[str, ...]:
    """Return the names of a template's variables, in order of appearance."""
    return tuple(dict.fromkeys(_VARIABLE.findall(template)))


def fill(template: str, values: Mapping[str, object]) -> str:
    """Return the text with each variable's value in its place.

    Values are data: what looks like a variable in one of them stays as it is. Texts are
    inserted as they are, other values as JSON.

    Raises:
        InvalidRequestError: A variable has no value; names it.
    """

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if name not in values:
            raise InvalidRequestError(
                f"The prompt needs a value for its variable {name!r}.",
                param=f"variables.{name}",
            )
        given = values[name]
        if isinstance(given, str):
            return given
        return msgspec.json.encode(given).decode()

    return _VARIABLE.sub(value, template)
