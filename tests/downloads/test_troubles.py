"""What goes wrong with the network, the hub and the disk, and what is told of it."""

import asyncio
import logging
import sqlite3
import sys
from contextlib import closing

import pytest

from llm_ext.core.download_status import DownloadState, DownloadStatus
from llm_ext.downloads.child import ChildProcess
from llm_ext.errors import DownloadElsewhereError
from tests.downloads.place import (
    HALF,
    LONG,
    MODEL,
    PATIENCE,
    PLACED,
    REFERENCE,
    REPO,
    Place,
    content,
    until,
)
from tests.hub import SIGNATURE, Fault, Hub
from tests.live import free_port


def ended(place: Place, *references: str) -> DownloadStatus:
    """Run downloads to their ends, one after the other; return the last one's."""

    async def scenario() -> DownloadStatus:
        async with place.downloads() as downloads:
            for reference in references:
                status = await downloads.add(reference)
                status = await until(downloads, status.id, "done", "failed")
            return status

    return asyncio.run(scenario())


def problem(status: DownloadStatus) -> tuple[str, str]:
    assert status.error is not None, status
    return status.error.code, status.error.message


@pytest.mark.parametrize(
    "faults",
    [
        [Fault(cut=HALF)],
        [Fault(cut=1000), Fault(cut=1000), Fault(cut=1000), Fault(cut=1000)],
        [Fault(status=503), Fault(status=500)],
        [Fault(status=403)],
        [Fault(empty=True)],
        [Fault(cut=HALF), Fault(whole=True)],
    ],
    ids=["cut", "cut often", "fails", "expired", "empty", "no ranges"],
)
def test_a_bad_connection_is_borne(
    hub: Hub, model: bytes, place: Place, faults: list[Fault]
) -> None:
    """More attempts than allowed in a row are well while each brings something."""
    hub.store_faults.extend(faults)
    assert ended(place, REFERENCE).state == "done"
    assert (place.models / PLACED).read_bytes() == model
    assert not hub.store_faults


def test_after_a_cut_only_the_rest_is_asked_for(
    hub: Hub, model: bytes, place: Place
) -> None:
    """From the byte on that is missing, and without reading the file once more."""
    hub.store_faults.append(Fault(cut=HALF))
    assert ended(place, REFERENCE).state == "done"
    assert hub.ranges() == [0, HALF]
    assert hub.sent == len(model)
    assert "verifying" not in {status.state for status in place.statuses}


