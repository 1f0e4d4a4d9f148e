"""Downloads from a hub, by real processes with the real client."""

import asyncio
import sys
from pathlib import Path

import psutil
from huggingface_hub import hf_hub_download

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


def test_the_hub_here_is_one_to_the_real_client(
    hub: Hub, model: bytes, tmp_path: Path
) -> None:
    """What the other tests prove, they prove of the protocol that it speaks."""
    path = hf_hub_download(
        REPO, MODEL, cache_dir=tmp_path / "cache", endpoint=hub.url, token=False
    )
    assert Path(path).read_bytes() == model


def test_a_model_comes_whole_and_is_told_of(
    hub: Hub, model: bytes, place: Place
) -> None:
    """Each state in order, done never less than before, one request for all bytes."""

    async def scenario() -> None:
        async with place.downloads() as downloads:
            first = await downloads.add(f"hf.co/{REPO}:q4_k_m")
            assert (first.state, first.reference) == ("waiting", REFERENCE)
            done = await until(downloads, first.id, "done")
            assert (done.files, done.done, done.total) == ((MODEL,), SIZE, SIZE)
            assert downloads.list() == (done,)

    asyncio.run(scenario())
    assert (place.models / PLACED).read_bytes() == model
    assert place.complete == {PLACED}
    assert hub.ranges() == [0]
    states = list(dict.fromkeys(status.state for status in place.statuses))
    assert states == ["waiting", "resolving", "downloading", "done"]
    sizes = [status.done for status in place.statuses]
    assert sizes == sorted(sizes)
    assert not list((place.data / "downloads").iterdir())
    assert not place.processes


def test_what_is_here_already_is_not_fetched(
    hub: Hub, model: bytes, place: Place
) -> None:
    """A file of the right content is left alone; one of another is replaced."""
    target = place.models / PLACED
    target.parent.mkdir(parents=True)
    target.write_bytes(model)

    async def scenario() -> None:
        async with place.downloads() as downloads:
            status = await downloads.add(REFERENCE)
            await until(downloads, status.id, "done")
            assert hub.ranges() == []
            assert "verifying" in {status.state for status in place.statuses}
            target.write_bytes(content(9))
            again = await downloads.add(REFERENCE)
            assert again.id == status.id
            await until(downloads, status.id, "done")

    asyncio.run(scenario())
    assert hub.ranges() == [0]
    assert target.read_bytes() == model


def test_a_split_set_comes_whole_with_its_projector(hub: Hub, place: Place) -> None:
    """All parts, of a folder too, and the projector in f16 beside them."""
    parts = [f"Q4_K_M/Big-Q4_K_M-0000{n}-of-00003.gguf" for n in (1, 2, 3)]
    files = {part: content(n, 40_000) for n, part in enumerate(parts)}
    files |= {"Big-Q8_0.gguf": b"other", "mmproj-Big-Q8_0.gguf": b"not this one"}
    files |= {"mmproj-Big-f16.gguf": content(7, 5000)}
    hub.add(REPO, files)

    async def scenario() -> None:
        async with place.downloads() as downloads:
            status = await downloads.add(f"hf:{REPO}")
            done = await until(downloads, status.id, "done")
            assert done.files == (*parts, "mmproj-Big-f16.gguf")
            assert done.done == done.total == 125_000

    asyncio.run(scenario())
    folder = place.models / REPO / "Q4_K_M"
    assert {path.name for path in folder.iterdir()} == {
        *(Path(part).name for part in parts),
        "mmproj-Big-f16.gguf",
    }
    for part in parts:
        assert (folder / Path(part).name).read_bytes() == files[part]


def test_a_file_that_git_keeps_is_verified_too(hub: Hub, place: Place) -> None:
    """Small files have no SHA-256 on the hub, but the hash that git gives them."""
    hub.add(REPO, {MODEL: b"small"}, small={MODEL})

    async def scenario() -> None:
        async with place.downloads() as downloads:
            hub.hub_faults.extend([Fault(), Fault(damage=True)])
            status = await downloads.add(REFERENCE)
            failed = await until(downloads, status.id, "failed")
            assert failed.error is not None
            assert failed.error.code == "checksum_mismatch"
            await downloads.resume(status.id)
            await until(downloads, status.id, "done")

    asyncio.run(scenario())
    assert (place.models / PLACED).read_bytes() == b"small"


def test_a_paused_download_goes_on_where_it_was(
    hub: Hub, model: bytes, place: Place
) -> None:
    """No byte is fetched twice, and all of it is verified: part was not hashed."""
    hub.store_faults.append(Fault(hold=HALF))

    async def scenario() -> None:
        async with place.downloads(patience=LONG) as downloads:
            status = await downloads.add(REFERENCE)
            await until(downloads, status.id, "downloading", done=HALF)
            paused = await downloads.pause(status.id)
            assert (paused.state, paused.rate) == ("paused", None)
            assert not place.processes
            assert place.partial == {f"{MODEL}.part": HALF}
            assert (await downloads.pause(status.id)).state == "paused"
            await downloads.resume(status.id)
            await until(downloads, status.id, "done")

    asyncio.run(scenario())
    assert hub.ranges() == [0, HALF]
    assert hub.sent == SIZE
    assert "verifying" in {status.state for status in place.statuses}
    assert (place.models / PLACED).read_bytes() == model


def test_a_killed_process_and_server_lose_nothing(
    hub: Hub, model: bytes, place: Place
) -> None:
    """After kill -9 it failed in words; a new server goes on where the bytes end."""
    hub.store_faults.append(Fault(hold=HALF))

    async def killed() -> str:
        async with place.downloads(patience=LONG) as downloads:
            status = await downloads.add(REFERENCE)
            await until(downloads, status.id, "downloading", done=HALF)
            place.started[0].kill()
            failed = await until(downloads, status.id, "failed")
            assert failed.error is not None
            assert failed.error.code == "download_died"
            return status.id

    async def taken_up(download_id: str) -> None:
        async with place.downloads() as downloads:
            assert downloads.get(download_id).state == "failed"
            assert (await downloads.add(REFERENCE)).id == download_id
            await until(downloads, download_id, "done")

    asyncio.run(taken_up(asyncio.run(killed())))
    assert hub.ranges() == [0, HALF]
    assert hub.sent == SIZE
    assert (place.models / PLACED).read_bytes() == model


SERVER = """
import asyncio, sys
from pathlib import Path
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
from llm_ext.downloads.messages import Patience

async def main():
    place = Place(Path(sys.argv[1]))
    async with place.downloads(patience=LONG) as downloads:
        status = await downloads.add(sys.argv[2])
        await until(downloads, status.id, "downloading", done=int(sys.argv[3]))
        print(place.started[0].pid, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""
"""A server in a process of its own: says what it started, and waits for its end."""


def test_a_killed_server_takes_its_processes_along(
    hub: Hub, model: bytes, place: Place
) -> None:
    """None is left behind, and the next server goes on without being asked."""
    hub.store_faults.append(Fault(hold=HALF))

    async def scenario() -> None:
        server = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", SERVER, str(place.folder), REFERENCE, str(HALF)),
            stdout=asyncio.subprocess.PIPE,
        )
        assert server.stdout is not None
        child = psutil.Process(int(await server.stdout.readline()))
        server.kill()
        await server.wait()
        await asyncio.to_thread(child.wait, 10)
        async with place.downloads() as downloads:
            (status,) = downloads.list()
            await until(downloads, status.id, "done")

    asyncio.run(scenario())
    assert hub.ranges() == [0, HALF]
    assert (place.models / PLACED).read_bytes() == model
