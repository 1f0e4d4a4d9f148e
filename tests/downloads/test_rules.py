"""What may be downloaded, what is shared, and what people can do with a download."""

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import TypeVar

import psutil
import pytest

from llm_ext.core.changes import DownloadRemoved
from llm_ext.core.download_status import DownloadStatus
from llm_ext.core.settings import Settings
from llm_ext.downloads.jobs import Downloads
from llm_ext.errors import (
    DownloadNotFoundError,
    DownloadStateError,
    InvalidRequestError,
    LLMError,
    OfflineError,
    RepositoryNotAllowedError,
)
from llm_ext.store.database import Database
from tests.downloads.place import (
    HALF,
    LONG,
    MODEL,
    PLACED,
    REFERENCE,
    REPO,
    SIZE,
    Place,
    content,
    until,
)
from tests.hub import Fault, Hub

_T = TypeVar("_T")


async def refused(kind: type[LLMError], call: Awaitable[_T]) -> str:
    with pytest.raises(kind) as caught:
        await call
    return str(caught.value)


def test_offline_means_that_nobody_is_asked(
    hub: Hub, model: bytes, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the option and by the hub's own variable; what waited is paused."""
    del model
    hub.store_faults.append(Fault(hold=HALF))

    async def scenario() -> None:
        async with place.downloads(patience=LONG) as downloads:
            status = await downloads.add(REFERENCE)
            await until(downloads, status.id, "downloading", done=HALF)
        asked = len(hub.requests)
        async with place.downloads(offline=True) as downloads:
            paused = downloads.get(status.id)
            assert paused.state == "paused"
            assert paused.error is not None
            assert paused.error.code == "offline"
            await refused(OfflineError, downloads.add("hf:other/Repo"))
            await refused(OfflineError, downloads.resume(status.id))
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        async with place.downloads() as downloads:
            assert downloads.get(status.id).state == "paused"
            await refused(OfflineError, downloads.add("hf:other/Repo"))
        assert len(hub.requests) == asked

    asyncio.run(scenario())


def test_only_allowed_repositories(hub: Hub, model: bytes, place: Place) -> None:
    """By patterns, for which case makes no difference; the error lists them."""
    del model
    allowed = ("ORG/*", "other/one")

    async def scenario() -> None:
        async with place.downloads(allowed_repositories=allowed) as downloads:
            text = await refused(
                RepositoryNotAllowedError, downloads.add("hf:other/two")
            )
            assert "ORG/*, other/one" in text
            await refused(InvalidRequestError, downloads.add("two"))
            status = await downloads.add(REFERENCE)
            await until(downloads, status.id, "done")
        async with place.downloads(allowed_repositories=()) as downloads:
            await refused(RepositoryNotAllowedError, downloads.add(REFERENCE))

    asyncio.run(scenario())
    assert hub.ranges() == [0]


def test_who_asks_for_the_same_gets_the_same(
    hub: Hub, model: bytes, place: Place
) -> None:
    """At once, however it is written, and from one request."""
    del model
    names = [REFERENCE, f"hf.co/{REPO}:q4_k_m", f"https://huggingface.co/{REPO}"]

    async def scenario() -> None:
        async with place.downloads() as downloads:
            added = await asyncio.gather(*(downloads.add(REFERENCE) for _ in range(5)))
            added.append(await downloads.add(names[1]))
            assert len({status.id for status in added}) == 1
            watched = await asyncio.gather(
                *(until(downloads, status.id, "done") for status in added)
            )
            assert len({status.done for status in watched}) == 1

    asyncio.run(scenario())
    assert hub.ranges() == [0]


def test_another_name_for_the_same_files_follows(
    hub: Hub, model: bytes, place: Place
) -> None:
    """It shows the progress of the one that fetches, and ends with it."""
    hub.store_faults.append(Fault(hold=HALF))

    async def scenario() -> None:
        async with place.downloads(patience=LONG) as downloads:
            first = await downloads.add(REFERENCE)
            await until(downloads, first.id, "downloading", done=HALF)
            second = await downloads.add(f"hf:{REPO}:{MODEL}")
            shown = await until(downloads, second.id, "downloading", done=HALF)
            assert (shown.id, shown.total) == (second.id, SIZE)
            assert shown.reference == f"hf:{REPO}:{MODEL}"
            hub.released.set()
            both = await asyncio.gather(
                until(downloads, first.id, "done"), until(downloads, second.id, "done")
            )
            assert [status.done for status in both] == [SIZE, SIZE]

    asyncio.run(scenario())
    assert hub.ranges() == [0]
    assert (place.models / PLACED).read_bytes() == model


def test_a_follower_goes_on_alone(hub: Hub, model: bytes, place: Place) -> None:
    """When the one that fetches is cancelled; and its own pause is its own."""
    hub.store_faults.append(Fault(hold=HALF))

    async def scenario() -> None:
        async with place.downloads(patience=LONG) as downloads:
            first = await downloads.add(REFERENCE)
            await until(downloads, first.id, "downloading", done=HALF)
            second = await downloads.add(f"hf:{REPO}:{MODEL}")
            await until(downloads, second.id, "downloading", done=HALF)
            assert (await downloads.pause(second.id)).state == "paused"
            assert downloads.get(first.id).state == "downloading"
            await downloads.resume(second.id)
            await until(downloads, second.id, "downloading", done=HALF)
            assert (await downloads.cancel(first.id)).state == "cancelled"
            await until(downloads, second.id, "done")
            assert downloads.get(first.id).state == "cancelled"

    asyncio.run(scenario())
    assert (place.models / PLACED).read_bytes() == model


def test_two_run_and_the_others_wait_their_turn(hub: Hub, place: Place) -> None:
    """One that is paused makes room; one that waits can be paused and cancelled."""
    for number in range(4):
        hub.add(f"org/Repo{number}", {MODEL: content(number)})
        hub.store_faults.append(Fault(hold=HALF))

    async def scenario() -> None:
        async with place.downloads(patience=LONG) as downloads:
            ids = [(await downloads.add(f"hf:org/Repo{n}")).id for n in range(4)]
            for first in ids[:2]:
                await until(downloads, first, "downloading", done=HALF)
            assert [downloads.get(one).state for one in ids[2:]] == ["waiting"] * 2
            assert len(place.processes) == 2
            assert downloads.running == 4
            await downloads.pause(ids[2])
            await downloads.pause(ids[0])
            await until(downloads, ids[3], "downloading", done=HALF)
            await downloads.resume(ids[2])
            assert (await downloads.cancel(ids[2])).state == "cancelled"
            assert len(place.processes) == 2

    asyncio.run(scenario())
    assert not place.processes


def test_what_is_stopped_before_it_began_lets_others_go_on(
    hub: Hub, model: bytes, place: Place
) -> None:
    """It is paused in the same turn of the loop in which it would have begun."""
    del hub, model

    async def scenario() -> None:
        async with place.downloads() as downloads:
            for _ in range(3):
                status = await downloads.add(REFERENCE)
                assert (await downloads.pause(status.id)).state == "paused"
            await downloads.add(REFERENCE)
            await until(downloads, status.id, "done")

    asyncio.run(scenario())


def test_a_cancelled_download_leaves_nothing(
    hub: Hub, model: bytes, place: Place
) -> None:
    """Neither file nor folder nor process; it can be asked for anew, or removed."""
    hub.store_faults.append(Fault(hold=HALF))

    async def scenario() -> None:
        async with place.downloads(patience=LONG) as downloads:
            status = await downloads.add(REFERENCE)
            await until(downloads, status.id, "downloading", done=HALF)
            await refused(DownloadStateError, downloads.remove(status.id))
            cancelled = await downloads.cancel(status.id)
            assert (cancelled.state, cancelled.done) == ("cancelled", 0)
            assert not place.processes
            assert not list((place.data / "downloads").iterdir())
            assert not place.complete
            assert (await downloads.cancel(status.id)).state == "cancelled"
            await refused(DownloadStateError, downloads.pause(status.id))
            await refused(DownloadStateError, downloads.resume(status.id))
            await downloads.add(REFERENCE)
            await until(downloads, status.id, "done")
            await refused(DownloadStateError, downloads.cancel(status.id))
            await downloads.remove(status.id)
            assert downloads.list() == ()
            await refused(DownloadNotFoundError, downloads.remove(status.id))
        async with place.downloads() as downloads:
            assert downloads.list() == ()

    asyncio.run(scenario())
    assert isinstance(place.changes[-1], DownloadRemoved)
    assert (place.models / PLACED).read_bytes() == model
    assert hub.ranges() == [0, 0]


def test_stopping_leaves_no_process_and_loses_nothing(
    hub: Hub, model: bytes, place: Place
) -> None:
    """Watchers end; the next server goes on with what ran, not with what was paused."""
    other = content(2)
    hub.add("org/Other", {MODEL: other})
    hub.store_faults.extend([Fault(hold=HALF), Fault(hold=HALF)])
    others = set(psutil.Process().children(recursive=True))

    async def scenario() -> None:
        async with place.downloads(patience=LONG) as downloads:
            first = await downloads.add(REFERENCE)
            await until(downloads, first.id, "downloading", done=HALF)
            second = await downloads.add("hf:org/Other")
            await until(downloads, second.id, "downloading", done=HALF)
            await downloads.pause(second.id)
            watching = asyncio.ensure_future(watched(downloads, first.id))
            await asyncio.sleep(0)
            await downloads.stop()
            assert (await watching)[-1].state == "downloading"
            assert not place.processes
        async with place.downloads() as downloads:
            paused = downloads.get(second.id)
            assert (paused.state, paused.done) == ("paused", HALF)
            assert downloads.get(first.id).done == HALF
            await until(downloads, first.id, "done")
            assert downloads.get(second.id).state == "paused"

    asyncio.run(scenario())
    assert hub.sent == SIZE + HALF
    assert (place.models / PLACED).read_bytes() == model
    assert set(psutil.Process().children(recursive=True)) <= others


async def watched(downloads: Downloads, download_id: str) -> list[DownloadStatus]:
    return [status async for status in downloads.watch(download_id)]


def test_the_catalog_is_told_before_anybody_else(
    hub: Hub, model: bytes, place: Place
) -> None:
    """The status has the model's id as soon as it says that it is done."""
    del hub, model
    told: list[str] = []

    async def model_of(path: Path) -> str | None:
        told.append(str(path.relative_to(place.models)))
        return "tiny"

    async def scenario() -> None:
        settings = Settings(model_folders=(place.models,), data_folder=place.data)
        database = Database(place.data / "llm_ext.sqlite3")
        downloads = Downloads(
            settings, database, place.changes.append, model_of=model_of
        )
        await downloads.start()
        status = await downloads.add(REFERENCE)
        done = await until(downloads, status.id, "done")
        assert done.model == "tiny"
        await downloads.stop()
        database.close()

    asyncio.run(scenario())
    assert told == [PLACED]
    assert [status.model for status in place.statuses if status.state == "done"] == [
        "tiny"
    ]


def test_progress_is_told_a_few_times_a_second_with_a_rate(
    hub: Hub, model: bytes, place: Place
) -> None:
    """While a connection stands still, too, so that the rate shown goes down."""
    del model
    hub.store_faults.extend([Fault(cut=HALF), Fault(hold=100_000)])

    async def scenario() -> None:
        async with place.downloads(patience=LONG) as downloads:
            status = await downloads.add(REFERENCE)
            rates: list[float] = []
            async for seen in downloads.watch(status.id):
                if seen.rate is not None:
                    rates.append(seen.rate)
                    assert seen.seconds_left is not None
                if len(rates) >= 3 and rates[-1] < rates[-2]:
                    break
            await downloads.cancel(status.id)

    asyncio.run(scenario())
