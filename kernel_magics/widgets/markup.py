"""Markdown to HTML that may stand in a page: nothing of a model's is taken as HTML."""

import html
from typing import Any

import mistune
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

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


_markdown = mistune.create_markdown(
    renderer=_Renderer(escape=True),
    plugins=["table", "strikethrough", "task_lists", "math"],
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
