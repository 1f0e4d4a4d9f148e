"""Gives every model an id that stays.

1. A model's id comes from its name: see :mod:`llm_ext.core.model_name`.
2. Where several have the same, it is of the one that has it already, or else of
   the first: own folders in their order, then other programs', then the bundled, each
   by path. The others' ends with six digits that their file's path alone decides.
3. Every model also answers to that longer form, so that it can be found by the same id
   whatever else comes and goes.
"""

import hashlib
import re
from collections.abc import Iterable

from llm_ext.core.model_name import model_id

_DIGITS = 6
_NAMELESS = "model"
_WORKER = re.compile(r"w\d+")


def long_id(name: str, path: str) -> str:
    """Return the form that no other model of this name has."""
    digest = hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest()
    return f"{_plain(name)}-{digest[:_DIGITS]}"


class Ids:
    """Remembers which model has which id, for as long as it is there."""

    def __init__(self) -> None:
        self._given: dict[tuple[str, str], str] = {}

    def give(self, models: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
        """Return the id of each of ``models``, which are names and paths."""
        wanted = dict.fromkeys(models)
        kept = {model: known for model, known in self._given.items() if model in wanted}
        taken = set(kept.values())
        for model in wanted:
            if model not in kept:
                kept[model] = _free(*model, taken)
                taken.add(kept[model])
        self._given = kept
        return kept


def _free(name: str, path: str, taken: set[str]) -> str:
    plain, long = _plain(name), long_id(name, path)
    if plain not in taken:
        return plain
    number, free = 1, long
    while free in taken:  # by chance, or because a file is called so
        number += 1
        free = f"{long}-{number}"
    return free


def _plain(name: str) -> str:
    plain = model_id(name) or _NAMELESS
    # Workers are called so: a model of that name could not be asked for.
    return f"{_NAMELESS}-{plain}" if _WORKER.fullmatch(plain) else plain
