"""The project installs into a clean environment, and works there without being told."""

import re
import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.waiting import eventually
from tools import environment
from tools.environment import Environment

pytestmark = [pytest.mark.install, pytest.mark.timeout(900)]

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True, kw_only=True, slots=True)
class Installed:
    """An environment that holds the project, and the variables to use it with."""

    python: Path
    environ: dict[str, str]
    folder: Path

    def jupyter(self, *arguments: str) -> str:
        """Run a command of Jupyter's to its end; return what it says, uncoloured."""
        done = subprocess.run(
            [self.python, "-m", "jupyter", *arguments],
            check=False,
            cwd=self.folder,
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, done.stdout
        return re.sub(r"\x1b\[\d*m", "", done.stdout)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("install")
    checkout = folder / "checkout"
    copy_checkout(checkout)
    clean = Environment(path=folder / "environment")
    environment.ensure(clean, chosen=False)
    environ = clean.variables()
    for name in [name for name in environ if name.startswith(("JUPYTER", "PYTHON"))]:
        del environ[name]
    for name in ("CONFIG", "DATA", "RUNTIME"):
        place = folder / name.lower()
        place.mkdir()
        environ[f"JUPYTER_{name}_DIR"] = str(place)
    # llama.cpp is compiled once for all environments.
    kept = [str(path) for path in (ROOT / ".wheels").glob("*/")]
    environ["PIP_FIND_LINKS"] = " ".join([*kept, environ.get("PIP_FIND_LINKS", "")])
    done = subprocess.run(
        [checkout / "binder" / "postBuild"],
        check=False,
        cwd=checkout,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return Installed(python=clean.python, environ=environ, folder=folder)


def copy_checkout(target: Path) -> None:
    """Copy what git knows or would take, so that nothing built comes along."""
    if not (ROOT / ".git").exists():
        made = (".venv", ".wheels", "build", "dist", "lib", "node_modules")
        # Two folders have this name; only the one inside llm_ext is built.
        built = str(ROOT / "llm_ext")
        shutil.copytree(
            ROOT,
            target,
            ignore=lambda folder, _: {*made, *(["labextension"] * (folder == built))},
        )
        return
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607  # the git on the path
        check=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    for name in filter(None, listing.stdout.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


def test_the_server_extension_is_enabled(installed: Installed) -> None:
    said = installed.jupyter("server", "extension", "list")
    assert re.search(r"^\s*llm_ext enabled$", said, re.MULTILINE), said
    assert re.search(r"^\s*llm_ext \d\S* OK$", said, re.MULTILINE), said


def test_the_lab_extension_is_enabled(installed: Installed) -> None:
    said = installed.jupyter("labextension", "list")
    assert re.search(r"^\s*jupyter-llm-ext v\S+ enabled OK", said, re.MULTILINE), said


def test_nobody_configured_anything(installed: Installed) -> None:
    """Jupyter finds both halves by the files that the package brings."""
    configuration = Path(installed.environ["JUPYTER_CONFIG_DIR"])
    assert list(configuration.rglob("*.json")) == []
    assert list(configuration.rglob("*.py")) == []


def test_the_package_runs_from_the_environment(installed: Installed) -> None:
    """It is a real installation, not a link to the checkout."""
    where = subprocess.run(
        [installed.python, "-c", "import llm_ext; print(llm_ext.__file__)"],
        check=True,
        cwd=installed.folder,
        env=installed.environ,
        capture_output=True,
        text=True,
    ).stdout
    assert "site-packages" in where


def test_a_server_answers(installed: Installed) -> None:
    """A Jupyter server from this environment serves the extension's addresses."""
    with running_server(installed) as (url, token):
        answer = get(f"{url}/llm/health/live", token)
    assert answer.status_code == 200, answer.text
    assert answer.json()["status"] == "ok"


@contextmanager
def running_server(installed: Installed) -> Iterator[tuple[str, str]]:
    """Start a Jupyter server; give its address and token once it answers."""
    token = secrets.token_hex()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = installed.folder / "server.log"
    command: list[str | Path] = [
        *(installed.python, "-m", "jupyter", "server", "--no-browser", "--allow-root"),
        *(f"--ServerApp.port={port}", "--ServerApp.port_retries=0"),
        f"--ServerApp.root_dir={installed.folder}",
    ]
    environ = {**installed.environ, "JUPYTER_TOKEN": token}
    with (
        log.open("w") as output,
        subprocess.Popen(
            command, env=environ, stdout=output, stderr=subprocess.STDOUT
        ) as server,
    ):
        try:
            url = f"http://127.0.0.1:{port}"

            def serves() -> bool:
                """The installed server answers."""
                assert server.poll() is None, log.read_text()
                return is_up(url, token)

            eventually(serves, within=60)
            yield url, token
        finally:
            server.terminate()
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()


def is_up(url: str, token: str) -> bool:
    try:
        return get(f"{url}/api/status", token).is_success
    except httpx.TransportError:
        return False


def get(url: str, token: str) -> httpx.Response:
    return httpx.get(url, headers={"Authorization": f"token {token}"}, timeout=10)
