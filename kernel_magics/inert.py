"""Markdown of a model's that does nothing: its HTML and scripts stand as text.

A page that trusts a notebook's outputs runs the scripts in them, and a model writes
what it was told to by whatever it has read. Where code ends and a formula begins, the
readers of Markdown do not agree. So no tag of a model's is left anywhere: code that
holds one is written as HTML here, in which it is text whatever surrounds it.
"""

import html
import re
from textwrap import dedent

_TAG = re.compile(r"<(?=[A-Za-z/!?])")
"""What can begin a tag; any other ``<`` is text to every reader of HTML."""

_BLOCK = re.compile(
    r"""
    ^(?P<before>[ \t]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*)
    (?P<fence>(?P<mark>[`~])(?P=mark){2,})(?P<language>[^`\n]*)$
    (?P<code>(?:\n.*)*?)
    (?:(?P<closed>\n[ \t]*(?P=fence)(?P=mark)*[ \t]*$)|\Z)
    | (?:(?<=\n\n)|\A)(?P<indented>(?:(?:[ ]{4}|\t).*(?:\n|\Z))+)
    """,
    re.MULTILINE | re.VERBOSE,
)
_MARGIN = re.compile(r"^(?:((?:[-*+]|\d{1,9}[.)])[ \t])|\S)", re.MULTILINE)
"""A line at the margin, and how it begins an item of a list."""

_WITHIN = re.compile(
    r"""
    \\[\\`$]
    | (?<!`)(?P<ticks>`+)(?!`)(?P<code>(?:(?!\n[ \t]*\n).)+?)(?<!`)(?P=ticks)(?!`)
    | (?P<formula>
        \$\$[^$`]+\$\$ | \$[^$`\n]+\$
        | \\\((?:(?!\\\().)+?\\\) | \\\[(?:(?!\\\[).)+?\\\]
        | \\begin\{(?P<name>[^{}\n]+)\}.{0,4000}?\\end\{(?P=name)\}
      )
    | <(?P<address>https?://[^\s<>]+)>
    | \\?(?P<tag><)(?=[A-Za-z/!?])
    | \](?=[(:][\s>]*(?P<link>[^\s)\]]*))
    """,
    re.DOTALL | re.VERBOSE,
)

_MEANT = {ord(char): f"&#{ord(char)};" for char in "$\\`*_[]~\n"}
"""What Markdown or a formula could be made of, and what would end a line of HTML."""


def inert(markdown: str) -> str:
    """Return ``markdown`` with every tag in it as text, and its last fence closed.

    It looks as the model meant it: code as code, formulas as formulas. Links that would
    run a script are text as well.
    """
    parts, position, in_list = [], 0, False
    for block in _BLOCK.finditer(markdown):
        text = markdown[position : block.start()]
        for item in _MARGIN.findall(text)[-1:]:
            in_list = bool(item)
        parts.append(_WITHIN.sub(_span, text))
        if block["fence"]:
            parts.append(_fenced(block))
        else:
            parts.append(_indented(block["indented"], in_list=in_list))
        position = block.end()
    parts.append(_WITHIN.sub(_span, markdown[position:]))
    return "".join(parts)


def _fenced(block: re.Match[str]) -> str:
    before, code = block["before"], block["code"]
    if _TAG.search(block["language"] + code):
        code = dedent(code[1:]) if before else code[1:]
        return before + _coloured(code, block["language"].strip())
    end = "" if block["closed"] else f"\n{' ' * len(before)}{block['fence']}"
    return block[0] + end


def _indented(text: str, *, in_list: bool) -> str:
    """Return lines after four blanks, which in a list are no code."""
    if in_list:
        return _WITHIN.sub(_span, text)
    return f"{_coloured(dedent(text), '')}\n" if _TAG.search(text) else text


def _span(match: re.Match[str]) -> str:
    if match["tag"]:
        return "&lt;"
    if match["address"]:
        return f"&lt;{match['address']}&gt;"
    if match["link"]:
        return "]\\" if _runs(match["link"]) else "]"
    if match["formula"]:
        # Formulas are read as they are, without entities.
        return _TAG.sub(r"\\lt ", match[0])
    if match["code"] and _TAG.search(match["code"]):
        code = html.escape(match["code"].strip(), quote=False)
        return f"<code>{code.translate(_MEANT)}</code>"
    return match[0]


def _runs(link: str) -> bool:
    """Whether who follows ``link`` runs a script; readers decode it like this."""
    decoded = re.sub(r"[\x00-\x20<\\]", "", html.unescape(link))
    return decoded.lower().startswith("javascript:")


def _coloured(code: str, language: str) -> str:
    """Return code as one line of HTML, in the colours that a notebook's page has."""
    # Not with the module: most answers need none of it.
    from pygments import highlight  # noqa: PLC0415  # see above
    from pygments.formatters import HtmlFormatter  # noqa: PLC0415  # see above
    from pygments.lexers import get_lexer_by_name  # noqa: PLC0415  # see above
    from pygments.util import ClassNotFound  # noqa: PLC0415  # see above

    try:
        lexer = get_lexer_by_name(language.lower() or "text")
    except ClassNotFound:
        lexer = get_lexer_by_name("text")
    body = str(highlight(code, lexer, HtmlFormatter(nowrap=True))).rstrip("\n")
    return f'<pre class="highlight"><code>{body.translate(_MEANT)}</code></pre>'
