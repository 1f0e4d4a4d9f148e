"""Deletes a model's files."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from llm_ext.errors import StoreError

from .entry import ModelEntry


def delete(
    entry: ModelEntry, others: Iterable[ModelEntry], folders: Sequence[Path]
) -> None:
    """Delete what ``entry`` is made of, but nothing that ``others`` use. Blocks.

    What becomes empty of the folders below the model ``folders`` goes too. A link is
    deleted, not what it leads to.

    Raises:
        StoreError: A file cannot be deleted; those before it are gone.
    """
    used = {path for other in others for path in _files(other)}
    for path in _files(entry):
        if path in used:
            continue
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise StoreError(path, error.strerror or str(error)) from error
    for folder in entry.path.parents:
        if not any(own in folder.parents for own in folders):
            return
        with suppress(OSError):  # there is something else in it
            folder.rmdir()


def _files(entry: ModelEntry) -> list[Path]:
    return [path for path in (entry.path, *entry.parts, entry.projector) if path]
