"""Puts the values of ``{name}`` into a question, and leaves every other brace alone.

Braces are common in what people ask about, so a pair is replaced only where it can be
meant: it holds a name that the notebook knows (also ``{a.b}``, ``{a[0]}`` and
``{a['key']}``), and it stands neither in code (between backticks, in an f-string), nor
in mathematics (between dollars, after a command, ``_`` or ``^``), nor beside a word, a
dollar or a brace that was not replaced itself.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .describe import describe

_KEPT = re.compile(
    r"""
    (?P<fence>^[ ]{0,3}(`{3,}|~{3,}).*?(?:^[ ]{0,3}\2[`~]*[ \t]*$|\Z))
    | (?<!`)(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`)
    | \$\$.+?\$\$
    | (?<![\\\w$])\$(?=\S)[^$\n]+?(?<=\S)\$(?!\w)
    | \\\(.+?\\\) | \\\[.+?\\\]
    | \\begin\{(?P<env>[^{}\n]+)\}.*?\\end\{(?P=env)\}
    | \b(?!f'\([a-z]\))(?:[fF][rR]?|[rR][fF])
      (?:\"\"\".*?\"\"\"|'''.*?'''|"[^"\n]*"|'[^'\n]*')
    """,
    re.DOTALL | re.MULTILINE | re.VERBOSE,
)
"""What is never looked into: code, mathematics, f-strings; f'(x) is a derivative."""

_NAMED = re.compile(
    r"""
    (?<![\w\\{$\]^])
    \{
    (?P<name>[^\W\d]\w*)
    (?P<path>(?:\.[^\W\d]\w*|\[-?\d+\]|\['[^'\]\n]*'\]|\["[^"\]\n]*"\])*)
    \}
    (?!\})
    """,
    re.VERBOSE,
)
_STEP = re.compile(r"\.(\w+)|\[(-?\d+)\]|\[['\"](.*?)['\"]\]")


@dataclass(frozen=True, kw_only=True)
class Interpolated:
    """A question with its values; ``names`` are what was replaced, as written."""

    text: str
    names: tuple[str, ...]


def interpolate(text: str, values: Mapping[str, Any], limit: int) -> Interpolated:
    """Replace ``{name}`` by what it is, in ``limit`` characters all together.

    A name that is not in ``values``, or leads nowhere, stays as it is written.
    """
    found = list(_found(text, values))
    parts: list[str] = []
    position = 0
    share = max(limit // max(len(found), 1), 1)
    for match, value in found:
        parts += [text[position : match.start()], describe(value, share)]
        position = match.end()
    parts.append(text[position:])
    names = dict.fromkeys(match[0] for match, _ in found)
    return Interpolated(text="".join(parts), names=tuple(names))


def _found(text: str, values: Mapping[str, Any]) -> Iterator[tuple[re.Match[str], Any]]:
    """Yield what is to be replaced, with its value."""
    kept = [match.span() for match in _KEPT.finditer(text)]
    replaced = -1
    for match in _NAMED.finditer(text):
        start = match.start()
        if any(first <= start < end for first, end in kept):
            continue
        if text[:start].endswith("}") and start != replaced:
            continue
        for value in _looked_up(match, values):
            replaced = match.end()
            yield match, value


def _looked_up(match: re.Match[str], values: Mapping[str, Any]) -> list[Any]:
    """Return the value that is meant, or nothing."""
    if match["name"] not in values:
        return []
    value = values[match["name"]]
    try:
        for attribute, index, key in _STEP.findall(match["path"]):
            if attribute:
                value = getattr(value, attribute)
            else:
                value = value[int(index) if index else key]
    # An attribute or an item of the user's may raise anything.
    except Exception:  # noqa: BLE001  # see above
        return []
    return [value]
