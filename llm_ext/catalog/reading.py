"""What a file turned out to be, remembered for as long as it does not change."""

import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from llm_ext.core.model_facts import ModelFacts
from llm_ext.errors import ModelUnreadableError, StoreError
from llm_ext.store.database import Database

from .facts import model_facts
from .gguf import Header, read
from .metadata import Metadata
from .tree import Stat

FORMAT = 2
"""Grows when a reading of the same file would come out otherwise."""

_PROJECTOR_TYPES = ("mmproj",)
_PROJECTOR_ARCHITECTURE = "clip"
_MODEL_TYPES = ("", "model")

_log = logging.getLogger(__name__)


class Reading(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is remembered of a model's files.

    Attributes:
        kind: A model; a projector of images or sounds; or something else, such as an
            adapter.
        facts: What a model's files say; None if they could not be read.
        problem: Why not.
        width: Of the vectors that a projector makes; 0 if it does not say.
        sees: Whether a projector is for images.
        lasting: Whether the files have to change before it comes out otherwise.
    """

    kind: str = "model"
    facts: ModelFacts | None = None
    problem: str | None = None
    width: int = 0
    sees: bool = False
    lasting: bool = True


class _Row(msgspec.Struct, frozen=True):
    """What the database keeps of a reading."""

    format: int
    reading: Reading


class _Known(msgspec.Struct, frozen=True):
    """A reading, and of which files it is."""

    size: int
    modified: int
    reading: Reading


_SELECT = "SELECT path, size, modified, facts FROM model_facts"
_INSERT = "INSERT OR REPLACE INTO model_facts VALUES (?, ?, ?, ?, ?)"
_DELETE = "DELETE FROM model_facts WHERE path = ?"


class Readings:
    """Reads files at most once. The database only saves time: it may fail."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, _Known] | None = None
        self._new: dict[str, _Known] = {}

    def get(self, paths: Sequence[str], stats: Sequence[Stat]) -> Reading:
        """Return the reading of a model's files, which are as ``stats`` says."""
        known = self._load().get(paths[0])
        size = sum(stat.size for stat in stats)
        modified = max(stat.modified for stat in stats)
        if known is not None and (known.size, known.modified) == (size, modified):
            return known.reading
        reading = _read([Path(path) for path in paths])
        if reading.lasting:
            entry = _Known(size, modified, reading)
            self._load()[paths[0]] = self._new[paths[0]] = entry
        return reading

    def last(self, path: str) -> Reading | None:
        """Return what was last read of a file that has changed since."""
        known = self._load().get(path)
        return None if known is None else known.reading

    def save(self) -> None:
        """Write what is new, all at once."""
        if not self._new:
            return
        new, self._new = self._new, {}
        try:
            with self._database.transaction() as connection:
                connection.executemany(_INSERT, [_row(*item) for item in new.items()])
        except StoreError as error:
            _log.warning("Model files will be read again at the next start: %s", error)

    def forget_missing(self, exists: Callable[[str], bool]) -> None:
        """Drop what is known of files that are not there any more."""
        known = self._load()
        gone = [path for path in known if not exists(path)]
        for path in gone:
            del known[path]
        if not gone:
            return
        try:
            with self._database.transaction() as connection:
                connection.executemany(_DELETE, [(path,) for path in gone])
        except StoreError as error:
            _log.debug("Could not forget %d model files: %s", len(gone), error)

    def _load(self) -> dict[str, _Known]:
        if self._known is None:
            self._known = {}
            try:
                with self._database.transaction() as connection:
                    rows = connection.execute(_SELECT).fetchall()
            except StoreError as error:
                _log.warning("Every model file has to be read: %s", error)
                rows = []
            for path, size, modified, blob in rows:
                reading = _decoded(blob)
                if reading is not None:
                    self._known[path] = _Known(size, modified, reading)
        return self._known


def _row(path: str, known: _Known) -> tuple[str, int, int, bytes, str | None]:
    blob = msgspec.msgpack.encode(_Row(FORMAT, known.reading))
    return path, known.size, known.modified, blob, known.reading.problem


def _decoded(blob: bytes | None) -> Reading | None:
    """Return what another run remembered, unless it was of another release."""
    try:
        row = msgspec.msgpack.decode(blob or b"", type=_Row)
    except msgspec.DecodeError:
        return None
    return row.reading if row.format == FORMAT else None


def _read(paths: Sequence[Path]) -> Reading:
    began = time.perf_counter()
    try:
        reading = _of_headers([read(path) for path in paths])
    except ModelUnreadableError as error:
        # What hangs on permissions or a network may go well the next time.
        lasting = not isinstance(error.__cause__, OSError)
        reading = Reading(problem=str(error), lasting=lasting)
    _log.debug("Read %s in %.3f s", paths[0], time.perf_counter() - began)
    return reading


def _of_headers(headers: Sequence[Header]) -> Reading:
    metadata = Metadata(headers[0].metadata)
    kind = metadata.text("general.type")
    if kind in _PROJECTOR_TYPES or metadata.architecture == _PROJECTOR_ARCHITECTURE:
        return Reading(
            kind="projector",
            width=metadata.number("clip.vision.projection_dim"),
            sees=metadata.truth("clip.has_vision_encoder", default=True),
        )
    if kind not in _MODEL_TYPES:
        return Reading(kind="other")
    return Reading(facts=model_facts(headers))
