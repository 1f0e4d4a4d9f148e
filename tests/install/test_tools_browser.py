"""A browser is found where the machine has one, and never guessed."""

from pathlib import Path

import pytest

from tools.browser import find_browser
from tools.console import Problem


def program(path: Path) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return str(path)


def environ(tmp_path: Path, **more: str) -> dict[str, str]:
    """Return variables under which only what lies in tmp_path is found."""
    return {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path), **more}


@pytest.mark.parametrize(
    "name", ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
)
def test_it_is_found_on_the_path(tmp_path: Path, name: str) -> None:
    expected = program(tmp_path / "bin" / name)
    assert find_browser(environ(tmp_path)) == expected


def test_the_variable_comes_first(tmp_path: Path) -> None:
    program(tmp_path / "bin" / "chromium")
    expected = program(tmp_path / "elsewhere" / "chrome")
    assert find_browser(environ(tmp_path, LLM_EXT_BROWSER=expected)) == expected


def test_a_variable_that_names_nothing_is_a_problem(tmp_path: Path) -> None:
    program(tmp_path / "bin" / "chromium")
    with pytest.raises(Problem, match="names no program: /nowhere/chrome"):
        find_browser(environ(tmp_path, LLM_EXT_BROWSER="/nowhere/chrome"))


def test_playwrights_own_is_found(tmp_path: Path) -> None:
    downloads = tmp_path / "downloads"
    expected = program(downloads / "chromium-1200" / "chrome-linux64" / "chrome")
    variables = environ(tmp_path, PLAYWRIGHT_BROWSERS_PATH=str(downloads))
    assert find_browser(variables) == expected


def test_a_file_that_cannot_run_is_no_browser(tmp_path: Path) -> None:
    Path(program(tmp_path / "bin" / "chromium")).chmod(0o644)
    downloads = str(tmp_path / "downloads")
    variables = environ(tmp_path, PLAYWRIGHT_BROWSERS_PATH=downloads)
    found = find_browser(variables)
    assert found is None or found.startswith("/Applications/")
