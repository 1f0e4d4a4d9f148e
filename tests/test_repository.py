"""What holds for the repository as a whole."""

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from llm_ext.config import LLMConfig
from llm_ext.core.tested_runtime import TESTED
from llm_ext.extension import LLMExt
from llm_ext.routes import ROUTES
from tools import error_table, options_table

ROOT = Path(__file__).parents[1]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_the_floors_hold() -> None:
    """import-linter's contracts in pyproject.toml: who may import whom."""
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    result = run(sys.executable, "-c", code)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 broken" in result.stdout


def loaded_by(statement: str) -> set[str]:
    code = f"{statement}; import sys; print('\\n'.join(sys.modules))"
    return set(run(sys.executable, "-c", code).stdout.split())


def test_importing_the_packages_loads_nothing() -> None:
    """The worker must not pay for the web server, nor a notebook for a client."""
    heavy = {"tornado", "jupyter_server", "traitlets", "llama_cpp", "msgspec", "httpx"}
    loaded = loaded_by("import llm_ext, kernel_magics")
    assert "llm_ext" in loaded
    assert not loaded & heavy


def test_the_server_never_loads_llama() -> None:
    """A crash in it would take the whole Jupyter server along."""
    loaded = loaded_by("import llm_ext.extension")
    assert "jupyter_server" in loaded
    assert not loaded & {"llama_cpp", "llm_ext.llama", "llm_ext.engine"}


def test_the_worker_never_loads_the_web_server() -> None:
    loaded = loaded_by("import llm_ext.worker.build, llm_ext.worker.engine_thread")
    assert "llama_cpp" in loaded
    assert not loaded & {"tornado", "jupyter_server", "traitlets"}


def test_the_version_has_one_source() -> None:
    """The front end's package.json; the Python package takes it from there."""
    package = json.loads((ROOT / "labextension" / "package.json").read_text())
    assert package["version"] == version("jupyter-llm-ext")
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert f"## {package['version']}" in changelog


def test_the_tested_runtime_is_the_required_one() -> None:
    """The start-up check and the requirement must not drift apart."""
    low, high = (".".join(map(str, numbers)) for numbers in TESTED)
    wanted = f'"llama-cpp-python>={low},<{high}"'
    text = (ROOT / "pyproject.toml").read_text()
    assert wanted.replace(".37.0", ".37") in text


def test_the_extension_is_enabled_by_its_installation() -> None:
    folder = ROOT / "jupyter-config" / "server-config"
    (drop_in,) = folder.glob("*.json")
    enabled = json.loads(drop_in.read_text())["ServerApp"]["jpserver_extensions"]
    assert enabled == {LLMExt.name: True}


def test_the_table_of_options_is_fresh() -> None:
    """Run ``python -m tools.options_table`` when it is not."""
    text = options_table.PAGE.read_text()
    assert text == options_table.page(text)
    with pytest.raises(ValueError, match="lacks the marks"):
        options_table.page("# Configuration")


def test_every_option_is_documented() -> None:
    """In the table of docs/configuration.md."""
    text = (ROOT / "docs" / "configuration.md").read_text()
    mine = set(LLMConfig.class_own_traits(config=True))
    assert mine
    for name in mine:
        assert f"`{name}`" in text, name


def test_every_route_is_documented() -> None:
    text = (ROOT / "docs" / "http.md").read_text()
    for route, _ in ROUTES:
        if route.endswith("(.*)"):
            continue  # for all that do not exist
        plain = route
        for pattern in (r"([^/]+(?:/[^/]+)*?)", "([^/]+)"):
            plain = plain.replace(pattern, "{id}")
        assert f"`{plain}`" in text, plain


def test_the_table_of_errors_is_fresh() -> None:
    """Run ``python -m tools.error_table`` when it is not."""
    text = error_table.PAGE.read_text()
    assert text == error_table.page(text)
