"""What a model does for cells, and the text that it suggests at the cursor."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.browser.conftest import OpenLab
from tests.browser.panel import (
    SLOW,
    answers,
    finished,
    screenshot,
    write_notebook,
)
from tests.live import LiveServer, live_server
from tests.models.coder import FILLING, write_coder

SOURCE = "def double(x):\n    return 2 * x"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """JupyterLab with a notebook of two cells, and the model that ships alone."""
    folder = tmp_path_factory.mktemp("lab")
    (folder / "models").mkdir()
    write_notebook(folder / "notebooks", SOURCE, "1 / 0")
    with live_server(folder, folder / "models", app="lab") as running:
        yield running


def choose(page: Page, number: int, label: str) -> None:
    """Choose an action from a cell's context menu."""
    cell = page.locator(".jp-Notebook .jp-CodeCell").nth(number)
    cell.locator(".jp-InputArea-editor").click(button="right")
    page.locator(".lm-Menu-itemLabel", has_text="Language Model").hover()
    page.locator(".lm-Menu-itemLabel", has_text=label).click()


@pytest.mark.parametrize("label", ["Explain This Cell", "Add Comments"])
def test_the_toolbar_of_a_cell_has_all_actions(open_lab: OpenLab, label: str) -> None:
    """Behind one button, since a toolbar has little room."""
    page = open_lab()
    cell = page.locator(".jp-Notebook .jp-CodeCell").first
    cell.locator(".jp-InputArea-editor").click()

    cell.locator('[data-command="llm:cell-menu"]').click()

    labels = page.locator(".lm-Menu .lm-Menu-item:not(.lm-mod-hidden)")
    expect(labels).to_have_text(
        ["Explain This Cell", "Refactor", "Add Comments", "Write a Test"]
    )
    page.locator(".lm-Menu-itemLabel", has_text=label).click()
    started = page.locator("#jp-llm-chat .jp-llm-message, .jp-llm-proposal")
    expect(started.first).to_be_visible(timeout=SLOW)


def test_what_is_written_meanwhile_is_seen_in_the_diff(open_lab: OpenLab) -> None:
    """A proposal is told against the cell as it is, not as it was."""
    page = open_lab()
    cell = page.locator(".jp-Notebook .jp-CodeCell").first
    choose(page, 0, "Refactor")
    proposal = cell.locator(".jp-llm-proposal")
    expect(proposal.get_by_role("button", name="Reject")).to_be_visible(timeout=SLOW)

    cell.locator(".cm-content").click()
    page.keyboard.press("Control+End")
    page.keyboard.type("\nwritten_meanwhile = 1")

    removed = proposal.locator('[data-kind="removed"]')
    expect(removed.last).to_contain_text("written_meanwhile")


def test_an_edit_is_a_proposal_until_it_is_accepted(open_lab: OpenLab) -> None:
    """Rejected, nothing has changed; accepted, the cell is what the diff said."""
    page = open_lab()
    cell = page.locator(".jp-Notebook .jp-CodeCell").first
    proposal = cell.locator(".jp-llm-proposal")

    choose(page, 0, "Refactor")
    expect(proposal.get_by_role("button", name="Reject")).to_be_visible(timeout=SLOW)
    expect(proposal.locator('[data-kind="added"]').first).to_be_visible()
    screenshot(page, "proposal")
    proposal.get_by_role("button", name="Reject").click()
    expect(proposal).to_have_count(0)
    expect(cell).to_contain_text("return 2 * x")

    choose(page, 0, "Refactor")
    accept = proposal.get_by_role("button", name="Accept")
    expect(accept).to_be_enabled(timeout=SLOW)
    added = proposal.locator('[data-kind="added"]').first.inner_text()[2:]
    accept.click()

    expect(cell.locator(".cm-content")).to_contain_text(added)


