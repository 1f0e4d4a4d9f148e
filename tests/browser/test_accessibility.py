"""WCAG 2.1 AA, as far as a program can tell: axe-core looks at each panel."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenLab
from tests.browser.panel import (
    ENDLESS,
    SLOW,
    TALK,
    answers,
    ask,
    choose_conversation,
    finished,
    make_conversation,
    open_chat,
    open_models,
    reload,
    screenshot,
    show_conversation,
)
from tests.live import LiveServer

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
    """Models with a form open, a chat with code, the list, the drawer, the status."""
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


@pytest.mark.parametrize("theme", ["Light", "Dark", "Dark High Contrast"])
def test_every_state_is_accessible(
    open_lab: OpenLab, lab: LiveServer, theme: str
) -> None:
    """All that an answer may hold, menus, an answer that grows, errors, a proposal."""
    page = open_lab(theme)
    cell = page.locator(".jp-Notebook .jp-CodeCell").first
    cell.locator(".jp-InputArea-editor").click()
    chat = show_conversation(page, make_conversation(lab, model="guide", messages=TALK))
    expect(chat.locator("table")).to_be_visible(timeout=SLOW)
    for summary in answers(chat).locator("summary").all():
        summary.click()
    expect(answers(chat).locator(".jp-llm-fold pre")).to_be_visible()
    chat.get_by_label("Attach something").first.click()
    assert violations(page, "#jp-llm-chat") == []
    chat.get_by_role("button", name="Current cell", exact=True).click()
    chat.get_by_label("Edit and send again").click()
    assert violations(page, "#jp-llm-chat") == []

    page.route("**/llm/conversations/*/reply*", lambda route: route.abort())
    ask(chat, "Is anybody there?")
    expect(chat.get_by_role("alert")).to_be_visible(timeout=SLOW)
    assert violations(page, "#jp-llm-chat") == []
    page.unroute_all()

    made = make_conversation(lab, model="babble", options=ENDLESS)
    choose_conversation(chat, made)
    ask(chat, "Go on for ever.")
    expect(answers(chat)).to_be_visible(timeout=SLOW)
    assert violations(page, "#jp-llm-chat") == []
    assert violations(page, "#jp-main-statusbar .jp-llm-status") == []
    chat.get_by_label("Stop (Escape)").click()
    expect(chat.get_by_label("Send (Enter)")).to_be_visible(timeout=SLOW)

    cell.locator('[data-command="llm:cell-menu"]').click()
    page.locator(".lm-Menu-itemLabel", has_text="Refactor").click()
    proposal = cell.locator(".jp-llm-proposal")
    expect(proposal.locator('[data-kind="added"]').first).to_be_visible(timeout=SLOW)
    assert violations(page, ".jp-llm-proposal") == []
    proposal.get_by_role("button").last.click()
    expect(proposal).to_have_count(0)

    page.route("**/llm/events*", lambda route: route.abort())
    reload(page)
    page.locator('.lm-TabBar-tab[data-id="jp-llm-models"]').click(timeout=SLOW)
    alert = page.locator("#jp-llm-models").get_by_role("alert")
    expect(alert).to_be_visible(timeout=SLOW)
    assert violations(page, "#jp-llm-models") == []


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


def test_who_wants_less_motion_gets_none(open_lab: OpenLab, lab: LiveServer) -> None:
    """What pulses while a model is busy stands still."""
    page = open_lab()
    made = make_conversation(lab, model="babble", options=ENDLESS)
    chat = show_conversation(page, made)
    ask(chat, "Go on for ever.")
    expect(page.locator('.jp-llm-status[data-state="busy"]')).to_be_visible(
        timeout=SLOW
    )
    moving = """() => document.getAnimations().filter(({effect}) =>
      effect.target.closest('[class*=jp-llm]') !== null).length"""

    page.emulate_media(reduced_motion="no-preference")
    assert page.evaluate(moving) > 0
    page.emulate_media(reduced_motion="reduce")
    assert page.evaluate(moving) == 0

    chat.get_by_label("Stop (Escape)").click()
    expect(chat.get_by_label("Send (Enter)")).to_be_visible(timeout=SLOW)
