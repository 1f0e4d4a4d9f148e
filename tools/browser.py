"""The browser for the tests: found, or installed. The tests use the same search."""

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from tools.console import Problem, Step, run
from tools.environment import Environment

VARIABLE = "LLM_EXT_BROWSER"

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_APPLICATIONS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
_DOWNLOADS = (
    "chromium-*/chrome-linux*/chrome",
    "chromium-*/chrome-mac*/*.app/Contents/MacOS/*",
)


def find_browser(environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the program of a Chromium or Chrome, or None where there is none.

    1. What ``LLM_EXT_BROWSER`` names.
    2. The machine's own: on the search path, or among macOS's applications.
    3. What Playwright has downloaded, the newest first.

    Raises:
        Problem: ``LLM_EXT_BROWSER`` names no program.
    """
    path = environ.get("PATH")
    if chosen := environ.get(VARIABLE):
        program = shutil.which(chosen, path=path)
        if program is None:
            raise Problem(f"{VARIABLE} names no program: {chosen}")
        return program
    candidates = [*_NAMES, *_APPLICATIONS, *_downloaded(environ)]
    found = (shutil.which(candidate, path=path) for candidate in candidates)
    return next(filter(None, found), None)


def _downloaded(environ: Mapping[str, str]) -> list[str]:
    home = Path(environ.get("HOME", "~")).expanduser()
    caches = "Library/Caches" if sys.platform == "darwin" else ".cache"
    folder = Path(
        environ.get("PLAYWRIGHT_BROWSERS_PATH", home / caches / "ms-playwright")
    )
    found = [path for pattern in _DOWNLOADS for path in folder.glob(pattern)]
    found.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    return [str(path) for path in found]


def ensure(environment: Environment) -> str:
    """Return a browser's program, installing one where there is none.

    Raises:
        Problem: There is none and none can be installed.
    """
    root = os.geteuid() == 0
    environ = environment.variables()
    playwright: list[str | Path] = [
        environment.python,
        "-m",
        "playwright",
        "install",
        "chromium",
    ]
    ways: list[tuple[str, list[list[str | Path]]]] = [
        (
            "Downloading Playwright's browser",
            [[*playwright, "--with-deps"] if root else [*playwright]],
        ),
    ]
    if root and shutil.which("apt-get"):
        environ["DEBIAN_FRONTEND"] = "noninteractive"
        ways.append(
            (
                "Installing the system's Chromium",
                [["apt-get", "update"], ["apt-get", "install", "-y", "chromium"]],
            )
        )
    found = find_browser()
    for title, commands in ways:
        if found is not None:
            break
        _try(title, commands, environ)
        found = find_browser()
    if found is None:
        raise Problem(
            "The tests drive JupyterLab in a real browser, and there is neither a"
            " Chromium nor a Chrome, nor could one be installed. On Debian install it"
            " with: apt-get install chromium. A browser elsewhere is named with"
            f" {VARIABLE}=/path/to/chrome make test"
        )
    return found


def _try(
    title: str, commands: list[list[str | Path]], environ: Mapping[str, str]
) -> None:
    """Run commands of which one may fail; the next way, or the end, speaks of it."""
    try:
        with Step(title):
            for command in commands:
                run(command, log="browser", environ=environ)
    except Problem:
        print("  did not work; build/logs/browser.log says why")
