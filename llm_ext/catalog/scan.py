"""One look after another at where model files lie.

A look asks the disk what is there, reads what it has not read before, and makes an
entry of each model. Where nothing changed it costs one ``stat`` for each folder and
file.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path

import msgspec

from llm_ext.core.model_facts import ModelFacts
from llm_ext.core.settings import Settings
from llm_ext.store.database import Database

from .entry import ModelEntry
from .file_set import FileSet, file_sets
from .found import Found
from .ids import Ids
from .names import with_aliases
from .projector import Projector, choose, is_projector_name
from .reading import Reading, Readings
from .sources import folder, huggingface, lmstudio, ollama
from .tree import Stat, Tree

BUNDLED = Path(__file__).parents[1] / "demo"
"""The folder of the models that come with this package."""

_STORES = (
    ("huggingface", huggingface.find),
    ("ollama", ollama.find),
    ("lmstudio", lmstudio.find),
)

Stats = dict[str, Stat]


class StoppedError(Exception):
    """The look was given up before its end."""


class Scan:
    """Looks, and remembers. One thread uses it at a time; all of it blocks."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self._settings = settings
        self._tree = Tree()
        self._readings = Readings(database)
        self._ids = Ids()
        self._stopped = threading.Event()
        self._found: Sequence[Found] | None = None
        self._stats: Stats = {}
        self._growing: frozenset[str] = frozenset()
        self._entries: tuple[ModelEntry, ...] = ()

    def stop(self) -> None:
        """End a look that is under way in another thread, soon."""
        self._stopped.set()

    def look(self) -> tuple[ModelEntry, ...]:
        """Return the models that are there: the same object if nothing changed.

        They come in order: the user's own by folder and name, those of other
        programs, the bundled.

        Raises:
            StoppedError: By :meth:`stop`.
        """
        found = list(_find(self._tree, self._settings))
        stats = self._stat(found)
        first = self._found is None
        if found == self._found and stats == self._stats and not self._growing:
            return self._entries
        self._growing = _growing(self._stats, stats)
        self._entries = self._assemble(found, stats)
        # Only now: a look that was given up has to be made again.
        self._found, self._stats = found, stats
        self._readings.save()
        if first:
            self._readings.forget_missing(lambda path: Path(path).exists())
        return self._entries

    def _stat(self, found: Sequence[Found]) -> Stats:
        stats = {}
        for path in (path for file in found for path in (file.path, file.projector)):
            stat = None if path is None else self._tree.stat(path)
            if path is not None and stat is not None:
                stats[path] = stat
        return stats

    def _assemble(self, found: Sequence[Found], stats: Stats) -> tuple[ModelEntry, ...]:
        sets = _unique(file_sets(file for file in found if file.path in stats), stats)
        read = [(files, self._reading(files, stats)) for files in sets]
        projectors: dict[str, list[Projector]] = {}
        for files, reading in read:
            if reading.kind == "projector":
                path = files.found.path
                projectors.setdefault(files.folder, []).append(
                    Projector(path, stats[path], reading.width, reading.sees)
                )
        models = [(files, one) for files, one in read if one.kind == "model"]
        ids = self._ids.give((files.name, files.found.path) for files, _ in models)
        entries = []
        for files, reading in models:
            projector = self._projector(files, reading, projectors, stats)
            own_id = ids[files.name, files.found.path]
            entries.append(_entry(own_id, files, reading, stats, projector))
        return with_aliases(entries, self._settings.aliases)

    def _reading(self, files: FileSet, stats: Stats) -> Reading:
        if self._stopped.is_set():
            raise StoppedError
        if files.missing:
            return Reading(problem=_incomplete(files))
        if self._growing.intersection(files.parts):
            before = self._readings.last(files.parts[0])
            kind = "projector" if is_projector_name(files.found.path) else "model"
            size = sum(stats[part].size for part in files.parts)
            return Reading(
                kind=kind if before is None else before.kind,
                problem=f"It is still being written: {size:,} bytes so far. It can be "
                f"used once it does not grow any more.",
            )
        reading = self._readings.get(files.parts, [stats[path] for path in files.parts])
        if reading.problem is not None and is_projector_name(files.found.path):
            return msgspec.structs.replace(reading, kind="other")
        return reading

    def _projector(
        self,
        files: FileSet,
        reading: Reading,
        beside: Mapping[str, Sequence[Projector]],
        stats: Stats,
    ) -> Projector | None:
        if reading.facts is None:
            return None
        named = files.found.projector
        if named is None:
            here = beside.get(files.folder, ())
            return choose(reading.facts, files.name, here)
        if named not in stats:
            return None
        own = self._readings.get([named], [stats[named]])
        if own.kind != "projector":
            return None
        return Projector(named, stats[named], own.width, own.sees)


