"""How many threads, and how should they wait for each other?

``python -m benchmarks.threads`` decodes one token after another, with nothing beside it
and beside one busy process, such as a kernel or the Jupyter server. Prints tokens per
second of the 1B model for each number of threads and each way of waiting; the rounds
are interleaved. For what is so small that one thread computes it see ``small_batches``.
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

from .models import llama_1b

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
    path, tokens = llama_1b(), 24
    processors = os.cpu_count() or 1
    counts = sorted({1, max(1, processors - 1), processors})
    found: dict[tuple[int, str, int], list[float]] = {}
    for _ in range(options.rounds):
        for load in (0, 1):
            with busy(load):
                for threads, wait in itertools.product(counts, WAITS):
                    measured = speed(
                        path, threads=threads, tokens=tokens, wait=WAITS[wait]
                    )
                    found.setdefault((threads, wait, load), []).append(measured)
    print("| threads | waiting | alone | beside one busy process |")
    print("|---:|---|---:|---:|")
    for threads, wait, load in found:
        if not load:
            alone, beside = (
                statistics.median(found[threads, wait, count]) for count in (0, 1)
            )
            print(f"| {threads} | {wait} | {alone:.1f} | {beside:.1f} |")


if __name__ == "__main__":
    main()
