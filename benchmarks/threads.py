"""How many threads, and how should they wait for each other?

``python -m benchmarks.threads`` decodes one token after another, with nothing beside it
and beside one busy process, such as a kernel or the Jupyter server. Prints tokens per
second for each number of threads and each way of waiting; the rounds are interleaved.
llama.cpp's threads are OpenMP's: they spin for a while before they sleep.
"""

import argparse
import itertools
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.models.builder import write_model

from .models import FOLDER, llama_1b

WAITS: dict[str, dict[str, str]] = {
    "OpenMP's default": {},
    "short spin": {"GOMP_SPINCOUNT": "2000"},
    "no spin": {"OMP_WAIT_POLICY": "passive"},
}


@contextmanager
def busy(count: int) -> Iterator[None]:
    """Keep ``count`` processes busy."""
    busy_ones = [
        subprocess.Popen([sys.executable, "-c", "while True: pass"])
        for _ in range(count)
    ]
    try:
        yield
    finally:
        for process in busy_ones:
            process.kill()
            process.wait()


def speed(model: Path, *, threads: int, tokens: int, wait: dict[str, str]) -> float:
    """Return tokens per second of a bare loop in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.bare", str(model)]
    command += ["--threads", str(threads), "--tokens", str(tokens)]
    return float(
        subprocess.check_output(command, text=True, env={**os.environ, **wait})
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    tiny = FOLDER / "tiny.gguf"
    models = {
        "tiny": (tiny if tiny.exists() else write_model(tiny), 2000),
        "1B": (llama_1b(), 24),
    }
    processors = os.cpu_count() or 1
    counts = sorted({1, max(1, processors - 1), processors})
    found: dict[tuple[str, int, str, int], list[float]] = {}
    for _ in range(options.rounds):
        for load in (0, 1):
            with busy(load):
                for name, threads, wait in itertools.product(models, counts, WAITS):
                    path, tokens = models[name]
                    measured = speed(
                        path, threads=threads, tokens=tokens, wait=WAITS[wait]
                    )
                    key = (name, threads, wait, load)
                    found.setdefault(key, []).append(measured)
    print("| model | threads | waiting | alone | beside one busy process |")
    print("|---|---:|---|---:|---:|")
    for name, threads, wait, load in found:
        if not load:
            alone, beside = (
                statistics.median(found[name, threads, wait, count]) for count in (0, 1)
            )
            print(f"| {name} | {threads} | {wait} | {alone:.1f} | {beside:.1f} |")


if __name__ == "__main__":
    main()
