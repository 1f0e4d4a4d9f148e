"""What becomes of a text that was asked for in a format, as it grows and at its end."""

import json
from typing import Any

from kernel_magics.answer import Answer
from kernel_magics.fences import fenced, without_fences
from kernel_magics.inert import inert

from .bundles import (
    Bundle,
    code_bundle,
    html_bundle,
    json_bundle,
    markdown_bundle,
    math_bundle,
    plain_bundle,
)

FORMATS = ("markdown", "text", "code", "json", "html", "math")

INSTRUCTIONS = {
    "code": "Answer with one block of Python code and nothing else.",
    "json": "Answer with JSON and nothing else.",
    "html": "Answer with HTML and nothing else.",
    "math": "Answer with one formula in LaTeX and nothing else.",
}
"""What a model is told, by format."""


def growing(text: str, kind: str) -> str:
    """Return, as Markdown, what there is of a text so far."""
    if kind == "markdown" or (kind == "code" and text.lstrip().startswith("```")):
        return inert(text)
    language = {"code": "python", "json": "json", "html": "html"}.get(kind, "")
    return inert(fenced(text, language))


def final(answer: Answer, kind: str) -> Bundle:
    """Return a whole answer as it is kept."""
    text = answer.text
    match kind:
        case "text":
            return plain_bundle(text)
        case "code":
            return code_bundle(answer.code)
        case "json":
            return _json(text)
        case "html":
            return html_bundle(without_fences(text))
        case "math":
            return math_bundle(without_fences(text))
        case _:
            return markdown_bundle(inert(text), text)


def _json(text: str) -> Bundle:
    """Return JSON; as a block of text where an answer that was cut is none."""
    try:
        value: Any = json.loads(without_fences(text))
    except ValueError:
        return markdown_bundle(growing(text, "json"), text)
    return json_bundle(value)
