"""Everything that ``make test``, ``make lint`` and ``make format`` run."""

import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tools.console import ROOT, Problem, duration


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """A command that says by its exit status whether all is well."""

    title: str
    command: tuple[str, ...]
    folder: Path = ROOT


_FRONT_END = ROOT / "labextension"
_PATIENCE = 15.0

LINT = (
    Check(title="lint", command=("ruff", "check", ".")),
    Check(title="format", command=("ruff", "format", "--check", ".")),
    Check(title="types", command=("mypy",)),
    Check(title="floors", command=("lint-imports",)),
    Check(title="front end: lint", command=("jlpm", "lint:check"), folder=_FRONT_END),
)
FORMAT = (
    Check(title="lint", command=("ruff", "check", "--fix", ".")),
    Check(title="format", command=("ruff", "format", ".")),
    Check(title="front end", command=("jlpm", "lint"), folder=_FRONT_END),
)
FRONT_END_TESTS = (
    Check(title="front end: tests", command=("jlpm", "test"), folder=_FRONT_END),
)


def tests(arguments: Sequence[str]) -> tuple[Check, ...]:
    """Return all tests; the arguments are pytest's."""
    python = Check(title="tests", command=("python", "-m", "pytest", *arguments))
    return (*LINT, *FRONT_END_TESTS, python)


def gpu_tests(arguments: Sequence[str]) -> tuple[Check, ...]:
    """Return the tests that need a GPU; the arguments are pytest's."""
    command = ("python", "-m", "pytest", "-m", "gpu", "tests/gpu", *arguments)
    return (Check(title="GPU", command=command),)


def fuzz_tests(arguments: Sequence[str]) -> tuple[Check, ...]:
    """Return the tests that draw requests from the description of the routes."""
    command = ("python", "-m", "pytest", "tests/fuzz", *arguments)
    return (Check(title="fuzz", command=command),)


def perform(checks: Sequence[Check], *, environ: Mapping[str, str]) -> None:
    """Run all of them, also after one has failed, and sum up.

    Raises:
        Problem: One or more failed.
    """
    summary = []
    failed = []
    for check in checks:
        print(f"\n=== {check.title}: {' '.join(check.command)}", flush=True)
        started = time.monotonic()
        status = _status(check, environ)
        word = "failed" if status else "ok"
        took = duration(time.monotonic() - started)
        summary.append(f"  {check.title:<18} {word:<7} {took:>12}")
        if status:
            failed.append(check.title)
    print("\n" + "\n".join(summary), flush=True)
    if failed:
        raise Problem(f"Failed: {', '.join(failed)}. The output is above.")


def _status(check: Check, environ: Mapping[str, str]) -> int:
    """Run one check; return its exit status."""
    with subprocess.Popen(
        check.command, cwd=check.folder, env=dict(environ)
    ) as process:
        try:
            return process.wait()
        except KeyboardInterrupt:
            # It got the signal as well, and has servers and browsers to end.
            with suppress(subprocess.TimeoutExpired):
                process.wait(_PATIENCE)
            process.terminate()
            raise
