"""Measures the catalog: ``python -m benchmarks.catalog``.

What a person would notice: how long a list of many models takes, by itself and over
HTTP, how long the first look at them, how long one file with a large vocabulary, how
soon a new file shows, and what the watch costs while nothing happens.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from llm_ext.catalog.index import Index
from llm_ext.catalog.reading import Readings
from llm_ext.catalog.scan import Scan
from llm_ext.catalog.tree import Tree
from llm_ext.core.settings import Settings
from llm_ext.store.database import Database
from tests.live import live_server
from tests.models.builder import write_model
from tests.models.raw_gguf import write, write_vocabulary

MODELS = 200
VOCABULARY = 128_256
ROUNDS = 20
IDLE = 10.0
"""Seconds for which the watch is watched."""


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        models = root / "models"
        content = write_model(root / "tiny.gguf").read_bytes()
        for number in range(MODELS):
            path = models / f"owner{number % 10}" / f"repo{number % 40}"
            path.mkdir(parents=True, exist_ok=True)
            (path / f"model-{number}-Q4_K_M.gguf").write_bytes(content)
        settings = Settings(model_folders=(models,), data_folder=root / "data")
        print(f"{MODELS} models of {len(content) / 1e3:.0f} kB:")
        _print_looks(settings)
        asyncio.run(_print_watch(settings, models))
        _print_routes(root / "server", models)
        _print_vocabulary(root)


def _print_looks(settings: Settings) -> None:
    database = Database(settings.data_folder / "db.sqlite3")
    scan = Scan(settings, database)
    _print("cold, every file read", _timed(scan.look))
    _print(
        "after a restart, facts from the database", _timed(_restarted(settings).look)
    )
    warm = [_timed(scan.look) for _ in range(ROUNDS)]
    _print("warm, nothing changed (median)", statistics.median(warm))


def _restarted(settings: Settings) -> Scan:
    return Scan(settings, Database(settings.data_folder / "db.sqlite3"))


async def _print_watch(settings: Settings, models: Path) -> None:
    changed = asyncio.Event()
    database = Database(settings.data_folder / "db.sqlite3")
    index = Index(settings, database, changed.set)
    index.start()
    await index.entries()
    began = time.perf_counter()
    await index.entries()
    _print("a list while it is watched", time.perf_counter() - began)
    processor = time.process_time()
    await asyncio.sleep(IDLE)
    share = (time.process_time() - processor) / IDLE
    print(f"  watch while nothing changes: {share:.2%} of a processor")
    delays = []
    for number in range(5):
        changed.clear()
        await asyncio.to_thread(write, models / f"new{number}.gguf")
        began = time.perf_counter()
        await changed.wait()
        delays.append(time.perf_counter() - began)
    _print("a new file shows after (longest of 5)", max(delays))
    await index.stop()
    database.close()


def _print_routes(folder: Path, models: Path) -> None:
    """What a client waits for, with all that HTTP and the server add."""
    with live_server(folder, models) as server, server.client() as http:
        for route in ("models", "v1/models", "catalog/resources"):
            ask = partial(http.get, route)
            ask().raise_for_status()
            times = [_timed(ask) for _ in range(ROUNDS)]
            _print(f"GET {route}, warm (median)", statistics.median(times))


def _print_vocabulary(root: Path) -> None:
    path = str(write_vocabulary(root / "vocabulary.gguf", VOCABULARY))
    stat = Tree().stat(path)
    if stat is None:
        raise FileNotFoundError(path)
    times = []
    for number in range(5):
        readings = Readings(Database(root / f"{number}.sqlite3"))
        times.append(_timed(partial(readings.get, [path], [stat])))
    print(f"a vocabulary of {VOCABULARY} tokens and {2 * VOCABULARY} merges:")
    _print(
        "its metadata, the file in the page cache (median)", statistics.median(times)
    )


def _timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _print(what: str, seconds: float) -> None:
    print(f"  {what}: {seconds * 1000:.1f} ms")


if __name__ == "__main__":
    main()
