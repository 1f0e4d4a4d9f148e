"""``ChatPanel`` and ``ModelManager`` in JupyterLab, in a real browser."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.chromium import settle
from tests.browser.panel import SCREENSHOTS, SLOW
from tests.browser.test_accessibility import violations
from tests.conftest import LONG_CONTEXT
from tests.live import LiveServer, live_server
from tests.models.hello import ANSWER
from tests.waiting import eventually

BEGINNING = ANSWER[:30]
MISNAMED = """
e => [...e.querySelectorAll('button[aria-label]')]
  .filter(b => /\\w/.test(b.textContent))
  .filter(b => !b.getAttribute('aria-label').startsWith(b.textContent))
  .map(b => b.outerHTML)
"""
"""Buttons that somebody who speaks to the page cannot call by what they read."""

WIDTHS = {"wide": 1280, "narrow": 420}
"""Widths of the window in pixels."""

TALK: list[dict[str, Any]] = [
    {"role": "user", "content": "Which months were the best, and is it going to rain?"},
    {
        "role": "assistant",
        "reasoning_content": "First the months, then the weather.",
        "content": (
            "Two months stand out:\n\n| month | amount |\n|---|---:|\n| May | 1,204 |\n"
            "| June | 1,807 |\n\n```python\nsales = pd.read_csv('sales.csv')  # all\n"
            "top = sales.groupby('month')['amount'].sum().nlargest(2)\n```\n\n"
            "1. Read the [file](https://example.org).\n2. Sum up `amount`.\n"
        ),
        "tool_calls": [
            {
                "id": "1",
                "type": "function",
                "function": {"name": "weather", "arguments": '{"city": "Oslo"}'},
            }
        ],
    },
]
"""A conversation with all that an answer may hold."""

CHAT = "from kernel_magics import ChatPanel\nChatPanel(model='hello')"
MANAGER = "from kernel_magics import ModelManager\nModelManager()"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, models: Path) -> Iterator[LiveServer]:
    """JupyterLab with a notebook for each widget, and models that may be changed."""
    folder = tmp_path_factory.mktemp("widgets")
    (folder / "models").mkdir()
    (folder / "notebooks").mkdir()
    for name in ("hello", "babble", "broken"):
        shutil.copy(models / f"{name}.gguf", folder / "models")
    for name, code in (("chat", CHAT), ("manager", MANAGER)):
        book = nbformat.v4.new_notebook(
            cells=[nbformat.v4.new_code_cell(code)],
            metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        )
        nbformat.write(book, folder / "notebooks" / f"{name}.ipynb")
    with live_server(folder, folder / "models", LONG_CONTEXT, app="lab") as running:
        yield running


@pytest.fixture(params=[("Light", 1280), ("Dark", 520)])
def page(
    request: pytest.FixtureRequest, browser: Browser, lab: LiveServer
) -> Iterator[Page]:
    """A page in a light and wide, and in a dark and narrow window."""
    theme, width = request.param
    settle(lab, theme)
    context = browser.new_context(viewport={"width": width, "height": 1000})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    yield context.new_page()
    context.close()


def opened(page: Page, lab: LiveServer, name: str) -> Locator:
    """Open a notebook, run its cell, and return the widget."""
    page.goto(f"{lab.url}doc/tree/{name}.ipynb?token={lab.token}&reset")
    cell = page.locator(".jp-NotebookPanel .jp-CodeCell").first
    cell.wait_for(timeout=SLOW)
    expect(page.locator("#jp-main-statusbar")).to_contain_text("| Idle", timeout=SLOW)
    cell.locator(".jp-InputArea-editor").click()
    page.keyboard.press("Shift+Enter")
    widget = page.locator(".llm-widget")
    widget.wait_for(timeout=SLOW)
    return widget


def screenshot(page: Page, widget: Locator, name: str) -> None:
    """Keep a picture, to be looked at."""
    SCREENSHOTS.mkdir(exist_ok=True)
    theme = page.evaluate("document.body.dataset.jpThemeLight") == "true"
    kind = "light-wide" if theme else "dark-narrow"
    widget.screenshot(path=SCREENSHOTS / f"{name}-{kind}.png")


def ask(widget: Locator, text: str) -> None:
    """Ask as a person does: type, and press Enter."""
    question = widget.get_by_label(
        "Question (Enter sends, Shift+Enter breaks the line)"
    )
    question.fill(text)
    question.press("Enter")


def test_a_chat_streams_is_edited_regenerated_and_kept(
    page: Page, lab: LiveServer
) -> None:
    """What a person does in a chat; the server keeps it over a kernel's restart."""
    widget = opened(page, lab, "chat")
    widget.get_by_role("button", name="New chat").click()
    expect(widget.get_by_text("Ask something below.")).to_be_visible()

    ask(widget, "Who are you?")
    answers = widget.locator(".llm-messages .llm-assistant")
    expect(answers).to_contain_text(BEGINNING, timeout=SLOW)
    expect(answers.locator("strong")).to_have_text("notebook")
    expect(widget.locator(".llm-statistics")).to_contain_text("47 answer tokens")
    expect(widget.get_by_role("status")).to_have_text("The answer is complete.")

    widget.get_by_role("button", name="Regenerate this answer").click()
    expect(widget.get_by_text("2 of 2")).to_be_visible(timeout=SLOW)
    widget.get_by_role("button", name="Earlier version").click()
    expect(widget.get_by_text("1 of 2")).to_be_visible()

    widget.get_by_role("button", name="Edit your question and send it again").click()
    widget.get_by_label("Edit your question", exact=True).fill("And **who** made you?")
    widget.get_by_role("button", name="Send again").click()
    expect(widget.locator(".llm-user")).to_contain_text("**who**", timeout=SLOW)
    expect(answers).to_contain_text(BEGINNING, timeout=SLOW)

    widget.get_by_role("button", name="Copy this answer").click()
    expect(widget.get_by_role("status")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()") == ANSWER
    with page.expect_download() as saved:
        widget.get_by_label("Export this conversation").select_option("notebook")
    book = nbformat.read(saved.value.path(), as_version=4)
    assert any("who" in cell.source for cell in book.cells)
    screenshot(page, widget, "chat")

    page.get_by_role("menuitem", name="Kernel").first.click()
    page.get_by_role("menuitem", name=re.compile("^Restart Kernel…")).click()
    page.locator(".jp-Dialog").get_by_role(
        "button", name="Confirm Kernel Restart"
    ).click()
    again = opened(page, lab, "chat")
    expect(again.locator(".llm-user")).to_contain_text("**who**", timeout=SLOW)


def test_a_long_answer_is_stopped_and_settings_apply(
    page: Page, lab: LiveServer
) -> None:
    """Stop ends it in the engine; model, system prompt and sampling are the chat's."""
    widget = opened(page, lab, "chat")
    widget.get_by_role("button", name="New chat").click()
    widget.get_by_label("Model").select_option("babble")
    widget.get_by_text("Settings").click()
    widget.get_by_label("System prompt").fill("Be brief.")
    widget.get_by_label("Temperature").fill("1.5")
    widget.get_by_label("Temperature").blur()

    ask(widget, "Talk for ever.")
    live = widget.locator(".llm-live .llm-body").last
    expect(live).to_have_text(re.compile(".{20}", re.DOTALL), timeout=SLOW)
    screenshot(page, widget, "chat-streaming")
    assert_the_end_is_followed_until_the_reader_scrolls(page, widget)
    widget.get_by_role("button", name="Stop").click()
    expect(widget.locator(".llm-note")).to_have_text("stopped", timeout=SLOW)
    expect(widget.get_by_role("button", name="Send", exact=True)).to_be_visible()
    assert lab.model("babble")["slots"]["busy"] == 0
    with lab.client() as client:
        newest = client.get("conversations").json()["conversations"][0]
    assert (newest["system"], newest["model"]) == ("Be brief.", "babble")
    assert newest["options"]["temperature"] == 1.5


def assert_the_end_is_followed_until_the_reader_scrolls(
    page: Page, widget: Locator
) -> None:
    """Also where the reader goes up by less than a line, and the text gets shorter."""
    scroller = widget.locator(".llm-scroller")
    height = "e => e.scrollHeight - e.clientHeight"
    below = "e => e.scrollHeight - e.clientHeight - e.scrollTop"
    eventually(lambda: scroller.evaluate(height) > 400)
    tail = scroller.evaluate_handle(
        "e => e.appendChild(Object.assign(document.createElement('div'), "
        "{ style: 'height: 3000px' }))"
    )
    eventually(lambda: scroller.evaluate(below) < 100)

    scroller.hover()
    page.mouse.wheel(0, -15)
    eventually(lambda: scroller.evaluate(below) > 10)
    tail.evaluate("e => e.remove()")
    before = scroller.evaluate(height)
    eventually(lambda: scroller.evaluate(height) > before + 200)
    assert scroller.evaluate(below) > 200

    page.mouse.wheel(0, 1_000_000)
    before = scroller.evaluate(height)
    eventually(lambda: scroller.evaluate(height) > before + 200)
    eventually(lambda: scroller.evaluate(below) < 100)


def test_a_question_that_is_refused_can_be_sent_again(
    page: Page, lab: LiveServer
) -> None:
    """The error is told aloud, and the text is not lost."""
    widget = opened(page, lab, "chat")
    widget.get_by_role("button", name="New chat").click()
    picker = widget.get_by_label("Model")
    picker.evaluate("e => e.append(new Option('nothing', 'nothing'))")
    picker.select_option("nothing")

    ask(widget, "Is anybody there?")
    error = widget.get_by_role("alert")
    expect(error).to_contain_text("There is no model 'nothing' here.", timeout=SLOW)
    question = widget.get_by_label(
        "Question (Enter sends, Shift+Enter breaks the line)"
    )
    expect(question).to_have_value("Is anybody there?")


def test_models_are_managed(page: Page, lab: LiveServer) -> None:
    """Load with options, watch, pin, unload; names are found, and errors are told."""
    with lab.client() as client:
        for name in ("hello", "babble"):
            client.post(f"models/{name}/pin", json={"pinned": False})
            client.post(f"models/{name}/unload", json={"force": True})
    widget = opened(page, lab, "manager")
    rows = widget.get_by_role("list", name="Models").get_by_role("listitem")
    expect(rows).to_have_count(4)
    hello = rows.filter(has_text="hello")
    expect(rows.filter(has_text="broken")).to_contain_text("not a GGUF file")

    hello.get_by_text("Options").click()
    hello.get_by_label("Context (tokens)").fill("512")
    hello.get_by_role("button", name="Load with these").click()
    state = hello.locator(".llm-state")
    expect(state).to_have_attribute("data-state", "ready", timeout=SLOW)
    expect(hello).to_contain_text("context 512")
    expect(widget.get_by_role("status")).to_have_text("hello is ready.")
    hello.get_by_role("button", name="Pin hello: it stays loaded").click()
    expect(hello).to_contain_text("pinned")
    screenshot(page, widget, "manager")

    hello.get_by_role("button", name="Unload hello").click()
    expect(state).to_have_attribute("data-state", "unloaded", timeout=SLOW)
    widget.get_by_label("Find a model").fill("bab")
    expect(rows).to_have_count(1)
    widget.get_by_label("Download a model").fill("no such thing")
    widget.get_by_role("button", name="Download").click()
    expect(widget.get_by_role("alert")).not_to_be_empty(timeout=SLOW)


def look(page: Page, widget: Locator, name: str) -> None:
    """Keep pictures of a state, wide and narrow; nothing sticks out, axe is content."""
    theme = page.evaluate("document.body.dataset.jpThemeLight") == "true"
    SCREENSHOTS.mkdir(exist_ok=True)
    for kind, width in WIDTHS.items():
        page.set_viewport_size({"width": width, "height": 1000})
        # The page takes a new width with its next frame.
        page.wait_for_function(
            "([node, most]) => node.getBoundingClientRect().right <= most",
            arg=[widget.element_handle(), width],
        )
        file = f"widget-{name}-{'light' if theme else 'dark'}-{kind}.png"
        widget.screenshot(path=SCREENSHOTS / file)
        assert widget.evaluate("e => e.scrollWidth <= e.clientWidth"), file
        assert violations(page, ".llm-widget") == [], file
        assert widget.evaluate(MISNAMED) == [], file
    page.set_viewport_size({"width": WIDTHS["wide"], "height": 1000})


@pytest.fixture(params=["Light", "Dark"])
def themed(
    request: pytest.FixtureRequest, browser: Browser, lab: LiveServer
) -> Iterator[Page]:
    """A page in a theme, in which nothing moves."""
    settle(lab, request.param)
    context = browser.new_context(
        viewport={"width": WIDTHS["wide"], "height": 1000}, reduced_motion="reduce"
    )
    yield context.new_page()
    context.close()


def write_cell(lab: LiveServer, name: str, code: str) -> None:
    """Write a notebook of one cell."""
    book = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(code)],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    nbformat.write(book, lab.notebooks / f"{name}.ipynb")


