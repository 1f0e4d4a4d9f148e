"""Finding model files, good and bad."""

import asyncio
import struct
from pathlib import Path

import pytest

from llm_ext.catalog.gguf import check_header
from llm_ext.catalog.index import Index
from llm_ext.catalog.scan import BUNDLED, scan
from llm_ext.errors import ModelNotFoundError, ModelUnreadableError


def header(magic: bytes = b"GGUF", version: int = 3, tensors: int = 1) -> bytes:
    return struct.pack("<4sIQQ", magic, version, tensors, 1)


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"<html>not a model</html>      ", "not a GGUF file"),
        (b"", "not a GGUF file"),
        (header()[:10], "incomplete"),
        (header(version=1), "version 1"),
        (header(version=77), "version 77"),
        (header(tensors=0), "holds no model"),
    ],
)
def test_a_file_that_is_no_model_says_why(
    tmp_path: Path, data: bytes, problem: str
) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(data)
    with pytest.raises(ModelUnreadableError, match=problem):
        check_header(path)


def test_a_good_header_passes_and_a_missing_file_does_not(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(header())
    check_header(path)
    with pytest.raises(ModelUnreadableError, match="cannot be read"):
        check_header(tmp_path / "none.gguf")


def test_models_are_found_in_folders_and_below(tmp_path: Path) -> None:
    """The user's own come first, the bundled ones last; other files are left alone."""
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "B_Model.gguf").write_bytes(header())
    (tmp_path / "a.GGUF").write_bytes(header())
    (tmp_path / "notes.txt").write_text("no")
    (tmp_path / "folder.gguf").mkdir()

    entries = scan([tmp_path, tmp_path / "missing"])

    assert [e.id for e in entries if not e.bundled] == ["a", "b-model"]
    assert [e.path.parent for e in entries if e.bundled] == [BUNDLED]


def test_one_bad_file_harms_nothing(tmp_path: Path) -> None:
    (tmp_path / "bad.gguf").write_bytes(b"nope")
    (tmp_path / "good.gguf").write_bytes(header())

    problems = {entry.id: entry.problem for entry in scan([tmp_path])}

    assert "not a GGUF file" in str(problems["bad"])
    assert problems["good"] is None


def test_files_of_the_same_name_get_different_ids(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "m.gguf").write_bytes(header())
    assert {"m", "m-2"} <= {entry.id for entry in scan([tmp_path])}


def test_a_name_is_found_in_any_spelling_and_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "My.Model-Q4_0.gguf").write_bytes(header())

    async def look() -> None:
        index = Index([tmp_path])
        for name in ("my-model-q4-0", "My.Model-Q4_0", "My.Model-Q4_0.gguf"):
            assert (await index.find(name)).id == "my-model-q4-0"
        with pytest.raises(ModelNotFoundError, match="my-model-q4-0"):
            await index.find("my-model")

    asyncio.run(look())
