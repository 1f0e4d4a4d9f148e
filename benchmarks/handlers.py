"""What does the server itself add to a request, and does it stay quick among many?

``python -m benchmarks.handlers`` starts a Jupyter server whose models take no time
(:mod:`benchmarks.instant_server`), and measures

- one request after another: Jupyter's own ``GET /api/status``, which authenticates and
  does next to nothing, in turn with a chat, whole and as a stream; what the chat takes
  more is what this project adds;
- ``GET /api/status`` while 0, 64 and 256 streams run, each of 20 tokens a second; how
  late the streams end, and the processor's time that the server takes for each token,
  which other programs of a busy machine hardly change.

The clients of the streams are a process of their own, so that they do not slow down
what measures; on a machine of few processors they still take time from the server.
Prints milliseconds, and writes them to ``benchmarks/results/handlers.json``.
"""

import argparse
import asyncio
import json
import multiprocessing
import statistics
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import psutil

from benchmarks.instant_server import RATE, SLOTS
from tests.live import LiveServer, live_server
from tests.models.hello import write_hello

RESULTS = Path(__file__).parent / "results"
PAUSE = 0.02
"""Seconds between two questions while streams run."""

STREAMS = (0, 64, 256)

_CHAT = "llm/v1/chat/completions"
_QUESTION = {
    "model": "hello",
    "messages": [{"role": "user", "content": "Hi"}],
    "max_tokens": 1,
}

Row = dict[str, float | str]


def one_by_one(server: LiveServer, rounds: int) -> list[Row]:
    """Measure requests one after another, the kinds in turn."""
    took: dict[str, list[float]] = {}
    options = {"base_url": server.url, "headers": server.headers, "timeout": 60}
    with httpx.Client(**options, trust_env=False) as http:  # type: ignore[arg-type]  # all fit
        http.post(_CHAT, json=_QUESTION).raise_for_status()
        for _ in range(rounds):
            for name, method, path, body in (
                ("GET api/status", "GET", "api/status", None),
                ("GET llm/health/ready", "GET", "llm/health/ready", None),
                ("chat, whole", "POST", _CHAT, _QUESTION),
                ("chat, streamed", "POST", _CHAT, {**_QUESTION, "stream": True}),
            ):
                began = time.perf_counter()
                http.request(method, path, json=body).raise_for_status()
                seconds = time.perf_counter() - began
                took.setdefault(name, []).append(seconds * 1000)
    return [_row(name, measured) for name, measured in took.items()]


def among_streams(server: LiveServer, count: int, seconds: float) -> Row:
    """Measure ``GET api/status`` while ``count`` streams run."""
    ours, theirs = multiprocessing.Pipe()
    context = multiprocessing.get_context("spawn")
    tokens = max(2, int(seconds * RATE))
    before = _processor_seconds(server)
    clients = context.Process(
        target=run_streams, args=(theirs, server.url, server.headers, count, tokens)
    )
    clients.start()
    took: list[float] = []
    with httpx.Client(
        base_url=server.url, headers=server.headers, timeout=60, trust_env=False
    ) as http:
        ours.recv()  # they run
        while not ours.poll():
            began = time.perf_counter()
            http.get("api/status").raise_for_status()
            took.append((time.perf_counter() - began) * 1000)
            time.sleep(PAUSE)
    slowest: float = ours.recv()
    clients.join()
    late = (slowest / (tokens / RATE) - 1) * 100 if count else 0.0
    used = _processor_seconds(server) - before
    each = used / (count * tokens) * 1e6 if count else 0.0
    return {
        **_row(f"{count} streams", took),
        "late_percent": round(late, 1),
        "us_per_token": round(each, 1),
    }


def _processor_seconds(server: LiveServer) -> float:
    times = psutil.Process(server.process.pid).cpu_times()
    return float(times.user + times.system)


def run_streams(
    told: Connection, url: str, headers: dict[str, str], count: int, tokens: int
) -> None:
    """Run streams, and tell when they run, and then how long the slowest one took."""
    told.send(None)
    if count:
        told.send(asyncio.run(_streams(url, headers, count, tokens)))
    else:
        time.sleep(tokens / RATE)
        told.send(0.0)


async def _streams(url: str, headers: dict[str, str], count: int, tokens: int) -> float:
    took = [_stream(url, headers, tokens) for _ in range(count)]
    return max(await asyncio.gather(*took))


async def _stream(url: str, headers: dict[str, str], tokens: int) -> float:
    """Read one stream to its end, by hand: a client's own work would be measured."""
    place = urlsplit(url)
    body = json.dumps({**_QUESTION, "max_tokens": tokens, "stream": True}).encode()
    lines = [
        f"POST /{_CHAT} HTTP/1.1",
        f"Host: {place.netloc}",
        "Connection: close",
        f"Content-Length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    began = time.perf_counter()
    writer.write("\r\n".join([*lines, "", ""]).encode() + body)
    last = b""
    while chunk := await reader.read(1 << 16):
        last = (last + chunk)[-64:]
    writer.close()
    if b"[DONE]" not in last:
        raise RuntimeError(f"a stream was cut: {last.decode(errors='replace')}")
    return time.perf_counter() - began


def _row(name: str, measured: list[float]) -> Row:
    cuts = statistics.quantiles(measured, n=100, method="inclusive")
    return {
        "what": name,
        "requests": len(measured),
        "p50_ms": round(cuts[49], 2),
        "p99_ms": round(cuts[98], 2),
        "max_ms": round(max(measured), 2),
    }


def _print(rows: list[Row]) -> None:
    for row in rows:
        print("  ".join(f"{value:>20}" for value in row.values()))


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=15, help="of each stream")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        models = Path(folder) / "models"
        models.mkdir()
        write_hello(models / "hello.gguf")
        with live_server(
            Path(folder),
            models,
            f"--LLMExt.slots={SLOTS}",
            program=("-m", "benchmarks.instant_server"),
        ) as server:
            alone = one_by_one(server, arguments.rounds)
            among = [
                among_streams(server, count, arguments.seconds) for count in STREAMS
            ]
    print(
        "what, requests, p50, p99 and most milliseconds (and how late streams end, %)"
    )
    _print([*alone, *among])
    RESULTS.mkdir(exist_ok=True)
    written = json.dumps({"one_by_one": alone, "among_streams": among}, indent=2)
    (RESULTS / "handlers.json").write_text(written)


if __name__ == "__main__":
    main()
