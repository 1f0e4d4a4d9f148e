"""The same thing by MIME type, so that each front end takes what it shows best.

Every bundle has ``text/plain``: a terminal, and a page that renders nothing, show that.
"""

import html
import json
from typing import Any, TypeAlias

from kernel_magics.fences import fenced
from kernel_magics.inert import inert

Bundle: TypeAlias = dict[str, Any]
"""By MIME type."""


def markdown_bundle(markdown: str, plain: str | None = None) -> Bundle:
    """Return Markdown; ``plain`` where its source does not read well."""
    return {
        "text/markdown": markdown,
        "text/plain": markdown if plain is None else plain,
    }


def plain_bundle(text: str) -> Bundle:
    """Return text that is shown as it is."""
    return {"text/plain": text}


def code_bundle(code: str, language: str = "python") -> Bundle:
    """Return a block of a model's code."""
    return markdown_bundle(inert(fenced(code, language)), code)


def json_bundle(value: object) -> Bundle:
    """Return a JSON value, which JupyterLab shows as a tree."""
    text = json.dumps(value, indent=2, ensure_ascii=False)
    bundle: Bundle = {"text/plain": text}
    # Front ends accept nothing but an object or an array as JSON.
    if isinstance(value, (dict, list)):
        bundle["application/json"] = value
    return bundle


def html_bundle(source: str) -> Bundle:
    """Return a page of a model's, in a frame in which it can run nothing.

    A model's page is not the user's own: its scripts would act with the rights of the
    notebook.
    """
    frame = (
        '<iframe sandbox="" title="The answer" style="width: 100%; height: 20em; '
        'border: 0; resize: vertical; background: white" '
        f'srcdoc="{html.escape(source)}"></iframe>'
    )
    return {"text/html": frame, "text/plain": source}


def math_bundle(source: str) -> Bundle:
    """Return a formula in LaTeX, with or without its dollars."""
    inside = source.strip()
    for opening, closing in (("$$", "$$"), ("\\[", "\\]"), ("\\(", "\\)"), ("$", "$")):
        if inside.startswith(opening) and inside.endswith(closing):
            inside = inside[len(opening) : len(inside) - len(closing)].strip()
            break
    return {"text/latex": f"$$\n{inside}\n$$", "text/plain": source}


def progress_line(text: str, fraction: float | None, detail: str = "") -> str:
    """Return in a line how far something is; ``fraction`` is 0 to 1."""
    percent = "" if fraction is None else f" {fraction:.0%}"
    return f"{text}{percent}, {detail}" if detail else f"{text}{percent}"


def progress_bundle(text: str, fraction: float | None, detail: str = "") -> Bundle:
    """Return a bar with words; ``fraction`` is 0 to 1, None where it is unknown."""
    line = progress_line(text, fraction, detail)
    value = "" if fraction is None else f' value="{fraction:.3f}"'
    label = html.escape(line)
    bar = f'<progress max="1"{value} aria-label="{label}"></progress>'
    return {"text/html": f"<div>{bar} {label}</div>", "text/plain": line}


def quoted(text: str) -> str:
    """Return ``text`` as code within a line, whatever backticks it holds itself."""
    line = " ".join(text.split())
    ticks = "`"
    while ticks in line:
        ticks += "`"
    pad = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{ticks}{pad}{line}{pad}{ticks}"
