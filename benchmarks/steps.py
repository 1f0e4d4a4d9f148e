"""How long does a step take, by its size and by what was read before?

``python -m benchmarks.steps`` prints the seconds of one decode of so many elements of a
prompt: as they are, and with the batch filled up where that helps. Rounds are
interleaved; the medians are told.
"""

import argparse
import os
import statistics
import time
from contextlib import closing
from pathlib import Path

from llm_ext.engine.backend import BatchElement
from llm_ext.llama.backend import LlamaBackend
from llm_ext.llama.context import Context
from tests.models.opened import opened

from .models import llama_1b
from .servers import CELLS

SIZES = (1, 8, 16, 24, 32, 40, 48, 56, 63, 64, 96, 128)
READ = (0, 250, 500, 1000, 2000, 4000)


def seconds(backend: LlamaBackend, *, read: int, size: int, spare: int) -> float:
    """Return what a decode of ``size`` elements takes after ``read``, and forget it."""
    batch = _elements(read, size)
    began = time.perf_counter()
    backend.decode(batch, spare=spare)
    took = time.perf_counter() - began
    backend.clear(0, read, None)
    return took


def _elements(read: int, size: int) -> list[BatchElement]:
    return [
        BatchElement(1 + at % 1000, read + at, 0, wants_logits=at == size - 1)
        for at in range(size)
    ]


def measured(
    path: Path, *, threads: int, rounds: int
) -> dict[tuple[int, int, bool], float]:
    """Return the medians by what was read, size, and whether it may be filled up."""
    found: dict[tuple[int, int, bool], list[float]] = {}
    with (
        opened(path, gpu_layers=-1) as model,
        closing(Context(model, cells=CELLS, seq_ids=1, threads=threads)) as context,
        closing(LlamaBackend(model, context)) as backend,
    ):
        there = 0
        for read in READ:
            while there < read:
                size = min(backend.n_batch, read - there)
                backend.decode(_elements(there, size))
                there += size
            for _ in range(rounds):
                for size in SIZES:
                    for full in (False, True):
                        took = seconds(
                            backend, read=read, size=size, spare=CELLS if full else 0
                        )
                        found.setdefault((read, size, full), []).append(took)
    return {key: statistics.median(times) for key, times in found.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    found = measured(llama_1b(), threads=options.threads, rounds=options.rounds)
    print(f"| read before | {' | '.join(map(str, SIZES))} |")
    print(f"|---|{'---:|' * len(SIZES)}")
    for read in READ:
        for full in (False, True):
            cells = [f"{found[read, size, full]:.3f}" for size in SIZES]
            print(f"| {read}{', filled up' if full else ''} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
