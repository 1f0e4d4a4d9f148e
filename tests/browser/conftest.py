"""JupyterLab in a real browser, for the tests of what people see."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.chromium import chromium, settle
from tests.live import LiveServer, live_server

DEMO = Path(__file__).parents[2] / "docs" / "demo.ipynb"
SLOW = 60_000
"""Milliseconds that JupyterLab may take to start on a busy machine."""

OpenLab: TypeAlias = Callable[..., Page]
"""Opens JupyterLab; see :func:`open_lab`."""


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
    """The browser of one file.

    It ends with its file: while Playwright drives it, an event loop counts as running
    in this thread, where tests of other files run loops of their own.
    """
    with chromium() as launched:
        yield launched


@pytest.fixture
def open_lab(browser: Browser, lab: LiveServer) -> Iterator[OpenLab]:
    """A function that opens the demo notebook as a browser of its own would."""
    contexts = []

    def open_page(
        theme: str = "Light",
        *,
        width: int = 1280,
        height: int = 900,
        server: LiveServer = lab,
        notebook: str = "demo.ipynb",
    ) -> Page:
        settle(server, theme)
        context = browser.new_context(viewport={"width": width, "height": height})
        contexts.append(context)
        page = context.new_page()
        page.goto(f"{server.url}lab/tree/{notebook}?token={server.token}&reset")
        written = json.loads((server.notebooks / notebook).read_text())["cells"]
        cells = page.locator(".jp-NotebookPanel .jp-Cell")
        expect(cells).to_have_count(len(written), timeout=SLOW)
        return page

    yield open_page
    for context in contexts:
        context.close()