def test_every_state_of_a_chat_is_good_to_look_at(
    themed: Page, lab: LiveServer
) -> None:
    """All that an answer may hold; editing; nothing asked yet; settings; an error."""
    with lab.client() as client:
        body = {"title": "Sales and weather", "model": "hello", "messages": TALK}
        made = client.post("conversations", json=body).raise_for_status().json()["id"]
    write_cell(lab, "talk", f"{CHAT[:-1]}, conversation={made!r})")
    widget = opened(themed, lab, "talk")
    expect(widget.locator("table")).to_be_visible(timeout=SLOW)
    widget.get_by_text("Reasoning").click()
    look(themed, widget, "chat-talk")

    widget.get_by_role("button", name="Edit your question and send it again").click()
    look(themed, widget, "chat-edit")

    widget.get_by_role("button", name="New chat").click()
    expect(widget.get_by_text("Ask something below.")).to_be_visible()
    look(themed, widget, "chat-empty")

    picker = widget.get_by_label("Model")
    picker.evaluate("e => e.append(new Option('nothing', 'nothing'))")
    picker.select_option("nothing")
    ask(widget, "Is anybody there?")
    expect(widget.get_by_role("alert")).to_contain_text("no model", timeout=SLOW)
    widget.get_by_text("Settings").click()
    look(themed, widget, "chat-error-settings")


