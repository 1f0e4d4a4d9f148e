"""The software GPU: what a program gets to use it, and what is said if it cannot be."""

import shutil
from pathlib import Path

import pytest

from tools import facts
from tools.console import Problem
from tools.environment import Environment
from tools.software_gpu import build
from tools.software_gpu.environment import LIBRARY, PACKAGES, variables


def test_a_program_gets_the_build_before_everything_else() -> None:
    given = {"PYTHONPATH": "mine", "HOME": "home"}
    found = variables(given)
    assert found["PYTHONPATH"].split(":") == [str(PACKAGES), "mine"]
    assert found["LD_PRELOAD"] == str(LIBRARY)
    assert found["GGML_VK_VISIBLE_DEVICES"] == "0"
    assert found["HOME"] == "home"
    assert given["PYTHONPATH"] == "mine"


def test_missing_packages_are_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where they cannot be installed."""
    monkeypatch.setattr(build, "_RECORD", tmp_path / "requirement.txt")
    monkeypatch.setattr(build, "FOLDER", tmp_path)
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(Problem, match="apt-get install mesa-vulkan-drivers"):
        build.ensure(Environment())


def test_what_is_built_already_is_not_built_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As long as it is the llama.cpp that is wanted."""
    record = tmp_path / "requirement.txt"
    record.write_text(facts.read(Environment())["runtime"])
    monkeypatch.setattr(build, "_RECORD", record)
    monkeypatch.setattr(build, "_ensure_packages", pytest.fail)
    build.ensure(Environment())
