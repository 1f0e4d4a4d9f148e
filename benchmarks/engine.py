"""Our engine against the native servers, and against a bare decode loop.

``python -m benchmarks.engine [--llama-server PATH] [--rounds N]`` builds its models,
starts each server in turn with the same threads, lets each go through all workloads,
and begins again. Ours is measured through the Jupyter server over HTTP, with
authentication. Prints a table of medians with ratios, and writes
``benchmarks/results/engine.json`` and ``engine.png``.

llama-server is built from the source distribution of llama-cpp-python::

    pip download llama-cpp-python==0.3.36 --no-binary :all: --no-deps
    tar xf llama_cpp_python-*.tar.gz && cd llama_cpp_python-*/vendor/llama.cpp
    cmake -B build -DCMAKE_BUILD_TYPE=Release -DLLAMA_CURL=OFF
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
from .servers import Server, Start, llama_cpp_server, llama_server, ours
from .workloads import REAL_SIZE, TINY, Workload

RESULTS = Path(__file__).parent / "results"
OURS = "jupyter-llm-ext"
BARE = "bare loop"

Measured = dict[str, dict[str, list[float]]]
"""Figures by what is measured, such as "one_stream: tokens/s", then by server."""


def main() -> None:
    """Measure, print, write."""
    options = _options()
    starts = _starts(options)
    measured: Measured = {}
    real, tiny = llama_1b(), _tiny()
    for number in range(options.rounds):
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
        if _asked(REAL_SIZE[:1], options):
            _note(measured, "one_stream: tokens/s", BARE, _bare(real, options.threads))
        for start in starts:
            _measure(measured, start, real, REAL_SIZE, options)
            _measure(measured, start, tiny, TINY, options)
    medians = {
        what: {name: statistics.median(found) for name, found in by_server.items()}
        for what, by_server in measured.items()
    }
    print(table(medians))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "engine.json").write_text(json.dumps(measured, indent=2))
    draw(medians, RESULTS / "engine.png", ours=OURS)


def table(medians: Mapping[str, Mapping[str, float]]) -> str:
    """Return the medians as Markdown; in brackets, ours as a share of each other's."""
    names = list(dict.fromkeys(name for found in medians.values() for name in found))
    lines = [
        f"| | {' | '.join(names)} |",
        f"|---|{'---:|' * len(names)}",
    ]
    for what, found in medians.items():
        cells = [_cell(name, found) for name in names]
        lines.append(f"| {what} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(name: str, found: Mapping[str, float]) -> str:
    value = found.get(name)
    if value is None:
        return ""
    if name == OURS or OURS not in found:
        return f"{value:.2f}"
    return f"{value:.2f} ({found[OURS] / value:.2f})"


def _measure(
    measured: Measured,
    start: Start,
    model: Path,
    workloads: Sequence[Workload],
    options: argparse.Namespace,
) -> None:
    asked = _asked(workloads, options)
    if not asked:
        return
    with start(model, options.threads) as server:
        for workload in asked:
            print(f"  {server.name}: {_name(workload)}", file=sys.stderr)
            try:
                figures = asyncio.run(_figures(server, workload))
            except (RuntimeError, ValueError, httpx.HTTPError) as error:
                # What a competitor cannot do must not end the others' measurement.
                print(f"    failed: {error}", file=sys.stderr)
                continue
            for what, value in figures.items():
                print(f"    {what}: {value:.2f}", file=sys.stderr)
                _note(measured, f"{_name(workload)}: {what}", server.name, value)


def _starts(options: argparse.Namespace) -> list[Start]:
    """Return how to start each server that takes part."""
    starts: dict[str, Start] = {"ours": ours}
    if importlib.util.find_spec("starlette_context"):
        starts["llama_cpp"] = llama_cpp_server
    if options.llama_server:
        starts["llama-server"] = llama_server(options.llama_server)
    return [starts[name] for name in options.servers or starts]


def _asked(
    workloads: Sequence[Workload], options: argparse.Namespace
) -> list[Workload]:
    return [w for w in workloads if not options.only or _name(w) in options.only]


def _name(workload: Workload) -> str:
    return str(getattr(workload, "__name__", workload))


async def _figures(server: Server, workload: Workload) -> dict[str, float]:
    async with Client.to(server) as client:
        await client.chat([{"role": "user", "content": "Hello"}], tokens=2)
        return dict(await workload(client))


def _note(measured: Measured, what: str, name: str, value: float) -> None:
    measured.setdefault(what, {}).setdefault(name, []).append(value)


def _bare(model: Path, threads: int) -> float:
    command = [sys.executable, "-m", "benchmarks.bare", str(model)]
    command += ["--threads", str(threads), "--tokens", "96"]
    return float(subprocess.check_output(command, text=True))


def _tiny() -> Path:
    path = FOLDER / "tiny.gguf"
    return path if path.exists() else write_model(path)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--llama-server", type=Path, help="the built program")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", nargs="*", help="names of workloads")
    parser.add_argument(
        "--servers", nargs="*", help="some of: ours llama_cpp llama-server"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
