"""What a model writes, as HTML in the widgets: shown, and never obeyed."""

import pytest

from kernel_magics.widgets.markup import rendered


@pytest.mark.parametrize(
    "written",
    [
        "so $a^2$ is",
        r"so \(a^2\) is",
        "$$\na^2\n$$",
        "\\[\na^2\n\\]",
        r"- in a list \(a^2\)",
    ],
)
def test_a_formula_is_set(written: str) -> None:
    """In dollars as well as in LaTeX's own brackets, within a line or in its own."""
    assert "<msup><mi>a</mi><mn>2</mn></msup>" in rendered(written)


@pytest.mark.parametrize(
    "written", ["it costs $5 or $6", r"`\(code\)`", r"\(unfinished", r"\$3 and \$4"]
)
def test_what_is_no_formula_stays_as_it_is(written: str) -> None:
    """Prices, code and what is not closed."""
    assert "<math" not in rendered(written)


@pytest.mark.parametrize("latex", [r"\frac{", r"\unheard x", "x_", "x" * 5000])
def test_a_formula_that_cannot_be_read_is_its_source(latex: str) -> None:
    """As it also is while it still grows."""
    assert f"<code>{latex}</code>" in rendered(f"${latex}$")


@pytest.mark.parametrize(
    "written",
    [
        r"$\text{<img src=x onerror=alert(1)>}$",
        r"$\text{&lt;img src=x&gt;}$",
        r"$\href{javascript:alert(1)}{x}$",
        r"$\style{background:url(//example.com)}{x}$",
        r"$\class{jp-Toolbar}{x}$",
        "<img src=x onerror=alert(1)>",
        "![said](https://example.com/?said=this)",
        "[x](javascript:alert(1))",
    ],
)
def test_nothing_that_is_written_acts(written: str) -> None:
    """No markup, no address that is loaded or run, no style."""
    page = rendered(written)
    for forbidden in ("<img", "javascript:", "style=", "class=", "url("):
        assert forbidden not in page
