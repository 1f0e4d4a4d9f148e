"""Progress while a model's files are read: as far as the disk, and no further."""

from io import RawIOBase
from pathlib import Path

import pytest

from llm_ext.errors import ModelUnreadableError
from llm_ext.llama.parts import parts
from llm_ext.llama.read_ahead import CHUNK, read_ahead


class Disk:
    """Files on a slow disk: notes how far the bar was before each piece it gave."""

    def __init__(self) -> None:
        self.given = 0
        self.bar = 0.0
        self.seen: list[tuple[int, float]] = []

    def opened(self, path: Path) -> "SlowFile":
        return SlowFile(self, path)

    def progress(self, fraction: float) -> None:
        self.bar = fraction


class SlowFile(RawIOBase):
    """Gives a thousand bytes at a time."""

    def __init__(self, disk: Disk, path: Path) -> None:
        self._disk = disk
        self._left = path.read_bytes()

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]  # the one type it is called with
        self._disk.seen.append((self._disk.given, self._disk.bar))
        piece, self._left = self._left[:1000], self._left[1000:]
        buffer[: len(piece)] = piece
        self._disk.given += len(piece)
        return len(piece)


def test_the_bar_stands_where_the_disk_is(tmp_path: Path) -> None:
    """Before each read it shows all that was read before, over all parts together."""
    paths = parts(tmp_path / "m-00001-of-00002.gguf")
    paths[0].write_bytes(bytes(9_000))
    paths[1].write_bytes(bytes(1_000))
    disk = Disk()
    read_ahead(paths, disk.progress, opened=disk.opened)
    assert len(disk.seen) == 12  # each part's end is seen by a read of nothing
    assert all(bar == given / 10_000 for given, bar in disk.seen)
    assert disk.bar == 1.0


def test_real_files_are_told_in_small_steps(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(bytes(10 * CHUNK))
    bar: list[float] = []
    read_ahead([path], bar.append)
    assert bar == [step / 10 for step in range(1, 11)]


def test_an_empty_file_has_nothing_to_tell(tmp_path: Path) -> None:
    """llama.cpp says what is wrong with it."""
    path = tmp_path / "m.gguf"
    path.touch()
    told: list[float] = []
    read_ahead([path], told.append)
    assert told == []


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    paths = parts(tmp_path / "m-00001-of-00002.gguf")
    paths[0].write_bytes(b"x")
    with pytest.raises(ModelUnreadableError, match=r"m-00002-of-00002\.gguf cannot be"):
        read_ahead(paths, lambda _fraction: None)


def test_parts_are_found_by_the_first_ones_name() -> None:
    folder = Path("models")
    assert parts(folder / "a.gguf") == [folder / "a.gguf"]
    assert parts(folder / "a-b-00001-of-00003.gguf") == [
        folder / "a-b-00001-of-00003.gguf",
        folder / "a-b-00002-of-00003.gguf",
        folder / "a-b-00003-of-00003.gguf",
    ]


@pytest.mark.parametrize(
    "name", ["x-00001-of-00000", "x-00000-of-00002", "x-00003-of-00002"]
)
def test_a_part_that_cannot_be_is_a_file_like_any_other(name: str) -> None:
    path = Path("models") / f"{name}.gguf"
    assert parts(path) == [path]
