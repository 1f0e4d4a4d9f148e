"""JupyterLab in a real browser: the demo notebook and the status bar."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.live import LiveServer, live_server
from tools.browser import find_browser

DEMO = Path(__file__).parents[2] / "docs" / "demo.ipynb"
SCREENSHOTS = Path(__file__).parents[2] / ".screenshots"
SLOW = 60_000
"""Milliseconds that JupyterLab may take to start on a busy machine."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, models: Path) -> Iterator[LiveServer]:
    """JupyterLab with the demo notebook."""
    folder = tmp_path_factory.mktemp("lab")
    (folder / "notebooks").mkdir()
    shutil.copy(DEMO, folder / "notebooks" / "demo.ipynb")
    with live_server(folder, models, app="lab") as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium or Chrome, as ``make test`` found or installed it."""
    executable = find_browser()
    assert executable, "no browser was found: 'make test' installs one, or says how"
    arguments = ["--disable-gpu", "--disable-background-networking", "--no-first-run"]
    if os.geteuid() == 0:
        arguments.append("--no-sandbox")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=executable, args=arguments
        )
        yield launched
        launched.close()


@pytest.fixture(params=["light", "dark"])
def page(
    request: pytest.FixtureRequest, browser: Browser, lab: LiveServer
) -> Iterator[Page]:
    """The demo notebook, open in JupyterLab, in both themes."""
    theme = "JupyterLab Light" if request.param == "light" else "JupyterLab Dark"
    settings = lab.folder / "config" / "lab" / "user-settings" / "@jupyterlab"
    themes = settings / "apputils-extension" / "themes.jupyterlab-settings"
    themes.parent.mkdir(parents=True, exist_ok=True)
    themes.write_text(f'{{"theme": "{theme}"}}')
    notices = settings / "apputils-extension" / "notification.jupyterlab-settings"
    notices.write_text('{"fetchNews": "false", "checkForUpdates": false}')
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    opened.goto(f"{lab.url}lab/tree/demo.ipynb?token={lab.token}&reset")
    opened.locator(".jp-NotebookPanel .jp-Cell").first.wait_for(timeout=SLOW)
    yield opened
    context.close()


def screenshot(page: Page, name: str) -> None:
    """Keep a picture, to be looked at."""
    SCREENSHOTS.mkdir(exist_ok=True)
    theme = page.evaluate("document.body.dataset.jpThemeLight") == "true"
    page.screenshot(path=SCREENSHOTS / f"{name}-{'light' if theme else 'dark'}.png")


def run(page: Page, cell: Locator) -> None:
    """Run a cell as a person does, and wait until it is done."""
    cell.locator(".jp-InputArea-editor").click()
    page.keyboard.press("Shift+Enter")
    prompt = cell.locator(".jp-InputArea-prompt")
    expect(prompt).to_have_text(re.compile(r"^\[\d+\]:$"), timeout=SLOW)


def test_the_demo_streams_its_answer_and_the_status_bar_follows(page: Page) -> None:
    """What a newcomer sees: the cells run, text streams, the model's state shows."""
    status = page.locator(".jp-llm-status")
    expect(status).to_have_attribute("data-state", "none", timeout=SLOW)
    expect(page.locator("#jp-main-statusbar")).to_contain_text("| Idle", timeout=SLOW)
    cells = page.locator(".jp-Notebook .jp-CodeCell")

    for number in range(7):
        run(page, cells.nth(number))
    answers = [cells.nth(number).locator(".jp-RenderedMarkdown") for number in range(7)]
    expect(answers[1].locator("table")).to_contain_text("guide")
    expect(answers[3]).to_contain_text("%llm load")
    expect(answers[4].locator("pre")).to_contain_text("read_csv")
    expect(answers[5]).to_have_text("7 * 8 = 56.")
    expect(answers[6]).to_contain_text("Soy Guide")
    expect(status).to_have_attribute("data-model", "guide", timeout=SLOW)
    expect(status).to_have_text("LLM: guide")
    screenshot(page, "demo")

    run(page, cells.nth(7))
    expect(cells.nth(7).locator(".jp-OutputArea-output")).to_contain_text("unloaded")
    expect(status).to_have_attribute("data-state", "none", timeout=SLOW)
