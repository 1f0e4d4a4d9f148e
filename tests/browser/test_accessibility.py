"""WCAG 2.1 AA, as far as a program can tell: axe-core looks at each panel."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenLab
from tests.browser.panel import (
    SLOW,
    ask,
    finished,
    open_chat,
    open_models,
    screenshot,
)

AXE = Path(__file__).parents[2] / "labextension/node_modules/axe-core/axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]


def violations(page: Page, selector: str) -> list[dict[str, Any]]:
    """Return what axe-core finds wrong in a part of the page, in short."""
    if not page.evaluate("'axe' in window"):
        page.add_script_tag(path=AXE)
    found = page.evaluate(
        """([selector, rules]) =>
             axe.run(selector, {runOnly: {type: 'tag', values: rules}})""",
        [selector, RULES],
    )
    return [
        {
            "rule": violation["id"],
            "nodes": [node["html"][:200] for node in violation["nodes"]],
            "why": violation["nodes"][0]["failureSummary"],
        }
        for violation in found["violations"]
    ]


@pytest.mark.parametrize("theme", ["Light", "Dark", "Dark High Contrast"])
def test_the_panels_are_accessible(open_lab: OpenLab, theme: str) -> None:
    """Models with a form open, a chat with code, the list, the drawer, the cells."""
    page = open_lab(theme)
    models = open_models(page)
    models.get_by_label("Load hello with options").click()
    expect(models.get_by_role("form")).to_contain_text("Takes", timeout=SLOW)
    models.get_by_label("Download a model").click()
    screenshot(page, f"models-{theme.replace(' ', '-').lower()}")
    assert violations(page, "#jp-llm-models") == []

    chat = open_chat(page, "guide")
    assert violations(page, "#jp-llm-chat") == []
    ask(chat, "How do I read a CSV file with pandas?")
    finished(chat)
    chat.locator("pre").hover()
    chat.get_by_label("System prompt and sampling").click()
    screenshot(page, f"chat-{theme.replace(' ', '-').lower()}")
    assert violations(page, "#jp-llm-chat") == []
    chat.get_by_label("Conversations").click()
    expect(chat.locator(".jp-llm-row").first).to_be_visible()
    assert violations(page, "#jp-llm-chat") == []
    assert violations(page, "#jp-main-statusbar .jp-llm-status") == []


def test_the_chat_is_used_without_a_mouse(open_lab: OpenLab) -> None:
    """From the shortcut to the answer, by keys alone; the focus never gets lost."""
    page = open_lab()
    page.keyboard.press("Control+Alt+l")
    box = page.locator("#jp-llm-chat .jp-llm-composer textarea")
    expect(box).to_be_focused(timeout=SLOW)
    page.keyboard.type("What can you do?")

    page.keyboard.press("Enter")

    chat = page.locator("#jp-llm-chat")
    finished(chat)
    expect(box).to_be_focused()


def test_who_wants_less_motion_gets_none(open_lab: OpenLab) -> None:
    """Nothing pulses."""
    page = open_lab()
    page.emulate_media(reduced_motion="reduce")
    open_models(page)

    moving = page.evaluate(
        """() => [...document.querySelectorAll('[class*=jp-llm]')].filter(
             node => getComputedStyle(node).animationName !== 'none').length"""
    )

    assert moving == 0
