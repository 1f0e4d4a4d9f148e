"""Grammars in Lark's notation, as llguidance reads it, built from parts.

See https://github.com/guidance-ai/llguidance/blob/main/docs/syntax.md.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from llm_ext.core.constraint import Grammar

MAX_CALLS = 16
"""Most calls in one answer where calls are demanded: a small model might never end."""

_STYLE = {
    "whitespace_flexible": False,
    "item_separator": ", ",
    "key_separator": ": ",
}
"""JSON as most models write it in one line; see :mod:`llm_ext.llama.constraint`."""


class Member(NamedTuple):
    """A member of what has members, with its key, and whether it must be there."""

    value: str
    required: bool


class Lark:
    """A grammar in the making. Its methods return expressions.

    Markers that are single tokens of the vocabulary are written as these tokens:
    their text alone would be other tokens, which the model does not know as markers.
    """

    def __init__(self, special: Mapping[str, int]) -> None:
        """Take the markers that are tokens, with their ids."""
        self._special = special
        self._markers = sorted(special, key=len, reverse=True)
        self._rules: list[str] = []

    def text(self, text: str) -> str:
        """Exactly ``text``, in which markers are tokens."""
        if not self._markers:
            return _literal(text)
        pattern = "|".join(map(re.escape, self._markers))
        parts = re.split(f"({pattern})", text)
        return " ".join(self._part(part) for part in parts if part)

    def json(self, schema: Mapping[str, Any]) -> str:
        """A JSON value that is valid under ``schema``."""
        return self.rule(f"%json {json.dumps({**schema, 'x-guidance': _STYLE})}")

    def until(self, closing: str) -> str:
        """Any text up to and with ``closing``."""
        if closing in self._special:
            anything = self.rule("/(?s:.*)/")
            return self.rule(f"{anything} {self.text(closing)}")
        return self._add(f"[suffix={_literal(closing)}]", "/(?s:.*)/")

    def either(self, options: Iterable[str]) -> str:
        """One of ``options``."""
        return self.rule(" | ".join(options))

    def sequence(self, *parts: str) -> str:
        """``parts``, one after the other."""
        return self.rule(" ".join(parts))

    def repeated(self, item: str, separator: str, *, many: bool) -> str:
        """``item``, and if there may be ``many`` more of it."""
        if not many:
            return item
        more = " ".join(part for part in (separator, item) if part)
        return self.rule(f"{item} ({more}){{0,{MAX_CALLS - 1}}}")

    def members(
        self, opening: str, members: Sequence[Member], separator: str, closing: str
    ) -> str:
        """Members in their order, between brackets; those not required may lack."""
        after = first = self.text(closing)
        comma = self.text(separator) if separator else ""
        for member in reversed(members):
            here = f"{member.value} {after}"
            next_after = f"{comma} {here}"
            if not member.required:
                next_after, here = f"{next_after} | {after}", f"{here} | {first}"
            after, first = self.rule(next_after), self.rule(here)
        return self.sequence(self.text(opening), first)

    def rule(self, expression: str) -> str:
        """``expression``, under a name."""
        return self._add("", expression)

    def grammar(self, start: str) -> Grammar:
        """Return the grammar of ``start``."""
        lines = [f"start: {start}", *self._rules]
        return Grammar(text="\n".join(lines) + "\n", syntax="lark")

    def _add(self, attributes: str, expression: str) -> str:
        name = f"part_{len(self._rules)}"
        self._rules.append(f"{name}{attributes}: {expression}")
        return name

    def _part(self, text: str) -> str:
        if text in self._special:
            return f"<[{self._special[text]}]>"
        return _literal(text)


def _literal(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
