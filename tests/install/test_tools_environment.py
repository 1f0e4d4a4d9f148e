"""``.venv`` is kept while it is of use, and its defects are named."""

import hashlib
import json
import shutil
import sys
from pathlib import Path

import pytest

from tools import environment
from tools.environment import Environment, defect, download_pip

THIS = sys.version_info[:2]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    made = Environment(path=tmp_path_factory.mktemp("environment") / "venv")
    environment.ensure(made, chosen=False)
    return made


def test_a_good_environment_is_kept(made: Environment) -> None:
    witness = made.path / "witness"
    witness.touch()
    environment.ensure(made, chosen=True)
    assert witness.exists()


def test_a_good_environment_has_no_defect(made: Environment) -> None:
    assert defect(made, asked=None) is None
    assert defect(made, asked=THIS) is None


def test_another_python_is_asked_for(made: Environment) -> None:
    assert defect(made, asked=(3, 9)) == f"has Python {THIS[0]}.{THIS[1]}"


def test_an_environment_without_pip_is_incomplete(tmp_path: Path) -> None:
    half = Environment(path=tmp_path / "venv")
    half.bin.mkdir(parents=True)
    assert defect(half, asked=None) == "is incomplete"
    half.python.symlink_to(tmp_path / "a-python-that-was-removed")
    assert defect(half, asked=None) == "is incomplete"


def test_a_copied_environment_is_noticed(made: Environment, tmp_path: Path) -> None:
    copy = Environment(path=tmp_path / "venv")
    shutil.copytree(made.path, copy.path, symlinks=True)
    assert defect(copy, asked=None) == "was made in another folder"


def test_an_upgraded_python_is_noticed(made: Environment, tmp_path: Path) -> None:
    copy = Environment(path=tmp_path / "venv")
    shutil.copytree(made.path, copy.path, symlinks=True)
    configuration = copy.path / "pyvenv.cfg"
    text = configuration.read_text().replace(f"{THIS[0]}.{THIS[1]}.", "3.9.")
    configuration.write_text(text)
    assert "made with another Python" in str(defect(copy, asked=None))


def serve_pip(tmp_path: Path, digest: str) -> str:
    """Lay out an index's answer as files; return its address."""
    (tmp_path / "pip-99-py3-none-any.whl").write_bytes(b"wheel")
    file = {
        "packagetype": "bdist_wheel",
        "filename": "pip-99-py3-none-any.whl",
        "url": "pip-99-py3-none-any.whl",
        "digests": {"sha256": digest},
    }
    facts = tmp_path / "pip.json"
    facts.write_text(json.dumps({"urls": [{"packagetype": "sdist"}, file]}))
    return facts.as_uri()


def test_pip_is_downloaded_and_checked(tmp_path: Path) -> None:
    facts = serve_pip(tmp_path, hashlib.sha256(b"wheel").hexdigest())
    target = tmp_path / "target"
    target.mkdir()
    assert download_pip(target, facts).read_bytes() == b"wheel"


def test_a_damaged_pip_is_refused(tmp_path: Path) -> None:
    facts = serve_pip(tmp_path, hashlib.sha256(b"another").hexdigest())
    with pytest.raises(ValueError, match="damaged"):
        download_pip(tmp_path, facts)