def test_the_hub_says_how_long_to_wait(
    hub: Hub, model: bytes, place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    """Both for the listing and for bytes; never longer than patience allows."""
    del model
    slow_down = Fault(status=429, headers={"Retry_After": "0"})
    reset = Fault(status=429, headers={"RateLimit": '"api";r=0;t=400'})
    hub.hub_faults.append(slow_down)
    hub.store_faults.extend([slow_down, reset])
    with caplog.at_level(logging.WARNING):
        assert ended(place, REFERENCE).state == "done"
    assert caplog.text.count("Trying again in 0.0 s") == 2
    assert caplog.text.count("Trying again in 0.5 s") == 1


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (Fault(status=503), "hub_busy"),
        (Fault(status=429), "hub_busy"),
        (Fault(cut=0), "hub_unreachable"),
        (Fault(empty=True), "hub_answer_wrong"),
        (Fault(status=200), "hub_answer_wrong"),
        (Fault(hold=0), "download_stalled"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_patience_ends_with_what_is_here_kept(
    hub: Hub, model: bytes, place: Place, fault: Fault, code: str
) -> None:
    """The error says what it was; resuming goes on from the byte where it ended."""
    hub.store_faults.extend([Fault(cut=HALF), *[fault] * PATIENCE.attempts])
    assert problem(ended(place, REFERENCE))[0] == code
    assert place.partial == {f"{MODEL}.part": HALF}
    hub.released.set()
    assert ended(place, REFERENCE).state == "done"
    assert hub.ranges()[-1] == HALF
    assert (place.models / PLACED).read_bytes() == model


def test_damage_is_noticed_and_deleted(hub: Hub, model: bytes, place: Place) -> None:
    """Nothing reaches the model folder, and the next attempt begins anew."""
    hub.store_faults.append(Fault(damage=True))
    code, message = problem(ended(place, REFERENCE))
    assert (code, MODEL in message) == ("checksum_mismatch", True)
    assert not place.complete
    assert not place.partial
    assert ended(place, REFERENCE).state == "done"
    assert hub.ranges() == [0, 0]
    assert (place.models / PLACED).read_bytes() == model


def test_a_file_that_changed_meanwhile_is_begun_again(
    hub: Hub, model: bytes, place: Place
) -> None:
    """What was fetched of the old one is worth nothing."""
    del model
    hub.store_faults.append(Fault(hold=HALF))
    new = content(2)

    async def scenario() -> None:
        async with place.downloads(patience=LONG) as downloads:
            status = await downloads.add(REFERENCE)
            await until(downloads, status.id, "downloading", done=HALF)
            await downloads.pause(status.id)
            hub.commit(REPO, {MODEL: new})
            await downloads.resume(status.id)
            await until(downloads, status.id, "done")

    asyncio.run(scenario())
    assert hub.ranges() == [0, 0]
    assert (place.models / PLACED).read_bytes() == new


def test_a_commit_that_vanishes_in_mid_transfer_is_resolved_again(
    hub: Hub, model: bytes, place: Place
) -> None:
    """The history was rewritten: the old commit is not there any more."""
    del model
    new = content(2)
    hub.store_faults.append(Fault(hold=HALF))

    async def scenario() -> None:
        async with place.downloads() as downloads:
            status = await downloads.add(REFERENCE)
            await until(downloads, status.id, "downloading", done=HALF)
            hub.repos[REPO].commits.clear()
            hub.commit(REPO, {MODEL: new})
            # The held connection stalls, and the next attempt finds the change.
            await until(downloads, status.id, "done")

    asyncio.run(scenario())
    assert (place.models / PLACED).read_bytes() == new


@pytest.mark.parametrize(
    ("reference", "problem_and_word"),
    [
        ("hf:org/Missing", ("repository_not_found", "'org/Missing'")),
        (f"hf:{REPO}@gone", ("revision_not_found", "'gone'")),
        (f"hf:{REPO}:Q2_K", ("hub_file_not_found", MODEL)),
        (f"hf:{REPO}:none.gguf", ("hub_file_not_found", MODEL)),
        ("hf:org/Secret", ("repository_not_found", "token")),
        ("hf:org/Gated", ("repository_gated", "/org/Gated")),
        ("hf:org/Empty", ("hub_file_not_found", "-GGUF")),
    ],
)
def test_what_cannot_be_fetched_is_said_in_words(
    hub: Hub,
    model: bytes,
    place: Place,
    reference: str,
    problem_and_word: tuple[str, str],
) -> None:
    """Each with a code of its own, at the first answer."""
    code, said = problem_and_word
    hub.add("org/Gated", {MODEL: model}, gated=True)
    hub.add("org/Secret", {MODEL: model}, private=True)
    hub.add("org/Empty", {"model.safetensors": b"x"})
    found, message = problem(ended(place, reference))
    assert found == code
    assert said in message
    assert not place.complete
    assert len(hub.requests) <= 2


def test_a_page_of_the_network_is_no_repository(
    hub: Hub, model: bytes, place: Place
) -> None:
    """Guest networks answer every question with a page of their own."""
    del model
    hub.hub_faults.append(Fault(status=200))
    assert problem(ended(place, REFERENCE))[0] == "hub_answer_wrong"


def test_no_network_is_said_at_once(
    place: Place, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A port where nobody listens, and a name that nobody knows."""
    del hub
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    code, message = problem(ended(place, REFERENCE))
    assert code == "hub_unreachable"
    assert "refused" in message
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.invalid")
    code, message = problem(ended(place, REFERENCE))
    assert code == "hub_unreachable"
    assert "hub.invalid" in message


@pytest.mark.parametrize("debug", ["0", "1"])
def test_the_token_goes_to_the_hub_alone(
    hub: Hub,
    place: Place,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    debug: str,
) -> None:
    """Not to the store, and into no file, log, message or change."""
    hub.add(REPO, {MODEL: content(1)}, private=True)
    file = place.folder / "token"
    file.write_text(hub.good_token)
    monkeypatch.setenv("HF_TOKEN_PATH", str(file))
    monkeypatch.setenv("HF_DEBUG", debug)
    hub.store_faults.append(Fault(status=500))
    with caplog.at_level(logging.DEBUG):
        assert ended(place, REFERENCE).state == "done"
        monkeypatch.setenv("HF_TOKEN", "hf_bad_token")
        code, message = problem(ended(place, "hf:org/Missing"))
    assert (code, "token" in message) == ("hub_access_denied", True)
    given = {(r.place, r.authorization) for r in hub.requests}
    good, bad = f"Bearer {hub.good_token}", "Bearer hf_bad_token"
    assert given == {("hub", good), ("hub", bad), ("store", None)}
    told = caplog.text + repr(place.changes)
    kept = b"".join(p.read_bytes() for p in place.data.rglob("*") if p.is_file())
    for secret in (hub.good_token, "hf_bad_token"):
        assert secret not in told
        assert secret.encode() not in kept
    # Signed addresses are for a debugging user's eyes alone.
    assert (SIGNATURE in told) == (debug == "1")


def test_there_has_to_be_room_before_anything_is_fetched(
    hub: Hub, model: bytes, place: Place
) -> None:
    """The error has both figures; no byte was asked for."""
    del model
    hub.repos[REPO].declared[MODEL] = 10**17
    code, message = problem(ended(place, REFERENCE))
    assert code == "disk_full"
    assert "GiB are needed" in message
    assert "GiB are free" in message
    assert hub.ranges() == []


def test_a_disk_that_becomes_full_is_said_in_words(
    hub: Hub, model: bytes, place: Place
) -> None:
    """/dev/full is a file that the system lets nobody write to for want of room."""

    async def scenario() -> None:
        async with place.downloads(patience=LONG) as downloads:
            hub.store_faults.append(Fault(hold=HALF))
            status = await downloads.add(REFERENCE)
            await until(downloads, status.id, "downloading", done=HALF)
            await downloads.pause(status.id)
            (part,) = place.data.rglob("*.part")
            part.unlink()
            part.symlink_to("/dev/full")
            await downloads.resume(status.id)
            failed = await until(downloads, status.id, "failed")
            assert problem(failed)[0] == "disk_full"
            part.unlink()
            await downloads.resume(status.id)
            await until(downloads, status.id, "done")

    asyncio.run(scenario())
    assert (place.models / PLACED).read_bytes() == model


LIMITED = (
    "import resource, runpy; "
    f"resource.setrlimit(resource.RLIMIT_FSIZE, ({HALF}, {HALF})); "
    "runpy.run_module('llm_ext.downloads', run_name='__main__')"
)
"""A process whose files can have half a model and not one byte more."""


def test_what_came_before_the_disk_was_full_is_kept(
    hub: Hub, model: bytes, place: Place
) -> None:
    """A limit on files' sizes refuses a write in the middle as a full disk does."""

    def limited(**options: object) -> ChildProcess:
        command = (sys.executable, "-c", LIMITED)
        return ChildProcess(**options, command=command)  # type: ignore[arg-type]  # Launcher's

    async def scenario() -> None:
        async with place.downloads(launch=limited) as downloads:
            status = await downloads.add(REFERENCE)
            failed = await until(downloads, status.id, "failed")
            assert problem(failed)[0] == "disk_full"
            assert failed.done == HALF
        assert place.partial == {f"{MODEL}.part": HALF}
        async with place.downloads() as downloads:
            await downloads.resume(status.id)
            await until(downloads, status.id, "done")

    asyncio.run(scenario())
    assert hub.ranges()[-1] == HALF
    assert (place.models / PLACED).read_bytes() == model


def test_a_folder_that_cannot_be_written_is_named(
    hub: Hub, model: bytes, place: Place
) -> None:
    """The model folder's place is taken by a file."""
    del hub, model
    place.models.write_text("no folder")
    code, message = problem(ended(place, REFERENCE))
    assert code == "disk_write_failed"
    assert str(place.models) in message


def test_what_is_remembered_is_what_was_told(
    hub: Hub, model: bytes, place: Place
) -> None:
    """A failed download is still there in the next server, with its reason."""
    del model
    hub.store_faults.append(Fault(damage=True))
    failed = ended(place, REFERENCE)

    async def scenario() -> None:
        async with place.downloads() as downloads:
            assert downloads.list() == (failed,)

    asyncio.run(scenario())
    states: list[DownloadState] = [status.state for status in place.statuses]
    assert states[-1] == "failed"


def test_a_damaged_record_keeps_nothing_from_starting(
    hub: Hub, model: bytes, place: Place
) -> None:
    """It is left out; the others are there."""
    del hub, model
    ended(place, REFERENCE)
    with closing(sqlite3.connect(place.data / "llm_ext.sqlite3")) as connection:
        connection.execute("INSERT INTO downloads VALUES ('x', x'00')")
        connection.commit()

    async def scenario() -> None:
        async with place.downloads() as downloads:
            assert [status.state for status in downloads.list()] == ["done"]

    asyncio.run(scenario())


def test_a_second_server_does_not_fetch_the_same(
    hub: Hub, model: bytes, place: Place
) -> None:
    """It says so, takes nothing from the first, and goes on when that has ended."""
    hub.store_faults.append(Fault(hold=HALF))

    async def scenario() -> None:
        async with place.downloads(patience=LONG) as first:
            status = await first.add(REFERENCE)
            await until(first, status.id, "downloading", done=HALF)
            async with place.downloads() as second:
                held = await until(second, status.id, "paused")
                assert problem(held)[0] == "download_elsewhere"
                with pytest.raises(DownloadElsewhereError):
                    await second.cancel(status.id)
                assert second.get(status.id).state == "paused"
                assert place.partial == {f"{MODEL}.part": HALF}
                await first.stop()
                await second.resume(status.id)
                await until(second, status.id, "done")

    asyncio.run(scenario())
    assert hub.ranges() == [0, HALF]
    assert (place.models / PLACED).read_bytes() == model
