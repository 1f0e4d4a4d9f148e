"""The catalog keeps up with the disk, and off the event loop."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from llm_ext.catalog import gguf, index as index_module, reading
from llm_ext.catalog.index import MAX_AGE, Index
from llm_ext.catalog.scan import Scan
from llm_ext.core.settings import Settings
from llm_ext.errors import ModelNotFoundError, StoreError
from llm_ext.store.database import Database
from tests.models.raw_gguf import write
from tests.models.stores import model, projector

PATIENCE = 20.0
"""Seconds to wait for what takes at most two on a machine that does nothing else."""


class Watched:
    """An index, and what it told."""

    def __init__(self, folder: Path) -> None:
        data = folder.parent / "data"
        settings = Settings(
            model_folders=(folder,), data_folder=data, aliases={"gpt": "a"}
        )
        self.told = asyncio.Event()
        self.index = Index(settings, Database(data / "db.sqlite3"), self.told.set)

    @property
    def ids(self) -> list[str]:
        """What is known without a look."""
        return [one.id for one in self.index._entries if one.source != "bundled"]

    async def until(self, seen: Callable[[], bool]) -> None:
        """Wait until there is something to see, which the index has to tell of."""
        while not seen():
            self.told.clear()
            await asyncio.wait_for(self.told.wait(), PATIENCE)


@asynccontextmanager
async def watched(folder: Path) -> AsyncIterator[Watched]:
    watched = Watched(folder)
    watched.index.start()
    try:
        yield watched
    finally:
        await watched.index.stop()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "models"
    folder.mkdir()
    return folder


def run(test: Coroutine[None, None, None]) -> None:
    asyncio.run(test)


def test_what_changes_is_found_without_a_request(folder: Path) -> None:
    """New, changed and removed files, each within two seconds."""

    async def look() -> None:
        async with watched(folder) as seen:
            await seen.until(lambda: bool(seen.index._entries))
            write(folder / "a.gguf")
            await seen.until(lambda: seen.ids == ["a"])
            write(folder / "deep" / "b.gguf")
            await seen.until(lambda: seen.ids == ["a", "b"])
            (folder / "a.gguf").unlink()
            await seen.until(lambda: seen.ids == ["b"])
            (folder / "deep").rename(folder.parent / "away")
            await seen.until(lambda: seen.ids == [])

    run(look())


def test_a_download_by_another_tool_is_not_ready_until_it_ends(folder: Path) -> None:
    """It is seen to grow, then to be whole."""
    whole = model()

    def problem(seen: Watched) -> str:
        return str(seen.index._entries[0].problem)

    async def look() -> None:
        async with watched(folder) as seen:
            (folder / "a.gguf").write_bytes(whole[:90])
            await seen.until(lambda: seen.ids == ["a"])
            (folder / "a.gguf").write_bytes(whole[:100])
            await seen.until(lambda: "100 bytes so far" in problem(seen))
            (folder / "a.gguf").write_bytes(whole)
            await seen.until(lambda: "so far" not in problem(seen))
            await seen.until(lambda: problem(seen) == "None")

    run(look())


def test_without_a_watch_a_request_looks_itself(folder: Path) -> None:
    """Not more often than once a second."""

    async def look() -> None:
        index = Watched(folder).index
        bundled = len(await index.entries())
        write(folder / "a.gguf")
        assert len(await index.entries()) == bundled
        await index.look()
        assert len(await index.entries()) == bundled + 1
        (folder / "a.gguf").unlink()
        index._good_until = asyncio.get_running_loop().time()
        with pytest.raises(ModelNotFoundError):
            await index.find("a")

    run(look())


def test_a_name_is_found_in_any_spelling(folder: Path) -> None:
    """And by the aliases that are configured."""
    write(folder / "a.gguf")

    async def look() -> None:
        index = Watched(folder).index
        for name in ("a", "A.gguf", "gpt"):
            assert (await index.find(name)).id == "a"
        with pytest.raises(ModelNotFoundError, match="'gpt'"):
            await index.find("gpt5")

    run(look())


def test_those_who_ask_together_share_a_look(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many they are."""
    looks = 0
    real = Scan.look

    def counted(scan: Scan) -> object:
        nonlocal looks
        looks += 1
        return real(scan)

    monkeypatch.setattr(Scan, "look", counted)

    async def look() -> None:
        index = Watched(folder).index
        await asyncio.gather(*[index.entries() for _ in range(50)])

    run(look())
    assert looks == 1


