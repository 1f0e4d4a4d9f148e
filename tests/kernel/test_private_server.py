"""Kernels that no server started: they get one of their own, and share it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kernel_magics.keeper import FILE
from tests.models.hello import ANSWER
from tests.waiting import eventually

CODE = """
from kernel_magics import llm
print(llm("Hi", model="hello").text, flush=True)
print(llm.client.connection.url, flush=True)
input()
"""


@pytest.fixture
def environ(tmp_path: Path, models: Path) -> dict[str, str]:
    """What a program has that nothing of Jupyter started."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("JUPYTER", "JPY", "LLM_EXT", "IPYTHON"))
    }
    return {
        **kept,
        "HOME": str(tmp_path),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
        "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
        "JUPYTER_DATA_DIR": str(tmp_path / "data"),
        "IPYTHONDIR": str(tmp_path / "ipython"),
        "MODELS_PATH": str(models),
    }


@contextmanager
def program(
    environ: dict[str, str], folder: Path, code: str = CODE
) -> Iterator["subprocess.Popen[str]"]:
    """Start a program that asks a model, and lives until it is ended."""
    with subprocess.Popen(
        [sys.executable, "-c", code],
        env=environ,
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def lines(process: "subprocess.Popen[str]", count: int) -> list[str]:
    """Return the next lines that a program prints."""
    assert process.stdout is not None
    return [process.stdout.readline().strip() for _ in range(count)]


def keeper(folder: Path) -> int:
    """Return the process id of the private server; 0 if there is none."""
    try:
        facts = json.loads((folder / "runtime" / FILE).read_text())
    except FileNotFoundError:
        return 0
    pid: int = facts["pid"]
    return pid


def ended(pid: int) -> bool:
    """The process is there no more."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z"


def test_a_private_server_is_started_shared_and_ends_with_its_last_kernel(
    environ: dict[str, str], tmp_path: Path
) -> None:
    """Also when both kernels are killed, which leaves them no time for a goodbye."""
    with program(environ, tmp_path) as first:
        said, answer, url = lines(first, 3)
        assert said.startswith("Started a private model server at http://127.0.0.1:")
        assert answer == ANSWER
        pid = keeper(tmp_path)
        assert pid
        with program(environ, tmp_path) as second:
            said, answer, same = lines(second, 3)
            assert said.startswith("Using a private model server at ")
            assert (answer, same) == (ANSWER, url)
            first.kill()
            first.wait()
            assert not ended(pid)
            assert keeper(tmp_path) == pid
    eventually(lambda: ended(pid), within=40)
    assert keeper(tmp_path) == 0


def test_what_a_killed_server_left_does_not_stand_in_the_way(
    environ: dict[str, str], tmp_path: Path
) -> None:
    """The next kernel starts a new one."""
    with program(environ, tmp_path) as first:
        lines(first, 3)
        pid = keeper(tmp_path)
        os.kill(pid, signal.SIGKILL)
        eventually(lambda: ended(pid))
        with program(environ, tmp_path) as second:
            said, answer, _ = lines(second, 3)
            assert said.startswith("Started a private model server")
            assert answer == ANSWER
            assert keeper(tmp_path) not in (0, pid)
            os.kill(keeper(tmp_path), signal.SIGTERM)


def test_two_kernels_that_come_at_once_share_one_server(
    environ: dict[str, str], tmp_path: Path
) -> None:
    """Only one of them starts it."""
    with program(environ, tmp_path) as first, program(environ, tmp_path) as second:
        told = [lines(process, 3) for process in (first, second)]
        assert told[0][2] == told[1][2]
        os.kill(keeper(tmp_path), signal.SIGTERM)


def test_magics_look_anew_for_a_server_that_has_gone(
    environ: dict[str, str], tmp_path: Path
) -> None:
    """The cell that noticed fails; the next one has a new server."""
    code = f"""
import os, signal, json
from IPython.testing.globalipapp import start_ipython
shell = start_ipython()
shell.run_line_magic("load_ext", "kernel_magics")
shell.run_line_magic("llm", "list")
pid = json.load(open({str(tmp_path / "runtime" / FILE)!r}))["pid"]
os.kill(pid, signal.SIGKILL)
os.waitpid(pid, 0)
for _ in range(2):
    try:
        shell.run_line_magic("llm", "ps")
    except Exception as error:
        print(type(error).__name__)
print("end", flush=True)
input()
"""
    with program(environ, tmp_path, code) as one:
        assert one.stdout is not None
        told = "".join(iter(one.stdout.readline, "end\n"))
        os.kill(keeper(tmp_path), signal.SIGTERM)
    assert told.count("Started a private model server") == 2
    assert told.count("ServerGoneError") == 1
    assert told.endswith("No model is loaded.\n")


def test_the_file_is_for_its_user_alone(
    environ: dict[str, str], tmp_path: Path
) -> None:
    """And has no token in it: that stands in the extension's own."""
    with program(environ, tmp_path) as one:
        lines(one, 3)
        file = tmp_path / "runtime" / FILE
        assert file.stat().st_mode & 0o077 == 0
        assert "token" not in file.read_text()
        os.kill(keeper(tmp_path), signal.SIGTERM)


def test_a_server_that_does_not_start_is_one_message(
    environ: dict[str, str], tmp_path: Path
) -> None:
    """It names the log, where the reason stands."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "jupyter_server_config.py").write_text("raise SystemExit(7)")
    code = """
from kernel_magics import llm
try:
    llm.models()
except Exception as error:
    print(type(error).__name__, error)
"""
    with program(environ, tmp_path, code) as one:
        assert one.stdout is not None
        told = one.stdout.read()
    assert told.startswith("PrivateServerError the private server of this kernel ended")
    assert str(tmp_path / "runtime" / "llm_ext-private.log") in told


def test_terminal_ipython_asks_and_shows_plain_text(
    environ: dict[str, str], tmp_path: Path
) -> None:
    """The same magics, without a kernel; what is shown is text to read."""
    code = """
%load_ext kernel_magics
get_ipython().run_cell_magic("llm", "hello", "Hi")
%llm ps
"""
    (tmp_path / "cells.ipy").write_text(code)
    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--no-banner", "cells.ipy"],
        env={**environ, "TERM": "dumb"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    assert "Started a private model server" in done.stdout
    assert ANSWER in done.stdout
    assert "| `hello` | ready |" in done.stdout
    assert "<" not in done.stdout.partition(ANSWER)[2]


def test_a_private_server_hosts_models_where_servers_are_told_not_to(
    environ: dict[str, str], tmp_path: Path
) -> None:
    """Somebody may have disabled the extension, or run where it is not enabled."""
    drop_in = tmp_path / "config" / "jupyter_server_config.d" / "llm_ext.json"
    drop_in.parent.mkdir(parents=True)
    drop_in.write_text('{"ServerApp": {"jpserver_extensions": {"llm_ext": false}}}')
    with program(environ, tmp_path) as process:
        _, answer, _ = lines(process, 3)
    assert answer == ANSWER
