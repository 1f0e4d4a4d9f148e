"""Writes the table of errors in docs/http.md from the classes themselves.

``python -m tools.error_table`` rewrites the lines between the two marks. The sentence
beside each code is the first of its class's docstring.
"""

from pathlib import Path

from llm_ext.errors import (
    DownloadError,
    LLMError,
    ModelError,
    RequestError,
    UnavailableError,
)
from llm_ext.wire.openai.errors import status

PAGE = Path(__file__).parents[1] / "docs" / "http.md"
BEGIN = "<!-- errors: python -m tools.error_table -->\n"
END = "<!-- end of errors -->\n"

_FAMILIES = (RequestError, ModelError, UnavailableError, DownloadError)


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
    """Return all errors by status and code, as Markdown."""
    lines = ["| code | status | retry | |", "|---|---|---|---|"]
    for number, kind in sorted(
        ((status(_bare(kind)), kind) for kind in kinds()),
        key=lambda row: (row[0], row[1].code),
    ):
        retry = "yes" if kind.retry else ""
        lines.append(f"| `{kind.code}` | {number} | {retry} | {_sentence(kind)} |")
    return "\n".join(lines) + "\n"


def kinds() -> list[type[LLMError]]:
    """Return the classes that are raised; families only stand for their children."""
    found: list[type[LLMError]] = []
    todo: list[type[LLMError]] = [LLMError]
    while todo:
        children = todo.pop().__subclasses__()
        found += [child for child in children if child not in _FAMILIES]
        todo += children
    return found


def _bare(kind: type[LLMError]) -> LLMError:
    error = kind.__new__(kind)
    LLMError.__init__(error, "")
    return error


def _sentence(kind: type[LLMError]) -> str:
    return (kind.__doc__ or "").partition("\n")[0].rstrip(".").replace("|", "\\|")


def main() -> None:
    """Rewrite the page."""
    PAGE.write_text(page(PAGE.read_text()))


if __name__ == "__main__":
    main()
