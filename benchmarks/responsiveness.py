"""Does the Jupyter server stay quick while a model loads and generates?

``python -m benchmarks.responsiveness`` starts a real Jupyter server with the
extension, and asks it for ``GET /api/status`` again and again while a model of real
size is idle, loads, and answers one chat and then four. The phases are interleaved over
several rounds. Prints percentiles in milliseconds for each phase, and writes them to
``benchmarks/results/responsiveness.json``.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import httpx

from benchmarks.models import llama_1b
from tests.live import LiveServer, live_server

RESULTS = Path(__file__).parent / "results"
PAUSE = 0.01
"""Seconds between two questions."""

QUESTION = [{"role": "user", "content": "Tell me about language models."}]


class Measurement:
    """Latencies of ``GET /api/status``, by phase."""

    def __init__(self, server: LiveServer, model: str, tokens: int) -> None:
        self._server = server
        self._model = model
        self._tokens = tokens
        self.latencies: dict[str, list[float]] = {}
        self.tokens_per_second: list[float] = []

    async def round(self) -> None:
        """Go once through all phases."""
        options = {"base_url": self._server.url, "headers": self._server.headers}
        async with httpx.AsyncClient(**options, timeout=600, trust_env=False) as http:  # type: ignore[arg-type]  # both fit
            await http.post(f"llm/models/{self._model}/unload", json={"force": True})
            await self._during(http, "idle", asyncio.sleep(3))
            await self._during(http, "loading", self._load(http))
            await self._during(http, "1 chat", self._chats(http, 1))
            await self._during(http, "4 chats", self._chats(http, 4))

    async def _during(
        self, http: httpx.AsyncClient, phase: str, work: Coroutine[Any, Any, None]
    ) -> None:
        measured = self.latencies.setdefault(phase, [])
        task = asyncio.ensure_future(work)
        while not task.done():
            began = time.perf_counter()
            (await http.get("api/status")).raise_for_status()
            measured.append((time.perf_counter() - began) * 1000)
            await asyncio.sleep(PAUSE)
        await task

    async def _load(self, http: httpx.AsyncClient) -> None:
        headers = {"Accept": "text/event-stream"}
        path = f"llm/models/{self._model}/load"
        reply = await http.post(path, headers=headers)
        if '"ready"' not in reply.text:
            raise RuntimeError(reply.text)

    async def _chats(self, http: httpx.AsyncClient, count: int) -> None:
        began = time.perf_counter()
        await asyncio.gather(*[self._chat(http) for _ in range(count)])
        seconds = time.perf_counter() - began
        self.tokens_per_second.append(count * self._tokens / seconds)

    async def _chat(self, http: httpx.AsyncClient) -> None:
        body = {
            "model": self._model,
            "messages": QUESTION,
            "max_tokens": self._tokens,
            "stream": True,
        }
        path = "llm/v1/chat/completions"
        async with http.stream("POST", path, json=body) as reply:
            reply.raise_for_status()
            async for _ in reply.aiter_bytes():
                pass


def table(latencies: dict[str, list[float]]) -> list[dict[str, float | str]]:
    """Return one row a phase: how many were measured, and percentiles."""
    rows: list[dict[str, float | str]] = []
    for phase, measured in latencies.items():
        cuts = statistics.quantiles(measured, n=100, method="inclusive")
        rows.append(
            {
                "phase": phase,
                "requests": len(measured),
                "p50_ms": round(cuts[49], 1),
                "p99_ms": round(cuts[98], 1),
                "max_ms": round(max(measured), 1),
            }
        )
    return rows


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=100, help="of each answer")
    arguments = parser.parse_args()
    path = llama_1b()
    with (
        tempfile.TemporaryDirectory() as folder,
        live_server(Path(folder), path.parent) as server,
    ):
        measurement = Measurement(server, path.stem, arguments.tokens)
        for _ in range(arguments.rounds):
            asyncio.run(measurement.round())
    rows = table(measurement.latencies)
    print(f"{'phase':10} {'requests':>9} {'p50 ms':>8} {'p99 ms':>8} {'max ms':>8}")
    for row in rows:
        print(
            f"{row['phase']:10} {row['requests']:>9} {row['p50_ms']:>8} "
            f"{row['p99_ms']:>8} {row['max_ms']:>8}"
        )
    speeds = ", ".join(f"{speed:.1f}" for speed in measurement.tokens_per_second)
    print(f"tokens/s, 1 chat and 4 chats in turn: {speeds}")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "responsiveness.json").write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
