"""Writes the table of options in docs/configuration.md from the options themselves.

``python -m tools.options_table`` rewrites the lines between the two marks.
"""

import inspect
import re
from pathlib import Path
from typing import Any

from traitlets import TraitType

from llm_ext.config import EARLIER_NAMES, PREFIX, LLMConfig

PAGE = Path(__file__).parents[1] / "docs" / "configuration.md"
BEGIN = "<!-- options: python -m tools.options_table -->\n"
END = "<!-- end of options -->\n"


def page(text: str) -> str:
    """Return the page with the table as it should be.

    Raises:
        ValueError: The page lacks the marks.
    """
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError("the page lacks the marks between which the table stands")
    return before + begin + "\n" + table() + "\n" + end + after


def table() -> str:
    """Return all options in the order of the file, as Markdown."""
    lines = ["| option | default | environment | meaning |", "|---|---|---|---|"]
    options = LLMConfig.class_own_traits(config=True)
    for name in (name for name in vars(LLMConfig) if name in options):
        trait = options[name]
        cells = (f"`{name}`", _default(name, trait), _variables(name), _help(trait))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _default(name: str, trait: "TraitType[Any, Any]") -> str:
    """Return the default; nothing where it depends on the machine: the help says it."""
    if f"_default_{name}" in vars(LLMConfig):
        return ""
    value = trait.default()
    return "" if value in ("", [], {}) else f"`{value!r}`"


def _variables(name: str) -> str:
    names = [PREFIX + name.upper(), EARLIER_NAMES.get(name)]
    return ", ".join(f"`{variable}`" for variable in names if variable)


def _help(trait: "TraitType[Any, Any]") -> str:
    text = " ".join(inspect.cleandoc(trait.help).split())
    # In a table's cell a bar ends it, and braces are safer in code.
    return re.sub(r"(\{.*\})", r"`\1`", text).replace("|", "\\|")


def main() -> None:
    """Rewrite the page."""
    PAGE.write_text(page(PAGE.read_text()))


if __name__ == "__main__":
    main()
