"""What models answer to.

1. An id, exactly.
2. A configured alias, which stands for what it says by the other rules.
3. Any spelling of a file's name or of a name that another program gave it, such as
   Ollama's ``llama3.2:1b``.
4. A reference to the hub whose file is here already.

A spelling that several models share is refused: none is chosen by guessing.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import PurePath

import msgspec

from llm_ext.core.model_name import model_id, near_matches
from llm_ext.errors import (
    AmbiguousModelError,
    InvalidRequestError,
    ModelNotFoundError,
    RequestError,
)

from .entry import ModelEntry
from .ids import long_id
from .reference import SCHEME, Reference, is_reference, parse
from .well_known import WELL_KNOWN


class Names:
    """Finds models by name, in one state of the catalog."""

    def __init__(
        self, entries: Sequence[ModelEntry], aliases: Mapping[str, str]
    ) -> None:
        self._by_id = {entry.id: entry for entry in entries}
        self._spelled: dict[str, dict[str, ModelEntry]] = {}
        self._files: list[tuple[Reference, ModelEntry]] = []
        for entry in entries:
            for name in _names(entry):
                self._spelled.setdefault(name, {})[entry.id] = entry
            self._files += [(file, entry) for file in _references(entry)]
        self._aliases = {
            model_id(alias): target
            for alias, target in aliases.items()
            if alias not in self._by_id
        }

    def find(self, name: str) -> ModelEntry:
        """Return the model that ``name`` stands for.

        Raises:
            ModelNotFoundError: There is none; names near matches.
            AmbiguousModelError: There are several.
            InvalidRequestError: It is a reference that cannot be.
        """
        if entry := self._by_id.get(name):
            return entry
        target = self._aliases.get(model_id(name))
        try:
            found = self._candidates(name if target is None else target)
        except ModelNotFoundError as error:
            known = [*self._by_id, *self._aliases]
            raise ModelNotFoundError(name, near=near_matches(name, known)) from error
        if len(found) > 1:
            raise AmbiguousModelError(name, ids=sorted(found))
        return next(iter(found.values()))

    def _candidates(self, name: str) -> Mapping[str, ModelEntry]:
        if entry := self._by_id.get(name):
            return {entry.id: entry}
        if not is_reference(name) and (found := self._spelled.get(model_id(name))):
            return found
        if is_reference(name) or name.strip().lower() in WELL_KNOWN:
            wanted = parse(name)
            here = _matching(wanted, self._files)
            if here:
                return {entry.id: entry for entry in here}
        raise ModelNotFoundError(name)


def with_aliases(
    entries: Iterable[ModelEntry], aliases: Mapping[str, str]
) -> tuple[ModelEntry, ...]:
    """Return the entries, with the configured aliases among what they answer to."""
    entries = tuple(entries)
    if not aliases:
        return entries
    names = Names(entries, {})
    added: dict[str, list[str]] = {}
    for alias, target in aliases.items():
        with suppress(RequestError):  # said to whoever asks for it
            added.setdefault(names.find(target).id, []).append(alias)
    return tuple(
        msgspec.structs.replace(entry, aliases=(*entry.aliases, *added[entry.id]))
        if entry.id in added
        else entry
        for entry in entries
    )


def _names(entry: ModelEntry) -> set[str]:
    spelled = [
        entry.id,
        entry.name,
        long_id(entry.name, str(entry.path)),
        *(alias for alias in entry.aliases if not alias.startswith(SCHEME)),
    ]
    if not entry.name.count(":"):  # not of Ollama, whose files are named by digests
        spelled.append(entry.path.name)
    return {model_id(name) for name in spelled} - {""}


def _references(entry: ModelEntry) -> list[Reference]:
    found = []
    for alias in entry.aliases:
        if alias.startswith(SCHEME):
            # It can be another program's name that the hub would not allow.
            with suppress(InvalidRequestError):
                found.append(parse(alias))
    return found


def _matching(
    wanted: Reference, files: Iterable[tuple[Reference, ModelEntry]]
) -> list[ModelEntry]:
    return [
        entry
        for file, entry in files
        if file.repo.lower() == wanted.repo.lower()
        and file.revision == wanted.revision
        and _is_choice(wanted, file, entry)
    ]


def _is_choice(wanted: Reference, file: Reference, entry: ModelEntry) -> bool:
    if wanted.file is not None:
        own = file.file or ""
        return wanted.file in (own, PurePath(own).name)
    if wanted.quant is None:
        return True
    if file.quant is not None:
        return file.quant == wanted.quant
    if _names_quant(PurePath(file.file or "").stem, wanted.quant):
        return True
    return entry.facts is not None and entry.facts.quantization == wanted.quant


def _names_quant(stem: str, quant: str) -> bool:
    pattern = rf"(?:^|[-._/]){re.escape(quant)}(?:$|[-.])"
    return re.search(pattern, stem, re.IGNORECASE) is not None
