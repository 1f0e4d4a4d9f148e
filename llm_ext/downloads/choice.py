"""Which of a repository's files a reference means. Pure."""

import re
from collections.abc import Iterable, Sequence

import msgspec

from llm_ext.catalog.file_set import part_of
from llm_ext.catalog.reference import Reference
from llm_ext.errors import HubFileAmbiguousError, HubFileNotFoundError

from .hub_file import HubFile, is_plain

PREFERRED = ("Q4_K_M", "Q4_0", "Q5_K_M", "Q8_0")
"""Quantisations to take where none is named: the first that there is."""

_SUFFIX = ".gguf"
_NO_MODEL = re.compile(r"mmproj|imatrix", re.IGNORECASE)
"""What is in the names of files that belong to a model, but are none."""

_MANY = 12
"""Names of choices that an error lists."""


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be fetched.

    Attributes:
        model: The file, or all parts of the set in order.
        projector: What turns images or sound into the model's elements, where there
            is one.
    """

    model: tuple[HubFile, ...]
    projector: HubFile | None = None


def choose(files: Iterable[HubFile], reference: Reference) -> Choice:
    """Return the files that ``reference`` means.

    1. A file that is named is taken, with the other parts of its set.
    2. A quantisation that is named is taken.
    3. Otherwise the first of :data:`PREFERRED` that there is.
    4. Otherwise the only model.

    Raises:
        HubFileNotFoundError: There is none; lists what there is.
        HubFileAmbiguousError: There are several; lists them.
    """
    usable = sorted(
        (f for f in files if f.path.lower().endswith(_SUFFIX) and is_plain(f.path)),
        key=lambda file: file.path,
    )
    models = _sets(file for file in usable if not _NO_MODEL.search(file.name))
    if reference.file is not None:
        model = _named(usable, reference, reference.file)
    elif reference.quant is not None:
        model = _quantized(models, reference, reference.quant)
    else:
        model = _preferred(models, reference)
    projector = None if model[0].name.startswith("mmproj") else _projector(usable)
    return Choice(model=model, projector=projector)


def _named(
    files: Sequence[HubFile], reference: Reference, path: str
) -> tuple[HubFile, ...]:
    sets = _sets(files)
    found = [parts for parts in sets if any(file.path == path for file in parts)]
    if not found:
        raise HubFileNotFoundError(
            reference.repo, f"file {path!r}", choices=_names(sets)
        )
    return _whole(found[0], reference)


def _quantized(
    models: Sequence[tuple[HubFile, ...]], reference: Reference, quant: str
) -> tuple[HubFile, ...]:
    found = _of_quant(models, quant)
    if not found:
        raise HubFileNotFoundError(
            reference.repo, f"model in {quant}", choices=_names(models)
        )
    return _only(found, reference, f"its {quant}")


def _preferred(
    models: Sequence[tuple[HubFile, ...]], reference: Reference
) -> tuple[HubFile, ...]:
    if not models:
        raise HubFileNotFoundError(reference.repo, "model", choices=())
    for quant in PREFERRED:
        if found := _of_quant(models, quant):
            return _only(found, reference, f"its {quant}")
    return _only(models, reference, "the model")


def _only(
    found: Sequence[tuple[HubFile, ...]], reference: Reference, what: str
) -> tuple[HubFile, ...]:
    if len(found) > 1:
        raise HubFileAmbiguousError(reference.repo, what, choices=_names(found))
    return _whole(found[0], reference)


def _of_quant(
    models: Sequence[tuple[HubFile, ...]], quant: str
) -> list[tuple[HubFile, ...]]:
    """Return the models whose file's name has ``quant`` in it, as a word.

    Those whose name ends with it come before variants that say more after it.
    """
    word = _word(quant)
    named = [model for model in models if word.search(_stem(model))]
    plain = [m for m in named if _stem(m).lower().endswith(quant.lower())]
    return plain or named


def _projector(files: Iterable[HubFile]) -> HubFile | None:
    """Return the projector; of several the one in f16, which every backend computes."""
    projectors = [file for file in files if file.name.lower().startswith("mmproj")]
    for file in projectors:
        if _word("f16").search(file.name):
            return file
    return projectors[0] if projectors else None


def _word(quant: str) -> re.Pattern[str]:
    """Return what finds ``quant``, but neither Q4_0 in IQ4_0 nor Q4_K in Q4_K_M."""
    word = rf"(?<![A-Za-z0-9]){re.escape(quant)}(?![A-Za-z0-9_])"
    return re.compile(word, re.IGNORECASE)


def _sets(files: Iterable[HubFile]) -> list[tuple[HubFile, ...]]:
    """Return ``files`` with the parts of each split set together."""
    sets: dict[tuple[str, int], list[HubFile]] = {}
    for file in files:
        part = part_of(file.path)
        key = (part.stem, part.total) if part else (file.path, 0)
        sets.setdefault(key, []).append(file)
    return [tuple(parts) for parts in sets.values()]


def _whole(parts: tuple[HubFile, ...], reference: Reference) -> tuple[HubFile, ...]:
    part = part_of(parts[0].path)
    if part is not None and len(parts) != part.total:
        missing = f"complete {part.stem!r}, only {len(parts)} of its "
        raise HubFileNotFoundError(
            reference.repo,
            f"{missing}{part.total} parts",
            choices=[file.path for file in parts],
        )
    return parts


def _stem(parts: tuple[HubFile, ...]) -> str:
    part = part_of(parts[0].name)
    return part.stem if part else parts[0].name[: -len(_SUFFIX)]


def _names(sets: Sequence[tuple[HubFile, ...]]) -> list[str]:
    names = [parts[0].path for parts in sets]
    more = len(names) - _MANY
    return names if more <= 0 else [*names[:_MANY], f"and {more} more"]
