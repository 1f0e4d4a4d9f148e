"""The virtual environment in ``.venv``: made, checked, and given a pip."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools.console import ROOT, Problem, Step, run

NEWEST_TESTED = (3, 13)

_PIP_WITH_GROUPS = (25, 1)
_INDEX = "https://pypi.org"
_PIP_FACTS = f"{_INDEX}/pypi/pip/json"
_PROBE = (
    "import pip, sys; print(*sys.version_info[:2], sep='.'); print(pip.__version__)"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Environment:
    """A virtual environment's folder and what is where in it."""

    path: Path = ROOT / ".venv"

    @property
    def bin(self) -> Path:
        """The folder of its programs."""
        return self.path / "bin"

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.bin / "python"

    def variables(self) -> dict[str, str]:
        """Return the variables for a program that runs in it."""
        environ = dict(os.environ)
        environ.pop("PYTHONHOME", None)
        environ["PATH"] = f"{self.bin}{os.pathsep}{environ.get('PATH', os.defpath)}"
        environ["VIRTUAL_ENV"] = str(self.path)
        environ["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
        # A person's own pip.conf may say "user", which pip refuses in here.
        environ["PIP_USER"] = "0"
        return environ

    def pip(self, *arguments: str | Path) -> list[str | Path]:
        """Return the command that runs its pip."""
        return [self.python, "-m", "pip", *arguments]


def ensure(environment: Environment, *, chosen: bool) -> None:
    """Make the environment, or make it anew where it is of no use any more.

    Args:
        environment: Where it is to be.
        chosen: Whether somebody asked for this very Python: then an environment of
            another version does not do.
    """
    asked = sys.version_info[:2] if chosen else None
    if environment.path.exists():
        reason = defect(environment, asked=asked)
        if reason is None:
            return
        print(f".venv {reason}: it is made anew.")
    if sys.version_info[:2] > NEWEST_TESTED:
        print(
            f"Note: the project is tested with Python up to {_dotted(NEWEST_TESTED)}."
        )
    with Step(f"Making .venv with Python {_dotted(sys.version_info[:2])}"):
        _create(environment)
        _upgrade_pip(environment)


def defect(environment: Environment, *, asked: tuple[int, int] | None) -> str | None:
    """Return what makes an environment useless, in words, or None."""
    probe = _probe(environment)
    configuration = environment.path / "pyvenv.cfg"
    script = environment.bin / "pip"
    if probe is None or not configuration.is_file() or not script.is_file():
        return "is incomplete"
    runs = probe[0]
    made = re.search(
        r"^version\w*\s*=\s*(\d+\.\d+)", configuration.read_text(), re.MULTILINE
    )
    if made is None or made[1] != runs:
        return f"was made with another Python than the {runs} that it finds now"
    if asked is not None and runs != _dotted(asked):
        return f"has Python {runs}"
    if str(environment.bin) not in script.read_text(encoding="utf-8"):
        return "was made in another folder"
    return None


def _probe(environment: Environment) -> tuple[str, str] | None:
    """Return the versions of its Python and pip, or None where either is missing."""
    try:
        probe = subprocess.run(
            [environment.python, "-c", _PROBE],
            check=True,
            capture_output=True,
            text=True,
            env=environment.variables(),
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    python, pip = probe.stdout.split()
    return python, pip


def _create(environment: Environment) -> None:
    """Make the folder, then try each way to a pip until one works."""
    if environment.path.is_symlink():
        environment.path.unlink()
    try:
        venv.EnvBuilder(symlinks=True, clear=True).create(environment.path)
    except OSError as error:
        raise Problem(f"{environment.path} cannot be made: {error}.") from None
    ways: list[Callable[[Environment], None]] = [
        _pip_from_ensurepip,
        _pip_from_own_pip,
        _pip_from_index,
    ]
    for way in ways:
        try:
            way(environment)
        except (Problem, OSError, ValueError):
            continue
        if _probe(environment) is not None:
            return
    shutil.rmtree(environment.path, ignore_errors=True)
    version = _dotted(sys.version_info[:2])
    raise Problem(
        f"Python {version} at {sys.executable} has no ensurepip and no pip, and pip"
        " could not be fetched from pypi.org either. On Debian and Ubuntu install"
        f" the missing part with: apt-get install python{version}-venv"
    )


def _pip_from_ensurepip(environment: Environment) -> None:
    run(
        [environment.python, "-m", "ensurepip", "--default-pip"],
        log="pip",
        environ=environment.variables(),
    )


def _pip_from_own_pip(environment: Environment) -> None:
    run(
        [sys.executable, "-m", "pip", "--python", environment.python, "install", "pip"],
        log="pip",
        environ=environment.variables(),
    )


def _pip_from_index(environment: Environment) -> None:
    """Run pip from its own wheel, which is an archive that Python can run."""
    with tempfile.TemporaryDirectory() as folder:
        wheel = download_pip(Path(folder))
        run(
            [environment.python, wheel / "pip", "install", wheel],
            log="pip",
            environ=environment.variables(),
        )


def download_pip(folder: Path, facts: str = _PIP_FACTS) -> Path:
    """Download pip's newest wheel, check its digest, and return its path.

    Raises:
        OSError: The index cannot be reached.
        ValueError: Its answer is not what it should be.
    """
    with urllib.request.urlopen(facts, timeout=30) as answer:  # noqa: S310  # https, ours
        files = json.load(answer)["urls"]
    wheel = next((file for file in files if file["packagetype"] == "bdist_wheel"), None)
    if wheel is None:
        raise ValueError("the index names no wheel of pip")
    url = urllib.parse.urljoin(facts, wheel["url"])
    with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310  # from the index
        data: bytes = answer.read()
    if hashlib.sha256(data).hexdigest() != wheel["digests"]["sha256"]:
        raise ValueError("pip's wheel is damaged")
    path = folder / Path(wheel["filename"]).name
    path.write_bytes(data)
    return path


def _upgrade_pip(environment: Environment) -> None:
    """Bring pip to a version that knows dependency groups."""
    probe = _probe(environment)
    if probe is not None:
        have = tuple(int(part) for part in re.findall(r"\d+", probe[1])[:2])
        if have >= _PIP_WITH_GROUPS:
            return
    run(
        environment.pip("install", "--upgrade", f"pip>={_dotted(_PIP_WITH_GROUPS)}"),
        log="pip",
        environ=environment.variables(),
    )


def _dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
