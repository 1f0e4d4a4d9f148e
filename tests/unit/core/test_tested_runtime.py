"""Which releases of llama-cpp-python may be used."""

import pytest

from llm_ext.core.tested_runtime import version_problem


@pytest.mark.parametrize("version", ["0.3.36", "0.3.36.post1", "0.3.36+cu124"])
def test_a_tested_release_is_no_problem(version: str) -> None:
    """Whatever it was built for."""
    assert version_problem(version) is None


@pytest.mark.parametrize("version", ["0.3.35", "0.3.37", "0.4.0", "1", "", "unknown"])
def test_another_one_is_named_with_what_to_install(version: str) -> None:
    """Also where it is no release at all."""
    problem = version_problem(version) or ""
    assert f"llama-cpp-python {version} is installed" in problem
    assert "pip install 'llama-cpp-python>=0.3.36,<0.3.37'" in problem


def test_none_at_all_is_told_with_what_to_install() -> None:
    problem = version_problem(None) or ""
    assert "is not installed" in problem
    assert "pip install llama-cpp-python" in problem
