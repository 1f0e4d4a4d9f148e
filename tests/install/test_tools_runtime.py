"""The build of llama-cpp-python is the one that was asked for."""

import functools
import hashlib
import http.server
import os
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools import runtime
from tools.console import Problem
from tools.environment import Environment
from tools.facts import Facts
from tools.runtime import (
    Choice,
    choose,
    compile_arguments,
    fetch_arguments,
    find_compiler,
    safe_flags,
)

REQUIREMENT = "llama-cpp-python<0.3.37,>=0.3.36"


def test_nothing_asked_is_nothing_chosen() -> None:
    assert choose({}) is None
    assert choose({"LLAMA_WHEELS": "", "CMAKE_ARGS": " "}) is None


@pytest.mark.parametrize(
    ("word", "tag"),
    [("cpu", "cpu"), ("cu124", "cu124"), ("rocm", "rocm72"), ("source", "source")],
)
def test_a_kind_of_wheel_is_chosen_by_name(word: str, tag: str) -> None:
    assert choose({"LLAMA_WHEELS": word}) == Choice(tag=tag)


def test_an_unknown_kind_is_refused_with_the_list() -> None:
    with pytest.raises(Problem, match=r"cu99 is not known.*cpu, cu118.*vulkan"):
        choose({"LLAMA_WHEELS": "cu99"})


def test_a_ready_made_wheel_takes_no_options() -> None:
    with pytest.raises(Problem, match="set one of them"):
        choose({"LLAMA_WHEELS": "cpu", "CMAKE_ARGS": "-DGGML_CUDA=on"})


def test_wheels_of_different_options_never_meet() -> None:
    """Neither in the folder that keeps them, nor in pip's cache."""
    plain, cuda, vulkan = (
        Choice(),
        Choice(cmake_args="-DGGML_CUDA=on"),
        Choice(cmake_args="-DGGML_VULKAN=on"),
    )
    assert len({choice.folder for choice in (plain, cuda, vulkan)}) == 3
    folder = Path("wheels")
    assert "--no-cache-dir" in compile_arguments(REQUIREMENT, cuda, folder)
    assert "--no-cache-dir" not in compile_arguments(REQUIREMENT, plain, folder)


def test_a_compiler_is_looked_for(tmp_path: Path) -> None:
    environ = {"PATH": str(tmp_path)}
    assert find_compiler(environ) is None
    compiler = tmp_path / "clang++"
    compiler.write_text("#!/bin/sh\n")
    compiler.chmod(0o755)
    assert find_compiler(environ) == str(compiler)
    assert find_compiler({**environ, "CXX": "clang++ -stdlib=libc++"}) == str(compiler)
    assert find_compiler({**environ, "CXX": "icpx"}) is None


@pytest.mark.parametrize(
    ("macros", "safe"),
    [
        (("__GNUC__ 12", "__AMX_TILE__ 1"), True),
        (("__GNUC__ 12", "__AVX2__ 1"), False),
        (("__GNUC__ 4", "__clang__ 1", "__AMX_TILE__ 1"), False),
    ],
)
def test_gcc_makes_no_code_for_amx(
    tmp_path: Path, macros: tuple[str, ...], *, safe: bool
) -> None:
    """It would leave out a part of it, and llama.cpp would crash."""
    lines = "".join(f"echo '#define {macro}'\n" for macro in macros)
    compiler = tmp_path / "g++"
    compiler.write_text(f"#!/bin/sh\n{lines}")
    compiler.chmod(0o755)
    environ = {"PATH": f"{tmp_path}{os.pathsep}{os.defpath}"}
    flags = safe_flags({**environ, "CXX": str(compiler)})
    assert ("-mno-amx-tile" in flags) is safe
    own = {**environ, "CXX": str(compiler), "CXXFLAGS": "-mamx-tile"}
    assert safe_flags(own) == ""
    assert safe_flags({"PATH": str(tmp_path / "nowhere")}) == ""
    compiled = compile_arguments(REQUIREMENT, Choice(), tmp_path, flags=flags)
    assert ("--no-cache-dir" in compiled) is safe


