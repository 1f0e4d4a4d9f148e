"""Partial files, room on the disk, and files put into their places."""

import errno
import hashlib
import os
import shutil
from pathlib import Path

import pytest

from llm_ext.downloads import disk, part_file, plan as plans
from llm_ext.downloads.hub_file import HubFile
from llm_ext.downloads.part_file import opened
from llm_ext.downloads.plan import Plan
from llm_ext.errors import ChecksumError, DiskFullError, DiskWriteError

CONTENT = b"0123456789" * 100


def hub_file(content: bytes = CONTENT, path: str = "a/m.gguf") -> HubFile:
    digest = hashlib.sha256(content).hexdigest()
    return HubFile(path=path, size=len(content), digest=f"sha256:{digest}")


def test_a_part_is_hashed_only_if_all_of_it_was_seen(tmp_path: Path) -> None:
    """What another process left is not in the hash; what is begun again is."""
    path, file = tmp_path / "deep" / "m.part", hub_file()
    with opened(path, file) as part:
        part.write(CONTENT[:300])
        assert path.stat().st_size == part.size == 300
        part.write(CONTENT[300:])
        assert part.is_complete
        assert part.hash is not None
        assert file.is_content(part.hash)
    with opened(path, file) as part:
        assert (part.size, part.hash) == (1000, None)
        part.restart()
        assert path.stat().st_size == 0
        part.write(CONTENT)
        assert part.hash is not None
        assert file.is_content(part.hash)


def test_more_than_there_is_cannot_be_right(tmp_path: Path) -> None:
    """Neither what arrives nor what is found."""
    path, file = tmp_path / "m.part", hub_file()
    with opened(path, file) as part:
        part.write(CONTENT[:600])
        with pytest.raises(ChecksumError):
            part.write(CONTENT[:600])
        assert path.stat().st_size == part.size == 0
    path.write_bytes(CONTENT * 2)
    with opened(path, file) as part:
        assert part.size == 0


def test_room_is_looked_after_while_a_part_grows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has arrived is kept when others have used it up meanwhile."""
    monkeypatch.setattr(part_file, "LOOK", 300)
    path, file = tmp_path / "m.part", hub_file()
    with opened(path, file) as part:
        part.write(CONTENT[:600])
        monkeypatch.setattr(part_file, "ROOM", 10**17)
        part.write(CONTENT[600:700])
        with pytest.raises(DiskFullError):
            part.write(CONTENT[700:])
    assert path.read_bytes() == CONTENT


def test_git_hashes_a_header_first() -> None:
    """The same as ``git hash-object`` gives for this text."""
    digest = "git:ce013625030ba8dba906f756967f9e9ca394464a"
    file = HubFile(path="m", size=6, digest=digest)
    content = file.new_hash()
    content.update(b"hello\n")
    assert file.is_content(content)


def test_room_is_needed_with_a_margin(tmp_path: Path) -> None:
    """On the disk of a folder that does not exist yet; nothing needs no room."""
    folder = tmp_path / "not" / "yet"
    free = shutil.disk_usage(tmp_path).free
    disk.check_room(folder, 0)
    disk.check_room(folder, 1000)
    with pytest.raises(DiskFullError, match="are needed"):
        disk.check_room(folder, free)
    with pytest.raises(DiskFullError):
        disk.check_room(folder, free - disk.MARGIN // 2)


def test_a_file_is_moved_over_what_was_there(tmp_path: Path) -> None:
    """Within a disk: the same file under another name."""
    part, target = tmp_path / "m.part", tmp_path / "org" / "repo" / "m.gguf"
    part.write_bytes(b"new")
    number = part.stat().st_ino
    target.parent.mkdir(parents=True)
    target.write_bytes(b"old")
    disk.move(part, target)
    assert target.read_bytes() == b"new"
    assert target.stat().st_ino == number
    assert not part.exists()


def test_a_file_is_copied_to_another_disk(tmp_path: Path) -> None:
    """It appears whole: until then it has another name, which discarding removes."""
    memory = Path("/dev/shm")  # noqa: S108  # the one other disk that most machines have
    if not memory.is_dir() or disk.is_same_disk(memory, tmp_path):
        pytest.skip("this machine has no second disk to write to")
    folder = memory / f"llm-ext-test-{os.getpid()}"
    target = folder / "org" / "m.gguf"
    part = tmp_path / "m.part"
    part.write_bytes(CONTENT)
    try:
        disk.move(part, target)
        assert target.read_bytes() == CONTENT
        assert [path.name for path in target.parent.iterdir()] == ["m.gguf"]
        assert not part.exists()
    finally:
        shutil.rmtree(folder)


def test_the_disks_errors_are_said_in_words(tmp_path: Path) -> None:
    """Full, over quota, too large for it; and whatever else it has."""
    for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        error = disk.failure(OSError(number, "full"), tmp_path)
        assert isinstance(error, DiskFullError)
        assert str(tmp_path) in str(error)
    denied = PermissionError(errno.EACCES, "Permission denied", "/models/m")
    told = disk.failure(denied, tmp_path)
    assert isinstance(told, DiskWriteError)
    assert "/models/m cannot be written: Permission denied" in str(told)


def test_a_plan_keeps_what_fits_it_alone(tmp_path: Path) -> None:
    """A part of a file that is another one now, or of which nothing is known, goes."""
    folder, same, old = tmp_path / "job", hub_file(path="s.gguf"), hub_file()

    def adopt(*files: HubFile) -> Plan:
        plan = Plan(repo="o/r", commit="c", files=files, models=str(tmp_path / "m"))
        plans.adopt(folder, plan)
        return plan

    def parts() -> set[str]:
        return {path.name for path in folder.rglob("*.part")}

    adopt(same, old)
    for file in (same, old):
        plans.partial(folder, file).parent.mkdir(parents=True, exist_ok=True)
        plans.partial(folder, file).write_bytes(b"beginning")
    adopt(same, old)
    assert parts() == {"s.gguf.part", "m.gguf.part"}
    adopt(same, hub_file(b"new"))
    assert parts() == {"s.gguf.part"}
    (folder / "plan.json").write_text("{")
    plan = adopt(same)
    assert parts() == set()
    halfway = plans.incoming(plan.target(same))
    halfway.parent.mkdir(parents=True)
    halfway.write_bytes(b"copied so far")
    plans.discard(folder)
    assert not folder.exists()
    assert not halfway.exists()
    plans.discard(folder)


def test_all_of_a_model_lie_in_one_folder(tmp_path: Path) -> None:
    """Where its first part is in the repository."""
    part = hub_file(path="Q4_K_M/big-00001-of-00002.gguf")
    projector = hub_file(path="mmproj-f16.gguf")
    plan = Plan(repo="o/r", commit="c", files=(part, projector), models=str(tmp_path))
    folder = tmp_path / "o" / "r" / "Q4_K_M"
    assert plan.target(part) == folder / "big-00001-of-00002.gguf"
    assert plan.target(projector) == folder / "mmproj-f16.gguf"
