"""A model's HTML stands as text in the Markdown of its answers."""

import re

import nbformat
import pytest
from hypothesis import example, given, strategies as st
from nbconvert import HTMLExporter

from kernel_magics.answer import Answer
from kernel_magics.assistant.talk import Talk
from kernel_magics.inert import inert
from kernel_magics.render.bundles import Bundle
from kernel_magics.render.formats import final, growing
from kernel_magics.render.reply import _thoughts

SCRIPT = "<script>alert(1)</script>"
OWN = re.compile(r'</?(pre|code|span)( class="[\w -]*")?>')


def tags(markdown: str) -> list[str]:
    """What a page could take for tags, but for those that code is shown with."""
    return re.findall(r"<[A-Za-z/!?].*", OWN.sub("", markdown))


def exported(bundle: Bundle) -> str:
    """The bundle as nbconvert's page shows it."""
    output = nbformat.v4.new_output("display_data", data=bundle)
    cell = nbformat.v4.new_code_cell("%%llm\nHi", outputs=[output])
    book = nbformat.v4.new_notebook(cells=[cell])
    page: str = HTMLExporter().from_notebook_node(book)[0]  # type: ignore[no-untyped-call]  # it has no types
    return page.partition("<main>")[2]


@pytest.mark.parametrize(
    "text",
    [
        f"Hi {SCRIPT}",
        '<img src=x onerror="alert(1)">',
        f"`a\n\n{SCRIPT} `b`",
        f"- ```\n  ```\n  {SCRIPT}\n  ```",
        f"```~\nx\n```~\n{SCRIPT}\n```",
        f"> ```\n{SCRIPT}\n```",
        f"$$\n```\n$$ {SCRIPT}\n```",
        f"\\begin{{a}} `\\end{{a}}{SCRIPT}`",
        f"$p `x$ {SCRIPT}`",
        f"\\\\{SCRIPT}",
        f"<!-- --><!-->{SCRIPT}",
        f"p\n    ```\n\n    {SCRIPT} ``` {SCRIPT}\n    ```",
    ],
)
def test_a_script_in_an_answer_is_text(text: str) -> None:
    """In the display, while it grows, in its export, and as a value; it is all seen."""
    answer = Answer(text=text)
    bundle = final(answer, "markdown")
    assert bundle["text/plain"] == text
    page = exported(bundle)
    assert "<script" not in page
    assert "<img" not in page
    assert "alert(1)" in re.sub(r"<[^>]+>", "", page)
    talk = Talk(lambda *_, **__: answer)
    talk("Hi")
    for shown in (answer._repr_markdown_(), talk._repr_markdown_()):
        assert not tags(shown)
    assert len(tags(_thoughts(text))) == len(tags(_thoughts("x")))


@pytest.mark.parametrize(
    "link",
    [
        "[x](javascript:alert(1))",
        "[x](\n JaVa&#115;cript&colon;alert(1))",
        "[x][y]\n\n[y]: javascript\\:alert(1)",
    ],
)
def test_a_link_that_runs_a_script_is_none(link: str) -> None:
    """Other links are left alone."""
    assert "](" not in inert(link)
    assert "]:" not in inert(link)
    for other in ("[x](https://a.b/?c=d)", "[y]: #there", "x[0](1)"):
        assert inert(other) == other
    assert inert("<https://a.b>") == "&lt;https://a.b&gt;"


def test_many_links_that_never_end_are_looked_at_once_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not each with all that follow it."""
    seen: list[str] = []

    def noted(link: str) -> bool:
        seen.append(link)
        return False

    monkeypatch.setattr("kernel_magics.inert._runs", noted)
    text = "[a](b" * 2000
    inert(text)
    assert sum(map(len, seen)) < len(text)


@pytest.mark.parametrize(
    "code",
    [
        "```html\n{}\n```",
        "1. so:\n\n   ```html\n   {}\n   ```\n",
        "so\n\n    {}\n\nthat is all",
        "so `{}` is",
        "so ``a ` {}`` is",
    ],
)
def test_code_shows_what_it_is(code: str) -> None:
    """Fenced, indented and within a line: the page has the brackets themselves."""
    page = exported(final(Answer(text=code.format("<b>x</b>")), "markdown"))
    assert "&lt;b&gt;x&lt;/b&gt;" in re.sub(r"<[^>]+>", "", page)


def test_code_goes_on_over_empty_lines_and_ends_with_its_fence() -> None:
    """Text right below it is Markdown again."""
    text = "```html\n<p>\n\n*a* $b$\n</p>\n```\nand **bold**"
    page = exported(final(Answer(text=text), "markdown"))
    assert "*a* &#36;b&#36;" in inert(text).replace("&#42;", "*")
    assert "<strong>bold</strong>" in page


@pytest.mark.parametrize(
    "text",
    [
        "a < b, a <= b, x<3, i << 2, a > b",
        "> quoted\n\n- **bold** `code`\n\n| a | b |\n|---|---|",
        "```python\nif a < b: pass\n```",
        "$a < b$ and $$a < b$$",
    ],
)
def test_what_is_no_tag_stays_as_it_is(text: str) -> None:
    """Comparisons, quotations, code without tags."""
    assert inert(text) == text


def test_a_formula_keeps_its_sign() -> None:
    """As a command, since entities are not read in formulas."""
    assert inert("$a<b$") == r"$a\lt b$"
    assert inert("\\[a<b\\]") == r"\[a\lt b\]"


@pytest.mark.parametrize("text", ["```python\nx = 1", "- ```\n  x", "~~~~\n```\nx"])
def test_an_unfinished_block_does_not_swallow_what_follows(text: str) -> None:
    """Such as the answer below its reasoning."""
    page = exported({"text/markdown": f"{_thoughts(text)}\n\nThe **answer**."})
    assert "The <strong>answer</strong>." in page


@given(st.text(alphabet="<b/!`~$\\[]()- 1.>\n\t"))
@example(f"`{SCRIPT}` and\n\n```html\n{SCRIPT}\n```\n\n    {SCRIPT}\n$a<b$ {SCRIPT}")
def test_no_text_has_a_tag_in_any_format_at_any_moment(text: str) -> None:
    """Every beginning of an answer is as harmless as the whole."""
    for length in range(len(text) + 1):
        for kind in ("markdown", "code", "html", "text"):
            assert not tags(growing(text[:length], kind))
