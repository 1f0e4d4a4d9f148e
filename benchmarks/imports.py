"""How long do notebooks wait for the imports of this project?

``python -m benchmarks.imports`` imports in fresh processes, several times, in turn,
with everything in the page cache: ``llm``; the magics, where IPython is there already,
as in a kernel; the widgets; what the first question brings beside that. Prints the
median of each in milliseconds, and of ``llm`` the modules that take longest, then
writes ``benchmarks/results/imports.json``.
"""

import argparse
import json
import re
import statistics
import subprocess
import sys
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
LIMIT = 200
"""Milliseconds that importing ``llm`` may take."""

LLM = "from kernel_magics import llm"
WHAT = {
    LLM: "",
    "import kernel_magics.extension": "from IPython import get_ipython",
    "from kernel_magics.private import connect": LLM,
    "from kernel_magics import ChatPanel, ModelManager": "import ipywidgets",
}
"""What is measured, and what is there before."""

_TIMED = """
import time
{before}
began = time.perf_counter()
{what}
print((time.perf_counter() - began) * 1000)
"""
_LINE = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \| (\s*)(\S+)")


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    times: dict[str, list[float]] = {what: [] for what in WHAT}
    for _ in range(rounds + 1):
        for what, before in WHAT.items():
            times[what].append(_measured(what, before))
    for what, found in times.items():
        del found[0]  # it filled the page cache
        rest = f"{min(found):.0f} to {max(found):.0f}"
        print(f"{statistics.median(found):6.0f} ms ({rest})  {what}")
    dearest = _dearest(LLM)
    print(f"\nOf {LLM!r} (limit {LIMIT} ms), by module, with what it imports:")
    for name, took in dearest:
        print(f"{took:6.1f} ms  {name}")
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / "imports.json"
    file.write_text(json.dumps({"times": times, "dearest": dearest}, indent=2))


def _measured(what: str, before: str) -> float:
    """Return the milliseconds of one import in a process of its own."""
    return float(_python("-c", _TIMED.format(what=what, before=before)).stdout)


def _dearest(what: str, most: int = 10) -> list[tuple[str, float]]:
    """Return the modules that take longest, each with what it imports itself."""
    found = [
        (match[4], int(match[2]) / 1000)
        for match in _LINE.finditer(_python("-X", "importtime", "-c", what).stderr)
    ]
    start = next(i for i, (name, _) in enumerate(found) if name.startswith("kernel"))
    own = [entry for entry in found[max(start - 60, 0) :] if entry[0] != "site"]
    return sorted(own, key=lambda entry: -entry[1])[:most]


def _python(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=True
    )


if __name__ == "__main__":
    main()
