"""llama-cpp-python: compiled once into ``.wheels``, or taken from its wheel index.

Two settings choose the build: ``LLAMA_WHEELS`` names a kind of ready-made wheel, and
``CMAKE_ARGS`` are options for compiling. What was chosen last is remembered beside the
environment, so that the next plain ``make lab`` keeps it.
"""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from tools.console import LOGS, ROOT, Problem, Step, run
from tools.environment import Environment
from tools.facts import RUNTIME, Facts
from tools.progress import Meter

WHEELS = ROOT / ".wheels"
INDEX = "https://abetlen.github.io/llama-cpp-python/whl"
TAGS = (
    "cpu",
    "cu118",
    "cu121",
    "cu122",
    "cu123",
    "cu124",
    "cu125",
    "cu130",
    "cu132",
    "hip-radeon",
    "metal",
    "rocm72",
    "vulkan",
)

_SHORT = {"rocm": "rocm72"}
_NO_AMX = "-mno-amx-tile -mno-amx-int8 -mno-amx-bf16"
_SOURCE = "source"


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """Which build of llama-cpp-python somebody wants."""

    tag: str = _SOURCE
    cmake_args: str = ""

    @property
    def compiled(self) -> bool:
        """Whether it is compiled here."""
        return self.tag == _SOURCE

    @property
    def folder(self) -> str:
        """The name of the folder that keeps its wheels, and no others."""
        if not self.cmake_args:
            return self.tag
        digest = hashlib.sha256(self.cmake_args.encode()).hexdigest()
        return f"{self.tag}-{digest[:8]}"


def choose(environ: Mapping[str, str]) -> Choice | None:
    """Return what the environment variables ask for, or None where they do not.

    Raises:
        Problem: There is no such wheel, or the two settings contradict each other.
    """
    word = environ.get("LLAMA_WHEELS", "").strip()
    cmake_args = environ.get("CMAKE_ARGS", "").strip()
    if not word and not cmake_args:
        return None
    tag = _SHORT.get(word, word or _SOURCE)
    if tag not in (*TAGS, _SOURCE):
        known = ", ".join((*TAGS, *_SHORT))
        raise Problem(
            f"LLAMA_WHEELS={word} is not known. Ready-made wheels: {known}."
            f" LLAMA_WHEELS={_SOURCE} compiles."
        )
    if cmake_args and tag != _SOURCE:
        raise Problem(
            f"LLAMA_WHEELS={word} takes a wheel that is compiled already, and"
            " CMAKE_ARGS are for compiling: set one of them."
        )
    return Choice(tag=tag, cmake_args=cmake_args)


def ensure(environment: Environment, facts: Facts, *, wheels: Path = WHEELS) -> None:
    """Install the chosen build, unless it is there already.

    1. What was asked for counts, else what was chosen last, else compiling.
    2. An installed version in the range stays, unless another build is asked for.
    3. A wheel that is kept from an earlier time is used before a new one is made.
    """
    record = environment.path / "llama-cpp-python.json"
    asked = choose(os.environ)
    last = Choice(**json.loads(record.read_text())) if record.is_file() else None
    choice = asked or last or Choice()
    if facts["installed"] and (asked is None or asked == last):
        return
    flags = safe_flags(environment.variables()) if choice.compiled else ""
    folder = wheels / (f"{choice.folder}-no-amx" if flags else choice.folder)
    requirement = facts["runtime"]
    if not _install(environment, requirement, folder):
        if choice.compiled:
            _compile(environment, requirement, choice, folder, flags=flags)
        else:
            _fetch(environment, requirement, choice, folder)
        if not _install(environment, requirement, folder):
            raise Problem(
                f"The wheel in {folder} cannot be installed; {LOGS / 'runtime.log'}"
                " says why."
            )
    record.write_text(json.dumps(asdict(choice)))


def _install(environment: Environment, requirement: str, folder: Path) -> bool:
    """Install from a folder of wheels; return whether it held a fitting one."""
    if not any(folder.glob("*.whl")):
        return False
    try:
        with Step(f"Installing {RUNTIME} from {folder.name} wheel"):
            run(
                environment.pip(
                    "install",
                    "--no-index",
                    f"--find-links={folder}",
                    "--no-deps",
                    "--force-reinstall",
                    requirement,
                ),
                log="runtime",
                environ=environment.variables(),
            )
    except Problem:
        return False
    return True