def test_keys_in_a_proposal_are_not_the_notebooks(open_lab: OpenLab) -> None:
    """Two D would delete the cell, and the proposal with it; Escape goes back there."""
    page = open_lab()
    cells = page.locator(".jp-Notebook .jp-CodeCell")
    before = cells.count()
    choose(page, 0, "Refactor")
    accept = page.locator(".jp-llm-proposal").get_by_role("button", name="Accept")
    expect(accept).to_be_enabled(timeout=SLOW)

    accept.focus()
    page.keyboard.press("d")
    page.keyboard.press("d")
    page.keyboard.press("x")
    expect(accept).to_be_focused()
    expect(cells).to_have_count(before)
    page.keyboard.press("Escape")

    expect(accept).to_have_count(0)
    assert page.evaluate(
        "document.querySelector('.jp-Notebook').contains(document.activeElement)"
    )


def test_a_test_goes_below_the_cell(open_lab: OpenLab) -> None:
    """It is code of its own, so the cell stays."""
    page = open_lab()
    cells = page.locator(".jp-Notebook .jp-CodeCell")
    before = cells.count()
    choose(page, 0, "Write a Test")
    accept = page.locator(".jp-llm-proposal").get_by_role("button", name="Accept")
    expect(accept).to_be_enabled(timeout=SLOW)

    accept.click()

    expect(cells).to_have_count(before + 1)


def test_an_error_can_be_fixed_where_there_is_one(open_lab: OpenLab) -> None:
    """The action appears with the error."""
    page = open_lab()
    page.locator(".jp-Notebook .jp-CodeCell").nth(1).locator(
        ".jp-InputArea-editor"
    ).click()
    page.keyboard.press("Control+A")
    page.keyboard.type("1 / 0")
    # A cell that is run while its kernel is being connected is not run at all.
    idle = page.get_by_role("button", name="Python 3 (ipykernel) | Idle")
    expect(idle).to_be_visible(timeout=SLOW)
    page.keyboard.press("Control+Enter")
    failed = page.locator(".jp-Notebook .jp-CodeCell", has_text="ZeroDivisionError")
    expect(failed.first).to_be_visible(timeout=SLOW)

    choose(page, 1, "Fix the Error")

    expect(page.locator(".jp-llm-proposal")).to_be_visible(timeout=SLOW)


def test_an_explanation_is_a_conversation(open_lab: OpenLab) -> None:
    """The chat opens, with the cell attached."""
    page = open_lab()

    choose(page, 0, "Explain This Cell")

    chat = page.locator("#jp-llm-chat")
    expect(chat.locator('[data-role="user"] .jp-llm-chip')).to_have_text(
        "Cell 1", timeout=SLOW
    )
    finished(chat)
    expect(answers(chat)).to_be_visible()


@pytest.fixture(scope="module")
def coder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """JupyterLab with a model that fills gaps."""
    folder = tmp_path_factory.mktemp("coder")
    (folder / "models").mkdir()
    write_coder(folder / "models" / "coder.gguf")
    write_notebook(folder / "notebooks", SOURCE, "")
    with live_server(folder, folder / "models", app="lab") as running:
        yield running


class Suggestions:
    """What a page asks for suggestions, and how that ends."""

    def __init__(self, page: Page) -> None:
        self.bodies: list[Any] = []
        self.cancelled = 0
        page.on("request", self._on_request)
        page.on("requestfailed", self._on_failed)

    def _on_request(self, request: Request) -> None:
        if "/llm/infill" in request.url:
            self.bodies.append(request.post_data_json)

    def _on_failed(self, request: Request) -> None:
        self.cancelled += "/llm/infill" in request.url


def test_ghost_text_is_off_by_default_on_a_processor(
    open_lab: OpenLab, coder: LiveServer
) -> None:
    """It loads nothing, asks nothing, and says so."""
    with coder.client() as client:
        client.post("models/coder/load", json={}).raise_for_status()
    page = open_lab(server=coder)
    asked = Suggestions(page)
    ghost = page.locator("[data-ghost]")
    expect(page.locator('.jp-llm-status[data-state="ready"]')).to_be_visible()
    expect(ghost).to_have_attribute("data-ghost", "no-model", timeout=SLOW)

    page.locator(".jp-Notebook .jp-CodeCell .jp-InputArea-editor").last.click()
    page.keyboard.type("x = 1")
    expect(page.locator(".jp-Notebook .jp-CodeCell").last).to_contain_text("x = 1")

    assert asked.bodies == []