def make_wheel(folder: Path) -> Path:
    """Write the smallest wheel that pip takes for llama-cpp-python."""
    info = "llama_cpp_python-0.3.36.dist-info"
    name = "Metadata-Version: 2.1\nName: llama-cpp-python\nVersion: 0.3.36\n"
    wheel = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    folder.mkdir(parents=True)
    path = folder / "llama_cpp_python-0.3.36-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{info}/METADATA", name)
        archive.writestr(f"{info}/WHEEL", wheel)
        archive.writestr(f"{info}/RECORD", "")
    return path


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name
        pass


@pytest.fixture
def index(tmp_path: Path) -> Iterator[str]:
    """Serve an index with one kind of wheels, as llama-cpp-python's own is laid out."""
    folder = tmp_path / "index" / "cu124" / "llama-cpp-python"
    wheel = make_wheel(folder)
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    link = f'<a href="{wheel.name}#sha256={digest}">{wheel.name}</a>'
    (folder / "index.html").write_text(
        f"<!DOCTYPE html><html><body>{link}</body></html>"
    )
    handler = functools.partial(Quiet, directory=tmp_path / "index")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def fetch(tag: str, target: Path, index: str) -> subprocess.CompletedProcess[str]:
    arguments = fetch_arguments(REQUIREMENT, tag, target, index=index)
    return subprocess.run(
        [sys.executable, "-m", "pip", *arguments, "--retries=0"],
        check=False,
        capture_output=True,
        text=True,
        # Whatever else the person's settings offer must not win.
        env={**os.environ, "PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": ""},
    )


def test_a_ready_made_wheel_comes_from_its_index(tmp_path: Path, index: str) -> None:
    target = tmp_path / "wheels"
    done = fetch("cu124", target, index)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in target.iterdir()] == [
        "llama_cpp_python-0.3.36-py3-none-any.whl"
    ]


def test_an_index_without_the_wheel_is_no_reason_to_compile(
    tmp_path: Path, index: str
) -> None:
    done = fetch("vulkan", tmp_path / "wheels", index)
    assert done.returncode != 0
    assert list(tmp_path.rglob("wheels/*")) == []


class Recorder:
    """Stands in for pip: it keeps the wheel folders that were installed from."""

    def __init__(self) -> None:
        self.installed: list[str] = []

    def __call__(self, _environment: object, _requirement: str, folder: Path) -> bool:
        self.installed.append(folder.name)
        return True


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    recorder = Recorder()
    monkeypatch.setattr(runtime, "_install", recorder)
    monkeypatch.setattr(runtime, "safe_flags", lambda _environ: "")
    for name in ("LLAMA_WHEELS", "CMAKE_ARGS"):
        monkeypatch.delenv(name, raising=False)
    return recorder


def test_wheels_without_code_for_amx_are_kept_apart(
    tmp_path: Path, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that was compiled before, and crashes, is not taken again."""
    environment = Environment(path=tmp_path)
    absent = Facts(build=[], runtime=REQUIREMENT, installed=False)
    monkeypatch.setattr(runtime, "safe_flags", lambda _environ: "-mno-amx-tile")
    runtime.ensure(environment, absent)
    assert recorder.installed == ["source-no-amx"]


def test_another_choice_reinstalls_and_no_choice_keeps_the_last(
    tmp_path: Path, recorder: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = Environment(path=tmp_path)
    absent = Facts(build=[], runtime=REQUIREMENT, installed=False)
    present = Facts(build=[], runtime=REQUIREMENT, installed=True)
    runtime.ensure(environment, absent)
    runtime.ensure(environment, present)
    assert recorder.installed == ["source"]
    monkeypatch.setenv("LLAMA_WHEELS", "cu124")
    runtime.ensure(environment, present)
    runtime.ensure(environment, present)
    assert recorder.installed == ["source", "cu124"]
    monkeypatch.delenv("LLAMA_WHEELS")
    runtime.ensure(environment, present)
    runtime.ensure(environment, absent)
    assert recorder.installed == ["source", "cu124", "cu124"]
