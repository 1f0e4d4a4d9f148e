"""Files that make one model: a single one, or the parts of a split one.

Parts are named ``name-00001-of-00003.gguf``, as llama.cpp's gguf-split does.
"""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from .found import Found
from .tree import MODEL_SUFFIX

_PART = re.compile(r"(.+)-(\d{5})-of-(\d{5})\.gguf", re.IGNORECASE)


class Part(NamedTuple):
    """What a file's name says: of ``total`` parts of ``stem``, the one ``number``."""

    stem: str
    number: int
    total: int


def part_of(name: str) -> Part | None:
    """Return which part the file ``name`` is; None if it is a model of its own."""
    match = _PART.fullmatch(name)
    if match is None or not 1 <= int(match[2]) <= int(match[3]):
        return None
    return Part(match[1], int(match[2]), int(match[3]))


class FileSet(NamedTuple):
    """One model's files.

    Attributes:
        found: The first one that is there.
        name: What the model is called.
        parts: Those that are there, in order.
        missing: The names of parts that are not.
    """

    found: Found
    name: str
    parts: tuple[str, ...]
    missing: tuple[str, ...] = ()

    @property
    def folder(self) -> str:
        """Where its files lie."""
        return _folder(self.found.path)


def file_sets(found: Iterable[Found]) -> list[FileSet]:
    """Return the sets that the files make, each where its first file stood."""
    sets: dict[tuple[str, ...], dict[int, Found]] = {}
    for file in found:
        part = None if file.name else part_of(_name(file.path))
        if part is None:
            sets.setdefault((file.path, file.source, file.name, ""), {})[0] = file
        else:
            key = _folder(file.path), part.stem, f"{part.total:05}"
            sets.setdefault(key, {}).setdefault(part.number, file)
    return [_file_set(key, parts) for key, parts in sets.items()]


def _file_set(key: tuple[str, ...], parts: Mapping[int, Found]) -> FileSet:
    if 0 in parts:
        file = parts[0]
        return FileSet(file, file.name or _stem(file.path), (file.path,))
    _, stem, count = key
    present = [parts[number] for number in sorted(parts)]
    missing = tuple(
        f"{stem}-{number:05}-of-{count}{MODEL_SUFFIX}"
        for number in range(1, int(count) + 1)
        if number not in parts
    )
    return FileSet(present[0], stem, tuple(part.path for part in present), missing)


def _stem(path: str) -> str:
    name = _name(path)
    return name[: -len(MODEL_SUFFIX)] if name.lower().endswith(MODEL_SUFFIX) else name


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _folder(path: str) -> str:
    return path.rpartition("/")[0]
