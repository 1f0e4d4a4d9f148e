"""Markdown to HTML that may stand in a page: nothing of a model's is taken as HTML."""

import html
import re
from typing import Any

import mistune
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from .formula import mathml

_formatter = HtmlFormatter(nowrap=True, classprefix="hl-")


class _Renderer(mistune.HTMLRenderer):
    """Escapes raw HTML, colours code, and shows no pictures from elsewhere.

    A picture's address would tell its server what was said here.
    """

    def block_code(self, code: str, info: str | None = None) -> str:
        """Return a block of code, coloured where its language is known."""
        language = (info or "").split(None, 1)[0] if info else ""
        body = _coloured(code, language)
        name = html.escape(language, quote=True)
        return f'<pre data-language="{name}"><code>{body}</code></pre>\n'

    def image(self, text: str, url: str, title: str | None = None) -> str:
        """Return a link in the place of a picture."""
        del title
        return self.link(text or url, url)

    def link(self, text: str, url: str, title: str | None = None) -> str:
        """Return a link that opens elsewhere and is not told from where."""
        link = super().link(text, url, title)
        return link.replace("<a ", '<a target="_blank" rel="noopener noreferrer" ', 1)

    def block_math(self, text: str) -> str:
        """Return a formula in a line of its own."""
        return mathml(text, block=True)

    def inline_math(self, text: str) -> str:
        """Return a formula within a line."""
        return mathml(text, block=False)


def _bracketed_math(md: mistune.Markdown) -> None:
    r"""Read ``\(x\)`` and ``\[x\]`` as formulas, as many models write them."""
    # Before the brackets are taken for escaped ones.
    register = md.inline.register
    register("round_math", r"\\\((?P<round>[^\n]+?)\\\)", _round_math, before="escape")
    register(
        "square_math", r"\\\[(?P<square>[\s\S]+?)\\\]", _square_math, before="escape"
    )


def _round_math(
    _parser: mistune.InlineParser, match: re.Match[str], state: mistune.InlineState
) -> int:
    state.append_token({"type": "inline_math", "raw": match["round"]})
    return match.end()


def _square_math(
    _parser: mistune.InlineParser, match: re.Match[str], state: mistune.InlineState
) -> int:
    state.append_token({"type": "block_math", "raw": match["square"]})
    return match.end()


_markdown = mistune.create_markdown(
    renderer=_Renderer(escape=True),
    plugins=["table", "strikethrough", "task_lists", "math", _bracketed_math],
)


def rendered(markdown: str) -> str:
    """Return ``markdown`` as HTML."""
    return str(_markdown(markdown))


def _coloured(code: str, language: str) -> str:
    try:
        lexer: Any = get_lexer_by_name(language or "text")
    except ClassNotFound:
        return html.escape(code)
    return str(highlight(code, lexer, _formatter))
