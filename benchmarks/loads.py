"""What loading costs, and whether it leaves anything behind.

``python -m benchmarks.loads [--rounds N] [--turns N]`` measures two things.

*Overhead*: the time from a request to its first token on a model of real size that is
not loaded, through the server, against a bare process that imports llama_cpp, loads
the same file, computes as long a prompt and draws one token. Both in turn, several
rounds; the file is in the page cache. The bare process has the workers' way of waiting
for threads: with the default one, a neighbour's work makes it many times slower.

*Curve*: a tiny model is loaded, asked and unloaded many times in one server. Prints the
server's memory, open files, threads and child processes as they go.

Writes ``benchmarks/results/loads.json``.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil

from benchmarks.models import llama_1b
from llm_ext.pool.launcher import DEFAULT_ENVIRONMENT
from tests.live import LiveServer, live_server
from tests.models.builder import write_model

RESULTS = Path(__file__).parent / "results"
PROMPT_TOKENS = 122
"""Tokens of the question, in the chat template; the bare process computes as many."""

QUESTION = "word " * 37

_BARE = f"""
import sys, time
from llama_cpp import Llama
model = Llama(sys.argv[1], n_ctx=8192, n_batch=512, verbose=False)
model.eval(list(range(100, 100 + {PROMPT_TOKENS})))
model.sample(temp=0.0)
"""
"""What a person writes who uses llama-cpp-python by itself."""


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=5, help="0 leaves them out")
    parser.add_argument("--turns", type=int, default=200, help="0 leaves them out")
    options = parser.parse_args()
    found: dict[str, object] = {}
    if options.rounds:
        found["overhead"] = overhead(options.rounds)
    if options.turns:
        found["curve"] = curve(options.turns)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "loads.json").write_text(json.dumps(found, indent=2))


def overhead(rounds: int) -> dict[str, list[float]]:
    """Return seconds to the first token of a cold model, ours and bare."""
    model = llama_1b()
    found: dict[str, list[float]] = {"ours": [], "bare": []}
    with _serving(model.parent) as server, server.client() as http:
        _first_token(http, model.stem)  # the file comes into the page cache
        for _ in range(rounds):
            _unload(http, model.stem)
            found["ours"].append(_first_token(http, model.stem))
            _unload(http, model.stem)
            began = time.perf_counter()
            command = [sys.executable, "-c", _BARE, str(model)]
            subprocess.run(
                command, check=True, env={**DEFAULT_ENVIRONMENT, **os.environ}
            )
            found["bare"].append(time.perf_counter() - began)
    medians = {name: statistics.median(times) for name, times in found.items()}
    ratio = medians["ours"] / medians["bare"]
    print(f"cold first token: {medians['ours']:.2f} s, bare {medians['bare']:.2f} s")
    print(f"ratio {ratio:.2f}", flush=True)
    return found


def curve(turns: int) -> list[dict[str, float]]:
    """Return the server's memory, files, threads and children after each turn."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        write_model(Path(folder) / "tiny.gguf")
        with _serving(Path(folder)) as server, server.client() as http:
            process = psutil.Process(server.process.pid)
            for turn in range(turns + 1):
                _first_token(http, "tiny")
                _unload(http, "tiny")
                row = {
                    "turn": turn,
                    "MB": process.memory_info().rss / 1e6,
                    "files": process.num_fds(),
                    "threads": process.num_threads(),
                    "children": len(process.children(recursive=True)),
                }
                rows.append(row)
                if turn % max(1, turns // 20) == 0:
                    said = ", ".join(f"{name} {row[name]:.1f}" for name in row)
                    print(said, flush=True)
    return rows


@contextmanager
def _serving(models: Path) -> Iterator[LiveServer]:
    with (
        tempfile.TemporaryDirectory() as folder,
        live_server(Path(folder), models, "--LLMExt.keep_alive=-1") as server,
    ):
        yield server


def _first_token(http: httpx.Client, model: str) -> float:
    body = {
        "model": model,
        "messages": [{"role": "user", "content": QUESTION}],
        "max_tokens": 1,
        "stream": True,
    }
    began = time.perf_counter()
    with http.stream("POST", "v1/chat/completions", json=body) as reply:
        for line in reply.iter_lines():
            if line.startswith("data: {") and '"finish_reason":"length"' in line:
                return time.perf_counter() - began
    raise RuntimeError("the model said nothing")


def _unload(http: httpx.Client, model: str) -> None:
    http.post(f"models/{model}/unload", json={"force": True}).raise_for_status()


if __name__ == "__main__":
    main()
