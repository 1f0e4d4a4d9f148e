"""The entry of ``make``: ``python -m tools.bootstrap <command> [arguments]``.

Every command first brings ``.venv`` to what it needs, which costs next to nothing when
nothing has changed.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence

from tools import browser, checks, environment, project
from tools.console import ROOT, Problem
from tools.environment import Environment
from tools.software_gpu import build, environment as software_gpu

_DEMO = "docs/demo.ipynb"
_BENCHMARKS = (
    "engine",
    "catalog",
    "imports",
    "interrupts",
    "handlers",
    "loads",
    "memory",
    "panel",
    "responsiveness",
    "threads",
)
_FUZZ_CASES = "2000"
_TRAINING = "tools.demo_model.build"
_FIRST_GPU = """
from llm_ext.llama.devices import devices
print(next((d.description for d in devices() if d.kind != "cpu"), ""))
"""


def main(arguments: Sequence[str]) -> int:
    """Run one command; return the exit status."""
    commands: dict[str, Callable[[Sequence[str]], None]] = {
        "install": install,
        "lab": lab,
        "test": test,
        "test-gpu": test_gpu,
        "fuzz": fuzz,
        "lint": lint,
        "format": reformat,
        "bench": bench,
        "screenshots": screenshots,
        "guide": guide,
    }
    name = arguments[0] if arguments else ""
    if name not in commands:
        print(f"usage: python -m tools.bootstrap {'|'.join(commands)} [arguments]")
        return 2
    # Whoever ends this process ends what it has started, as with Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        commands[name](arguments[1:])
    except Problem as problem:
        print(f"\nerror: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return 130
    return 0


def install(_: Sequence[str]) -> None:
    """Install the project and JupyterLab."""
    _prepare()
    print("Installed in .venv.")


def lab(arguments: Sequence[str]) -> None:
    """Install, then become JupyterLab, opened on the demo notebook."""
    prepared = _prepare()
    options = list(arguments)
    if os.geteuid() == 0 and "--allow-root" not in options:
        # Jupyter refuses root, who in a container is often the only user there is.
        options.append("--allow-root")
    print(f"Starting JupyterLab on {_DEMO}; stop it with Ctrl-C.", flush=True)
    # As the default address, it is also what a server without a browser prints.
    demo = f"--LabApp.default_url=/lab/tree/{_DEMO}"
    _become(prepared, "-m", "jupyterlab", demo, *options)


def test(arguments: Sequence[str]) -> None:
    """Install what the tests need, then run every check and test."""
    prepared = _prepare("dev")
    environ = prepared.variables()
    environ[browser.VARIABLE] = browser.ensure(prepared)
    print(f"The browser for the tests is {environ[browser.VARIABLE]}.")
    checks.perform(checks.tests(arguments), environ=environ)


def test_gpu(arguments: Sequence[str]) -> None:
    """Run the tests that need a GPU: on the one there is, else on a software one."""
    prepared = _prepare("dev")
    environ = prepared.variables()
    if found := _gpu(prepared):
        print(f"The GPU is {found}.")
    else:
        build.ensure(prepared)
        environ = software_gpu.variables(environ)
        print(
            "There is no GPU that llama.cpp can use, so one is made of the processor."
        )
    checks.perform(checks.gpu_tests(arguments), environ=environ)


def fuzz(arguments: Sequence[str]) -> None:
    """Ask a server what its description allows and forbids, many times."""
    environ = _prepare("dev").variables()
    environ.setdefault("FUZZ_CASES", _FUZZ_CASES)
    checks.perform(checks.fuzz_tests(arguments), environ=environ)


def lint(_: Sequence[str]) -> None:
    """Run the checks that read the code."""
    checks.perform(checks.LINT, environ=_prepare("dev").variables())


def reformat(_: Sequence[str]) -> None:
    """Repair what the checks can repair."""
    checks.perform(checks.FORMAT, environ=_prepare("dev").variables())


def bench(arguments: Sequence[str]) -> None:
    """Measure what the first argument names, else the engine."""
    named = arguments[:1] and arguments[0] in _BENCHMARKS
    name = arguments[0] if named else _BENCHMARKS[0]
    rest = arguments[1:] if named else arguments
    _become(_prepare("bench"), "-m", f"benchmarks.{name}", *rest)


def screenshots(arguments: Sequence[str]) -> None:
    """Take pictures of every state of the panels."""
    prepared = _prepare("dev")
    os.environ[browser.VARIABLE] = browser.ensure(prepared)
    _become(prepared, "-m", "tests.browser.screenshots", *arguments)


def guide(arguments: Sequence[str]) -> None:
    """Train the demo model."""
    _become(_prepare("model"), "-m", _TRAINING, *arguments)


def _prepare(*groups: str) -> Environment:
    prepared = Environment()
    # make hands PYTHON on only where somebody has set it.
    environment.ensure(prepared, chosen="PYTHON" in os.environ)
    project.ensure(prepared, *groups)
    return prepared


def _gpu(prepared: Environment) -> str:
    """Return what llama.cpp calls the first GPU; empty if it finds none."""
    found = subprocess.run(
        [prepared.python, "-c", _FIRST_GPU],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
        env=prepared.variables(),
    )
    return found.stdout.strip()


def _become(prepared: Environment, *arguments: str) -> None:
    """Replace this process, so that signals reach the program itself."""
    os.chdir(ROOT)
    os.execve(  # noqa: S606  # no shell is wanted
        prepared.python, [str(prepared.python), *arguments], prepared.variables()
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
