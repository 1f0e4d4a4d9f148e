"""Chromium as the tests and the benchmarks of the front end start it."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from tests.live import LiveServer
from tools.browser import find_browser


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium or Chrome, as ``make test`` found or installed it.

    While Playwright drives it, an event loop counts as running in this thread.
    """
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


def settle(server: LiveServer, theme: str) -> None:
    """Choose a theme, and do without the questions of a first start."""
    settings = server.folder / "config" / "lab" / "user-settings" / "@jupyterlab"
    folder = settings / "apputils-extension"
    folder.mkdir(parents=True, exist_ok=True)
    chosen = {
        "themes": {"theme": f"JupyterLab {theme}"},
        "notification": {"fetchNews": "false", "checkForUpdates": False},
    }
    for name, values in chosen.items():
        (folder / f"{name}.jupyterlab-settings").write_text(json.dumps(values))