def _find(tree: Tree, settings: Settings) -> Iterator[Found]:
    for own in settings.model_folders:
        yield from folder.find(tree, str(own))
    for source, find in _STORES:
        if source in settings.model_sources:
            yield from find(tree)
    yield from folder.find(tree, str(BUNDLED), "bundled")


def _growing(before: Stats, now: Stats) -> frozenset[str]:
    """Return the files that somebody was writing to since the last look."""
    return frozenset(
        path
        for path, stat in now.items()
        if (old := before.get(path)) is not None
        and old.inode == stat.inode
        and (old.size, old.modified) != (stat.size, stat.modified)
    )


def _unique(sets: Sequence[FileSet], stats: Stats) -> list[FileSet]:
    """Return the sets without those that are there already under another name.

    Their aliases are kept, and all that a store knows of them. What a store says that
    cannot be used is not the same: its file can be another model's, which can.
    """
    unique: dict[tuple[tuple[int, int] | str, str | None], FileSet] = {}
    for files in sets:
        stat = stats[files.parts[0]]
        # Some file systems number no files.
        real = (stat.device, stat.inode) if stat.inode else _real(files.parts[0])
        key = real, files.found.problem
        known = unique.get(key)
        unique[key] = files if known is None else _merged(known, files)
    return list(unique.values())


def _merged(known: FileSet, other: FileSet) -> FileSet:
    if len(other.parts) > len(known.parts):
        known, other = other, known
    names = (*known.found.aliases, *other.found.aliases)
    found = known.found._replace(
        aliases=tuple(dict.fromkeys(names)),
        projector=known.found.projector or other.found.projector,
    )
    return known._replace(found=found)


def _real(path: str) -> str:
    return str(Path(path).resolve())


def _entry(
    own_id: str,
    files: FileSet,
    reading: Reading,
    stats: Stats,
    projector: Projector | None,
) -> ModelEntry:
    all_stats = [stats[part] for part in files.parts]
    facts = reading.facts
    if projector is not None:
        all_stats.append(projector.stat)
        if projector.sees and facts is not None:
            facts = _seeing(facts)
    modified = max(stat.modified for stat in all_stats)
    parts = tuple(Path(part).absolute() for part in files.parts)
    return ModelEntry(
        id=own_id,
        name=files.name,
        path=parts[0],
        parts=parts,
        projector=None if projector is None else Path(projector.path).absolute(),
        size=sum(stat.size for stat in all_stats),
        modified=datetime.fromtimestamp(modified / 1e9, timezone.utc),
        source=files.found.source,
        aliases=files.found.aliases,
        facts=facts,
        problem=files.found.problem or reading.problem,
    )


def _seeing(facts: ModelFacts) -> ModelFacts:
    return msgspec.structs.replace(facts, capabilities=(*facts.capabilities, "vision"))


def _incomplete(files: FileSet) -> str:
    count = len(files.missing)
    shown = ", ".join(files.missing[:3]) + (", ..." if count > 3 else "")  # noqa: PLR2004 - as many as are shown
    return (
        f"{count} of its {len(files.parts) + count} parts "
        f"{'is' if count == 1 else 'are'} missing: {shown}. Download the whole model "
        f"into one folder."
    )
