"""Builds llama-cpp-python for the software GPU."""

import os
import shutil
from pathlib import Path

from tools import facts
from tools.console import Problem, Step, run
from tools.environment import Environment
from tools.facts import RUNTIME
from tools.runtime import metered

from .environment import FOLDER, LIBRARY, PACKAGES

HERE = Path(__file__).resolve().parent

NEEDED = ("mesa-vulkan-drivers", "libvulkan-dev", "glslc", "spirv-headers", "g++")
"""Debian's packages: the driver, and what compiles the backend and its shaders."""

_PROOFS = (Path("/usr/include/vulkan/vulkan.hpp"), Path("/usr/include/spirv"))

_RECORD = FOLDER / "requirement.txt"
"""Which llama-cpp-python was built; written last."""


def ensure(environment: Environment) -> None:
    """Build it, unless it is there already.

    Raises:
        Problem: A package is missing, or something does not compile.
    """
    requirement = facts.read(environment)["runtime"]
    if _RECORD.is_file() and _RECORD.read_text() == requirement:
        return
    environ = environment.variables()
    _ensure_packages(environ)
    FOLDER.mkdir(parents=True, exist_ok=True)
    with Step("Compiling what the Vulkan loader lacks"):
        run(
            ["gcc", "-shared", "-fPIC", "-o", LIBRARY, HERE / "missing.c"],
            log="software-gpu",
            environ=environ,
        )
    environ |= {
        "CMAKE_ARGS": "-DGGML_VULKAN=on",
        "CXXFLAGS": f"-include {HERE / 'missing.hpp'}",
        "CMAKE_BUILD_PARALLEL_LEVEL": str(os.cpu_count() or 1),
    }
    options = ["--verbose", "--no-deps", "--no-cache-dir", f"--no-binary={RUNTIME}"]
    target = ["--upgrade", f"--target={PACKAGES}"]
    with Step(f"Compiling {RUNTIME} for Vulkan (once; takes minutes)") as step:
        run(
            environment.pip("install", *options, *target, requirement),
            log="software-gpu",
            environ=environ,
            watch=metered(step),
        )
    _RECORD.write_text(requirement)


def _ensure_packages(environ: dict[str, str]) -> None:
    """Install what is missing, where that is allowed."""
    if _has_packages():
        return
    if os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = environ | {"DEBIAN_FRONTEND": "noninteractive"}
        with Step("Installing the Vulkan driver and compiler"):
            run(["apt-get", "update"], log="software-gpu", environ=quiet)
            install = ["apt-get", "install", "-y", *NEEDED]
            run(install, log="software-gpu", environ=quiet)
    if not _has_packages():
        raise Problem(
            f"The Vulkan driver and compiler are missing. On Debian and Ubuntu: "
            f"apt-get install {' '.join(NEEDED)}"
        )


def _has_packages() -> bool:
    programs = all(shutil.which(name) for name in ("glslc", "g++"))
    return programs and all(proof.exists() for proof in _PROOFS)