def test_the_event_loop_goes_on_while_files_are_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here a file cannot be read before the loop has done something else."""
    write(folder / "a.gguf")
    went_on = threading.Event()
    real = gguf.read

    def waiting(path: Path) -> object:
        assert went_on.wait(PATIENCE)
        return real(path)

    monkeypatch.setattr(reading, "read", waiting)

    async def look() -> None:
        index = Watched(folder).index
        looking = asyncio.create_task(index.entries())
        for _ in range(10):
            await asyncio.sleep(0)
        went_on.set()
        assert [one.problem for one in await looking] == [None, None]

    run(look())


def test_a_stop_does_not_wait_for_all_files(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And afterwards nothing uses the disk."""
    for number in range(30):
        write(folder / f"m{number}.gguf")

    async def look() -> None:
        seen = Watched(folder)
        began = asyncio.Event()
        loop = asyncio.get_running_loop()
        reads = 0
        real = seen.index._scan._readings.get

        def slow(*args: object) -> object:
            nonlocal reads
            reads += 1
            loop.call_soon_threadsafe(began.set)
            time.sleep(0.02)
            return real(*args)  # type: ignore[arg-type]  # passed on as they came

        monkeypatch.setattr(seen.index._scan._readings, "get", slow)
        seen.index.start()
        await began.wait()
        await seen.index.stop()
        done = reads
        assert done < 30
        assert await seen.index.entries() == []
        assert reads == done

    run(look())


def test_a_surprise_does_not_end_the_watch(
    folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, and the next look goes well."""
    monkeypatch.setattr(index_module, "RECOVERY", 0.02)
    write(folder / "a.gguf")
    real = Scan.look
    failures = iter([OSError("disk on fire")])

    def surprising(scan: Scan) -> object:
        for failure in failures:
            raise failure
        return real(scan)

    monkeypatch.setattr(Scan, "look", surprising)

    async def look() -> None:
        async with watched(folder) as seen:
            await seen.until(lambda: seen.ids == ["a"])

    run(look())
    assert "disk on fire" in caplog.text


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_deleted_model_leaves_nothing_behind(folder: Path) -> None:
    """Its folders go when they are empty; what others use stays."""
    shared = folder / "Org" / "Repo"
    write(shared / "a.gguf")
    write(shared / "b.gguf")
    (shared / "mmproj.gguf").write_bytes(projector())

    async def look() -> None:
        index = Watched(folder).index
        await index.delete(await index.find("a"))
        assert names(shared) == ["b.gguf", "mmproj.gguf"]
        with pytest.raises(ModelNotFoundError):
            await index.find("a")
        await index.delete(await index.find("b"))
        assert names(folder) == []

    run(look())


def test_a_model_that_cannot_be_deleted_says_why(folder: Path) -> None:
    """Such as when something else has taken its place."""
    write(folder / "a.gguf")

    async def look() -> None:
        index = Watched(folder).index
        entry = await index.find("a")
        entry.path.unlink()
        (entry.path / "sub").mkdir(parents=True)
        with pytest.raises(StoreError, match=r"a\.gguf"):
            await index.delete(entry)

    run(look())


def test_the_watch_looks_often_enough() -> None:
    """A file is ready two looks after it was written to: within two seconds."""
    assert MAX_AGE * 2 < 2
