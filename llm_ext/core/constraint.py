"""What an answer must look like, as a request says it."""

from typing import Literal, TypeAlias

import msgspec


class _Constraint(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    """What an answer must be.

    Attributes:
        param: The request's field that says so, for errors.
    """

    param: str = "response_format"


class JSONSchema(_Constraint, frozen=True):
    """A JSON value that is valid under ``schema``, a JSON Schema as JSON text."""

    schema: str


class AnyJSON(_Constraint, frozen=True):
    """Any JSON object."""


class Regex(_Constraint, frozen=True):
    """Text that ``pattern`` matches as a whole."""

    pattern: str


class Choice(_Constraint, frozen=True):
    """One of ``options``."""

    options: tuple[str, ...]


class Grammar(_Constraint, frozen=True):
    """Text that a grammar derives; ``gbnf`` is llama.cpp's notation."""

    text: str
    syntax: Literal["gbnf", "lark"]


Constraint: TypeAlias = JSONSchema | AnyJSON | Regex | Choice | Grammar
