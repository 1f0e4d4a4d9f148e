"""Looks for model files in folders."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from pathlib import Path

from llm_ext.core.model_name import model_id
from llm_ext.errors import ModelUnreadableError

from .entry import ModelEntry
from .gguf import check_header

BUNDLED = Path(__file__).parents[1] / "demo"
"""The folder of the models that come with this package."""


def scan(folders: Iterable[Path]) -> list[ModelEntry]:
    """Return the models in ``folders`` and below them, then the bundled ones.

    Blocks on the disk: not for the event loop. A folder that does not exist is empty.
    Where two files have the same id, the later one gets "-2" and so on.
    """
    found: dict[str, ModelEntry] = {}
    for folder in [*folders, BUNDLED]:
        for path in _model_files(folder):
            entry = _entry(path, taken=found, bundled=folder == BUNDLED)
            if entry is not None:
                found[entry.id] = entry
    return list(found.values())


def _model_files(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        return
    yield from sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() == ".gguf" and path.is_file()
    )


def _entry(
    path: Path, *, taken: dict[str, ModelEntry], bundled: bool
) -> ModelEntry | None:
    try:
        facts = path.stat()
    except FileNotFoundError:
        return None  # removed since the folder was listed
    return ModelEntry(
        id=_free_id(model_id(path.name) or "model", taken),
        name=path.stem,
        path=path.absolute(),
        size=facts.st_size,
        modified=datetime.fromtimestamp(facts.st_mtime, timezone.utc),
        bundled=bundled,
        problem=_problem(path),
    )


def _free_id(wanted: str, taken: dict[str, ModelEntry]) -> str:
    number, free = 1, wanted
    while free in taken:
        number += 1
        free = f"{wanted}-{number}"
    return free


def _problem(path: Path) -> str | None:
    try:
        check_header(path)
    except ModelUnreadableError as error:
        return str(error)
    return None