def fetch_arguments(
    requirement: str, tag: str, folder: Path, *, index: str = INDEX
) -> list[str]:
    """Return pip's arguments that fetch a ready-made wheel into a folder."""
    return [
        "download",
        "--no-deps",
        "--only-binary=:all:",
        f"--index-url={index}/{tag}",
        f"--dest={folder}",
        requirement,
    ]


def _fetch(
    environment: Environment, requirement: str, choice: Choice, folder: Path
) -> None:
    arguments = fetch_arguments(requirement, choice.tag, folder)
    try:
        with Step(f"Fetching the {choice.tag} wheel of {RUNTIME}"):
            run(
                environment.pip(*arguments),
                log="runtime",
                environ=environment.variables(),
            )
    except Problem as problem:
        raise Problem(
            f"{problem}\n\n{INDEX}/{choice.tag} cannot be reached, or has no wheel of"
            f" {requirement} for this machine. LLAMA_WHEELS={_SOURCE} compiles it"
            " instead."
        ) from None


def compile_arguments(
    requirement: str, choice: Choice, folder: Path, *, flags: str = ""
) -> list[str]:
    """Return pip's arguments that compile a wheel into a folder."""
    # pip's cache does not know the options that a wheel was compiled with.
    special = choice.cmake_args or flags
    own = ["--no-cache-dir", f"--no-binary={RUNTIME}"] if special else []
    return [
        "wheel",
        "--verbose",
        "--no-deps",
        f"--wheel-dir={folder}",
        *own,
        requirement,
    ]


def _compile(
    environment: Environment,
    requirement: str,
    choice: Choice,
    folder: Path,
    *,
    flags: str,
) -> None:
    environ = environment.variables()
    compiler = find_compiler(environ)
    if compiler is None:
        raise Problem(
            "llama.cpp has to be compiled, and there is no C++ compiler. On Debian and"
            " Ubuntu: apt-get install build-essential; on Fedora: dnf install gcc-c++;"
            " on macOS: xcode-select --install. Or take a ready-made wheel:"
            " LLAMA_WHEELS=cpu make lab"
        )
    if choice.cmake_args:
        environ["CMAKE_ARGS"] = choice.cmake_args
    for name in ("CFLAGS", "CXXFLAGS") if flags else ():
        environ[name] = f"{environ.get(name, '')} {flags}".strip()
    options = f" with {choice.cmake_args}" if choice.cmake_args else ""
    title = f"Compiling llama.cpp{options} (once; takes minutes)"
    try:
        with Step(title) as step:
            run(
                environment.pip(
                    *compile_arguments(requirement, choice, folder, flags=flags)
                ),
                log="llama-cpp-python",
                environ=environ,
                watch=metered(step),
            )
    except Problem as problem:
        raise Problem(
            f"{problem}\n\nThe compiler was {compiler}. If it is too old or incomplete,"
            " install a newer one (apt-get install build-essential), or take a"
            " ready-made wheel: LLAMA_WHEELS=cpu make lab"
        ) from None


def metered(step: Step) -> Callable[[str], None]:
    """Return what watches a compilation, and notes how far it is."""
    meter = Meter(live=step.live)

    def watch(line: str) -> None:
        text = meter.feed(line)
        if text is not None:
            step.note(text)

    return watch


def safe_flags(environ: Mapping[str, str]) -> str:
    """Return flags for a compiler that would make a llama.cpp which crashes here.

    On processors with AMX, llama.cpp loads a configuration of its registers, which GCC
    takes to be eight bytes long, so that it leaves out the code that writes the rest:
    see https://github.com/ggml-org/llama.cpp/pull/26954. Without AMX llama.cpp computes
    with AVX-512. Flags of whoever compiles come first: then there are none from here.
    """
    compiler = find_compiler(environ)
    if compiler is None or "amx" in environ.get("CXXFLAGS", ""):
        return ""
    macros = subprocess.run(
        [compiler, "-march=native", "-dM", "-E", "-x", "c++", os.devnull],
        capture_output=True,
        text=True,
        env=dict(environ),
        check=False,
    ).stdout
    is_gcc = "__GNUC__" in macros and "__clang__" not in macros
    return _NO_AMX if is_gcc and "__AMX_TILE__" in macros else ""


def find_compiler(environ: Mapping[str, str]) -> str | None:
    """Return the C++ compiler that a build would find, or None."""
    chosen = environ.get("CXX", "").split()
    names = chosen[:1] or ["c++", "g++", "clang++"]
    found = (shutil.which(name, path=environ.get("PATH")) for name in names)
    return next(filter(None, found), None)
