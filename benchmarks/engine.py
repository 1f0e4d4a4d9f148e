"""Our engine against the native servers, and against a bare decode loop.

``python -m benchmarks.engine [--llama-server PATH] [--rounds N]`` builds its models,
starts each server in turn with the same threads, lets each go through all workloads,
and begins again. Ours is measured through the Jupyter server over HTTP, with
authentication. Prints a table of medians with ratios and what they should reach, and
draws it as ``benchmarks/results/engine.png``.

It can be done in parts: what was measured is kept in ``benchmarks/results/engine.json``
and later calls add to it, until one says ``--fresh``. ``--only`` names workloads,
``--servers`` names servers, and ``--rounds 0`` prints what there is.

llama-server is built from the source distribution of llama-cpp-python::

    pip download llama-cpp-python==0.3.36 --no-binary llama-cpp-python --no-deps
    tar xf llama_cpp_python-*.tar.gz && cd llama_cpp_python-*/vendor/llama.cpp
    cmake -B build -DCMAKE_BUILD_TYPE=Release -DLLAMA_CURL=OFF -DLLAMA_BUILD_TESTS=OFF
    cmake --build build --target llama-server --parallel

``llama_cpp.server`` takes part where its dependencies are installed:
``pip install 'llama-cpp-python[server]==0.3.36'``.
"""

import argparse
import asyncio
import importlib.util
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx

from tests.models.builder import write_model

from .chart import draw
from .client import Client
from .models import FOLDER, llama_1b
from .servers import (
    BARE,
    OURS,
    Server,
    Start,
    llama_cpp_server,
    llama_server,
    ours,
)
from .targets import TARGETS, Medians
from .workloads import WORKLOADS, Workload

RESULTS = Path(__file__).parent / "results"
MEASURED = RESULTS / "engine.json"
BARE_FIGURE = "one_stream: tokens/s"


class Measured:
    """All figures so far, by what is measured, then by server; kept in a file."""

    def __init__(self, path: Path, *, fresh: bool) -> None:
        self._path = path
        known = path.exists() and not fresh
        self._found: dict[str, dict[str, list[float]]] = (
            json.loads(path.read_text()) if known else {}
        )

    def note(self, figure: str, server: str, value: float) -> None:
        """Add a figure."""
        print(f"    {figure}: {value:.2f}", file=sys.stderr)
        self._found.setdefault(figure, {}).setdefault(server, []).append(float(value))
        self._path.parent.mkdir(exist_ok=True)
        self._path.write_text(json.dumps(self._found, indent=2))

    @property
    def medians(self) -> Medians:
        """The median of each figure, in the order of the workloads."""
        order = [workload.name for workload in WORKLOADS]
        return {
            figure: {
                name: statistics.median(found)
                for name, found in self._found[figure].items()
            }
            for figure in sorted(
                self._found, key=lambda figure: order.index(figure.partition(":")[0])
            )
        }


def main() -> None:
    """Measure, print, draw."""
    options = _options()
    measured = Measured(MEASURED, fresh=options.fresh)
    asked = [w for w in WORKLOADS if not options.only or w.name in options.only]
    starts = _starts(options)
    for number in range(options.rounds):
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
        if any(BARE_FIGURE.startswith(workload.name) for workload in asked):
            measured.note(BARE_FIGURE, BARE, _bare(options.threads))
        for name, start in starts.items():
            mine = [w for w in asked if name == OURS or not w.ours_alone]
            for tiny in (False, True):
                chosen = [workload for workload in mine if workload.tiny == tiny]
                if chosen:
                    model = _tiny() if tiny else llama_1b()
                    with start(model, options.threads) as server:
                        _measure(measured, server, chosen)
    print(table(measured.medians))
    draw(measured.medians, RESULTS / "engine.png", ours=OURS)


def table(medians: Medians) -> str:
    """Return the medians as Markdown; in brackets, ours as a share of each other's."""
    names = list(dict.fromkeys(name for found in medians.values() for name in found))
    names.sort(key=lambda name: name != OURS)
    lines = [
        f"| | {' | '.join(names)} | to reach |",
        f"|---|{'---:|' * len(names)}---|",
    ]
    for figure, found in medians.items():
        cells = [_cell(name, found) for name in names]
        told = "; ".join(t.told(medians) for t in TARGETS if t.figure == figure)
        lines.append(f"| {figure} | {' | '.join(cells)} | {told} |")
    return "\n".join(lines)


def _cell(name: str, found: Mapping[str, float]) -> str:
    value = found.get(name)
    if value is None:
        return ""
    if name == OURS or OURS not in found or not value:
        return f"{value:.2f}"
    return f"{value:.2f} ({found[OURS] / value:.2f})"


def _measure(measured: Measured, server: Server, workloads: Sequence[Workload]) -> None:
    for workload in workloads:
        print(f"  {server.name}: {workload.name}", file=sys.stderr)
        try:
            figures = asyncio.run(_figures(server, workload))
        except (RuntimeError, ValueError, httpx.HTTPError) as error:
            # What a competitor cannot do must not end the others' measurement.
            print(f"    failed: {error}", file=sys.stderr)
            continue
        for what, value in figures.items():
            measured.note(f"{workload.name}: {what}", server.name, value)


def _starts(options: argparse.Namespace) -> dict[str, Start]:
    """Return how to start each server that takes part."""
    starts: dict[str, Start] = {OURS: ours}
    if importlib.util.find_spec("starlette_context"):
        starts["llama_cpp.server"] = llama_cpp_server
    if options.llama_server:
        starts["llama-server"] = llama_server(options.llama_server)
    return {name: starts[name] for name in options.servers or starts}


async def _figures(server: Server, workload: Workload) -> dict[str, float]:
    async with Client.to(server) as client:
        await client.chat([{"role": "user", "content": "Hello"}], tokens=2)
        return dict(await workload.run(client))


def _bare(threads: int) -> float:
    command = [sys.executable, "-m", "benchmarks.bare", str(llama_1b())]
    command += ["--threads", str(threads), "--tokens", "96"]
    return float(subprocess.check_output(command, text=True))


def _tiny() -> Path:
    path = FOLDER / "tiny.gguf"
    return path if path.exists() else write_model(path)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--llama-server", type=Path, help="the built program")
    parser.add_argument("--rounds", type=int, default=3, help="0: print what there is")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    names = [workload.name for workload in WORKLOADS]
    parser.add_argument("--only", nargs="*", choices=names, metavar="WORKLOAD")
    parser.add_argument("--servers", nargs="*", metavar="SERVER", help="by their names")
    parser.add_argument(
        "--fresh", action="store_true", help="forget what was measured before"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
