"""An installation is repeated when what it is made from has changed."""

import importlib.metadata
from pathlib import Path

import pytest

from tools import pyproject
from tools.project import Stamp, fingerprint

PYPROJECT = """
[build-system]
requires = ["hatchling>=1.27"]

[project]
name = "something"
dependencies = [
  # A comment with "llama-cpp-python" in it.
  "tornado>=6.4",
  "Llama_CPP.python >=0.3.36, <0.3.37",
]
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    source = tmp_path / "labextension" / "src"
    source.mkdir(parents=True)
    (source / "index.ts").write_text("export default [];")
    return tmp_path


@pytest.mark.parametrize(
    "name", ["pyproject.toml", "labextension/src/index.ts", "labextension/new.ts"]
)
def test_a_changed_input_changes_the_fingerprint(root: Path, name: str) -> None:
    before = fingerprint(root)
    with (root / name).open("a") as file:
        file.write("# more")
    assert fingerprint(root) != before


@pytest.mark.parametrize("name", ["lib/index.js", "node_modules/a.js", ".yarn/state"])
def test_what_is_built_does_not(root: Path, name: str) -> None:
    before = fingerprint(root)
    path = root / "labextension" / name
    path.parent.mkdir(parents=True)
    path.touch()
    (root / "labextension" / "a.tsbuildinfo").touch()
    assert fingerprint(root) == before


def test_a_stamp_survives(tmp_path: Path) -> None:
    path = tmp_path / "project.json"
    assert Stamp.load(path) == Stamp()
    stamp = Stamp(inputs="abc", groups=("bench", "dev"))
    stamp.save(path)
    assert Stamp.load(path) == stamp


@pytest.mark.parametrize(
    ("version", "met"),
    [("0.3.36", True), ("0.3.36+cu124", True), ("0.3.35", False), ("0.3.37", False)],
)
def test_the_requirement_is_read_and_compared(
    root: Path, monkeypatch: pytest.MonkeyPatch, version: str, *, met: bool
) -> None:
    monkeypatch.setattr(pyproject, "version", lambda _: version)
    facts = pyproject.facts(root / "pyproject.toml")
    assert facts["build"] == ["hatchling>=1.27"]
    assert facts["runtime"].startswith("Llama_CPP.python")
    assert facts["installed"] is met


def test_a_missing_runtime_is_not_installed(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def absent(name: str) -> str:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(pyproject, "version", absent)
    assert pyproject.facts(root / "pyproject.toml")["installed"] is False
