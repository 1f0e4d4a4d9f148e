"""LaTeX to MathML, which browsers set by themselves.

Nothing is loaded for it, so it looks the same in JupyterLab, Notebook, VS Code, Voilà
and without a network.
"""

import html
from collections.abc import Iterator
from xml.etree import ElementTree as ET

from latex2mathml.converter import convert_to_element

_LONGEST = 4000
"""Characters; nobody reads a longer formula."""

_HARMLESS = frozenset(
    {
        "columnalign",
        "columnlines",
        "columnspacing",
        "depth",
        "display",
        "displaystyle",
        "fence",
        "form",
        "frame",
        "height",
        "linebreak",
        "linethickness",
        "lspace",
        "mathbackground",
        "mathcolor",
        "mathsize",
        "mathvariant",
        "maxsize",
        "minsize",
        "movablelimits",
        "notation",
        "rowlines",
        "rowspacing",
        "rspace",
        "scriptlevel",
        "stretchy",
        "voffset",
        "width",
        "xmlns",
    }
)
"""Attributes that stay; a model could write others, which load from elsewhere."""


def mathml(latex: str, *, block: bool) -> str:
    """Return a formula as MathML, or its source where it cannot be read.

    ``block`` is whether it stands in a line of its own.
    """
    try:
        if len(latex) > _LONGEST:
            return _source(latex)
        root = convert_to_element(latex, display="block" if block else "inline")
    # The library raises all kinds of errors for what is not LaTeX, or not yet whole.
    except Exception:  # noqa: BLE001  # see above
        return _source(latex)
    for element in _made_safe(root):
        if element.text and "\\" in element.text:
            return _source(latex)  # a command that it does not know
    return ET.tostring(root, encoding="unicode")


def _made_safe(root: ET.Element) -> Iterator[ET.Element]:
    for element in root.iter():
        for name in set(element.attrib) - _HARMLESS:
            del element.attrib[name]
        # It writes characters as entities of HTML, which would be escaped once more.
        element.text = html.unescape(element.text) if element.text else element.text
        yield element


def _source(latex: str) -> str:
    return f"<code>{html.escape(latex)}</code>"
