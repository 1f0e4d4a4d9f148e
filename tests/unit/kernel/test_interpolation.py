"""``{name}`` becomes a value, and no other brace is touched."""

import pytest
from hypothesis import given, strategies as st

from kernel_magics.context.interpolate import interpolate

VALUES = {
    "x": 41,
    "a": 1,
    "b": 2,
    "name": "Ada",
    "numbers": [1, 2, 3],
    "facts": {"city": "Turin"},
    "text": "braces {x} in a value",
}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("x is {x}.", "x is 41."),
        (
            "{name}'s first is {numbers[0]}, last {numbers[-1]}",
            "Ada's first is 1, last 3",
        ),
        ("in {facts['city']}, {name.__class__.__name__}", "in Turin, str"),
        ("({x})", "(41)"),
        ("{a}{b}{a} {a}{no}{b}", "121 1{no}{b}"),
        ("If f'(x) = {x} and g'(x) = 2", "If f'(x) = 41 and g'(x) = 2"),
        (
            "a value's braces stay: {text}",
            "a value's braces stay: braces {x} in a value",
        ),
    ],
)
def test_a_name_that_is_known_becomes_its_value(text: str, wanted: str) -> None:
    """Also attributes, items and keys; what a value holds is not looked into."""
    assert interpolate(text, VALUES, 1000).text == wanted


@pytest.mark.parametrize(
    "text",
    [
        '{"x": 1, "y": {"a": [1, 2]}}',
        "{unknown} and {x.missing} and {numbers[9]} and {facts['no']}",
        r"\frac{a}{b} + x_{a}^{b} \text{name}",
        "so $\\{x\\}$ and ${x}$ and $a = {b}$ and $$ {x} $$ hold",
        r"\[ {x} \] \( {a} \)",
        "\\begin{align} {x} \\end{align}",
        "`{x}` and ``a ` {x}``",
        "```python\nprint({x})\n```",
        "~~~\n{x}\n~~~\nand\n```\n{x}",
        "print(f'{x}') or f\"is {x}\" or rf'{a}{b}'",
        "{{x}} {{ x }} {x}} {{x}",
        "{} {0} { x } {x!r} {x:>4} {1: 2} {x, a} {x+1}",
        "${x} and set{x}",
        "def f(d): return {**d, 'x': x}",
    ],
)
def test_json_mathematics_code_and_templates_stay_as_they_are(text: str) -> None:
    """None of these braces is meant, though every name is known."""
    assert interpolate(text, VALUES, 1000).text == text


@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    """Whatever stands in a cell, without known names it comes out as it went in."""
    assert interpolate(text, {}, 1000).text == text


@given(st.text(alphabet="{}xa$`\\[]'\". \n"))
def test_no_mixture_of_braces_breaks_it(text: str) -> None:
    """With known names, whatever is outside of what was replaced stays."""
    done = interpolate(text, VALUES, 1000)
    if not done.names:
        assert done.text == text


def test_values_share_the_room_there_is() -> None:
    """A long value is cut in its middle, and what was replaced is told."""
    done = interpolate("{long} {x}", {"long": "l" * 5000, "x": 1}, 400)

    assert len(done.text) < 300
    assert "characters left out" in done.text
    assert done.names == ("{long}", "{x}")


class Hostile:
    """Raises whenever it is looked at."""

    def __str__(self) -> str:
        raise RuntimeError("no")

    @property
    def shape(self) -> int:
        raise RuntimeError("no")


def test_a_value_that_cannot_be_shown_says_so() -> None:
    """What a value's own methods raise is no error of the question."""
    done = interpolate("{h} {h.shape}", {"h": Hostile()}, 1000)

    assert done.text.startswith("<Hostile, which cannot be shown: RuntimeError>")
    assert done.text.endswith("{h.shape}")
