"""How many threads should compute a small batch?

``python -m benchmarks.small_batches`` prints the milliseconds of one decode with one
thread and with two, for models and batches of several sizes, with nothing beside it and
beside one busy process, such as a kernel. What is compared is interleaved; the means
are told, since what makes the difference is that some take far longer.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from llama_cpp import llama_cpp as lib

from llm_ext.engine.backend import BatchElement
from llm_ext.llama.batch import Batch
from llm_ext.llama.context import Context
from llm_ext.pool.launcher import DEFAULT_ENVIRONMENT
from tests.models.builder import write_model
from tests.models.opened import opened

from .models import FOLDER, llama_1b
from .threads import busy

SIZES = (1, 8, 64)
THREADS = (1, 2)
_CELLS = 512


def measured(path: Path, *, rounds: int) -> dict[tuple[int, int], float]:
    """Return mean seconds by the batch's size and the number of threads."""
    found: dict[tuple[int, int], list[float]] = {}
    with (
        opened(path) as model,
        closing(Context(model, cells=_CELLS, seq_ids=1, threads=1)) as context,
        closing(Batch(context.batch_size)) as batch,
    ):
        for _ in range(rounds):
            for size in SIZES:
                elements = [
                    BatchElement(1 + at, at, 0, wants_logits=at == size - 1)
                    for at in range(size)
                ]
                for threads in THREADS:
                    context.compute_with(threads)
                    batch.fill(elements)
                    began = time.perf_counter()
                    lib.llama_decode(context.pointer, batch.struct)
                    took = time.perf_counter() - began
                    found.setdefault((size, threads), []).append(took)
                    lib.llama_memory_seq_rm(context.memory, 0, 0, -1)
    return {key: statistics.mean(times) for key, times in found.items()}


def elsewhere(path: Path, *, rounds: int) -> dict[tuple[int, int], float]:
    """Return the same, measured in a process whose threads wait as a worker's do."""
    command = [sys.executable, "-m", "benchmarks.small_batches", "--one", str(path)]
    command += ["--rounds", str(rounds)]
    environment = {**DEFAULT_ENVIRONMENT, **os.environ}
    printed = subprocess.check_output(command, text=True, env=environment)
    return {(size, threads): took for size, threads, took in json.loads(printed)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        found = measured(options.one, rounds=options.rounds)
        print(json.dumps([(*key, took) for key, took in found.items()]))
        return
    tiny = FOLDER / "tiny.gguf"
    models = {
        "tiny, 0.1 million weights": tiny if tiny.exists() else write_model(tiny),
        "guide, 4.5 million": Path("llm_ext/demo/guide.gguf"),
        "1B": llama_1b(),
    }
    print("| model | elements | alone: 1 thread, 2, ms | beside a busy process |")
    print("|---|---:|---:|---:|")
    for name, path in models.items():
        rounds = options.rounds * (1 if name == "1B" else 10)
        tables = []
        for load in (0, 1):
            with busy(load):
                tables.append(elsewhere(path, rounds=rounds))
        for size in SIZES:
            told = [
                ", ".join(f"{table[size, threads] * 1000:.2f}" for threads in THREADS)
                for table in tables
            ]
            print(f"| {name} | {size} | {' | '.join(told)} |", flush=True)


if __name__ == "__main__":
    main()