def test_ghost_text_is_suggested_and_accepted(
    open_lab: OpenLab, coder: LiveServer
) -> None:
    """By a model that fills in the middle; once for what is typed in one go."""
    with coder.client() as client:
        client.post("models/coder/load", json={}).raise_for_status()
    page = open_lab(server=coder)
    asked = Suggestions(page)
    ghost = page.locator("[data-ghost]")
    expect(ghost).to_have_attribute("data-ghost", "no-model", timeout=SLOW)
    ghost.click()
    expect(ghost).to_have_attribute("data-ghost", "idle", timeout=SLOW)
    cell = page.locator(".jp-Notebook .jp-CodeCell").last
    cell.locator(".jp-InputArea-editor").click()

    page.keyboard.type("total = double(2); ")
    expect(cell.locator(".jp-GhostText")).to_contain_text(FILLING, timeout=SLOW)
    screenshot(page, "ghost-text")
    assert len(asked.bodies) < len("total = double(2); ")
    assert asked.bodies[-1]["input_prefix"] == f"{SOURCE}\n\ntotal = double(2); "
    page.keyboard.press("Tab")

    expect(cell.locator(".cm-content")).to_have_text(f"total = double(2); {FILLING}")
    ghost.click()
    expect(ghost).to_have_attribute("data-ghost", "off")


def test_a_suggestion_that_comes_too_late_is_cancelled(
    open_lab: OpenLab, coder: LiveServer
) -> None:
    """A newer one takes its place; the server hears that nobody waits any more."""
    with coder.client() as client:
        client.post("models/coder/load", json={}).raise_for_status()
    page = open_lab(server=coder)
    asked = Suggestions(page)

    def hold(_route: Route) -> None:
        """Leave it without an answer."""

    page.route("**/llm/infill*", hold)
    ghost = page.locator("[data-ghost]")
    expect(ghost).not_to_have_attribute("data-ghost", "idle", timeout=SLOW)
    ghost.click()
    expect(ghost).to_have_attribute("data-ghost", "idle", timeout=SLOW)
    cell = page.locator(".jp-Notebook .jp-CodeCell").last
    cell.locator(".jp-InputArea-editor").click()
    page.keyboard.type("first")
    expect(ghost).to_have_attribute("data-ghost", "thinking", timeout=SLOW)

    with page.expect_event("requestfailed", timeout=SLOW):
        page.keyboard.type("second")

    assert asked.cancelled >= 1
    page.unroute_all()
    ghost.click()
    expect(ghost).to_have_attribute("data-ghost", "off")


def test_ghost_text_loads_no_model_by_itself(
    open_lab: OpenLab, lab: LiveServer
) -> None:
    """It loads nothing by itself, and tells the model what surrounds the cursor."""
    page = open_lab()
    bodies: list[Any] = []

    def note(request: Request) -> None:
        if "/llm/infill" in request.url:
            bodies.append(request.post_data_json)

    page.on("request", note)
    ghost = page.locator("[data-ghost]")
    expect(ghost).to_have_attribute("data-ghost", "no-model", timeout=SLOW)
    with lab.client() as client:
        client.post("models/guide/unload", json={})
    ghost.click()
    expect(ghost).to_have_attribute("data-ghost", "no-model", timeout=SLOW)
    assert lab.model("guide")["state"] == "unloaded"

    with lab.client() as client:
        client.post("models/guide/load", json={})
    expect(ghost).to_have_attribute("data-ghost", "idle", timeout=SLOW)
    editor = page.locator(".jp-Notebook .jp-CodeCell").last
    editor.locator(".jp-InputArea-editor").click()
    page.keyboard.press("Control+End")
    with page.expect_response(
        lambda response: "/llm/infill" in response.url, timeout=SLOW
    ) as answered:
        page.keyboard.type("\nimport pan")

    assert answered.value.ok
    assert bodies[-1]["input_prefix"].startswith("def double(x)")
    ghost.click()
    expect(ghost).to_have_attribute("data-ghost", "off")