def test_every_state_of_the_models_is_good_to_look_at(
    themed: Page, lab: LiveServer
) -> None:
    """Loaded, broken, with options; a name that none has; a download that failed."""
    with lab.client() as client:
        client.post("models/hello/pin", json={"pinned": True})
        client.post("models/hello/load").raise_for_status()
    widget = opened(themed, lab, "manager")
    hello = widget.get_by_role("listitem").filter(has_text="hello")
    expect(hello).to_contain_text("pinned", timeout=SLOW)
    look(themed, widget, "models")

    babble = widget.get_by_role("listitem").filter(has_text="babble")
    babble.get_by_text("Options").click()
    look(themed, widget, "models-options")

    widget.get_by_label("Find a model").fill("nowhere")
    expect(widget.get_by_text("No model has “nowhere” in its name.")).to_be_visible()
    widget.get_by_label("Download a model").fill("no such thing")
    widget.get_by_role("button", name="Download").click()
    expect(widget.get_by_role("alert")).not_to_be_empty(timeout=SLOW)
    look(themed, widget, "models-none-error")


def test_what_a_person_holds_on_to_stays_while_the_page_changes(
    themed: Page, lab: LiveServer
) -> None:
    """A button with the focus, an opened part: news of the server replace neither."""
    with lab.client() as client:
        body = {"title": "Sales", "model": "babble", "messages": TALK}
        made = client.post("conversations", json=body).raise_for_status().json()["id"]
    write_cell(lab, "held", f"{CHAT[:-1]}, conversation={made!r})")
    widget = opened(themed, lab, "held")
    expect(widget.locator("table")).to_be_visible(timeout=SLOW)
    widget.get_by_text("Reasoning").click()
    copy = widget.get_by_role("button", name="Copy this answer")
    widget.get_by_label("Model").select_option("babble")
    ask(widget, "Talk for ever.")
    copy.focus()
    live = widget.locator(".llm-live .llm-body").last
    expect(live).to_have_text(re.compile(".{20}", re.DOTALL), timeout=SLOW)
    expect(copy).to_be_focused()
    expect(widget.get_by_text("First the months")).to_be_visible()
    # A click of the mouse would take the focus along.
    widget.get_by_role("button", name="Stop").dispatch_event("click")
    expect(widget.locator(".llm-note")).to_have_text("stopped", timeout=SLOW)
    expect(copy.first).to_be_focused()
    expect(widget.get_by_text("First the months")).to_be_visible()
