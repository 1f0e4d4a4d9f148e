"""Which of the projectors beside a model is its own."""

import re
from collections.abc import Iterable
from pathlib import PurePath
from typing import NamedTuple

from llm_ext.core.model_facts import ModelFacts

from .tree import Stat

NAME = "mmproj"
"""What is in the name of every projector's file, by convention."""

_WORDS = re.compile(r"[a-z]+|\d+")
_USUAL = "f16"


class Projector(NamedTuple):
    """A file that turns images or sounds into what a model reads.

    Attributes:
        path: Where it is.
        stat: What the file is now.
        width: Of the vectors that it makes; 0 if it does not say.
        sees: Whether it is for images.
    """

    path: str
    stat: Stat
    width: int
    sees: bool


def is_projector_name(path: str) -> bool:
    """Whether a file that cannot be read yet will be a projector."""
    return NAME in PurePath(path).name.lower()


def choose(
    facts: ModelFacts, name: str, beside: Iterable[Projector]
) -> Projector | None:
    """Return the one for a model, of those beside it.

    It has to make vectors of the model's width. Of several, the one whose name has
    most words of the model's is taken, then one in 16 bits, then the first.
    """
    if not {"completion", "chat"} & set(facts.capabilities):
        return None
    fitting = [one for one in beside if one.width in (0, facts.embedding_width)]
    words = _words(name)

    def order(one: Projector) -> tuple[int, bool, str]:
        own = _words(PurePath(one.path).stem)
        return -len(words & own), _USUAL not in _parts(one.path), one.path

    return min(fitting, key=order, default=None)


def _words(name: str) -> set[str]:
    return set(_WORDS.findall(name.lower()))


def _parts(path: str) -> list[str]:
    return re.split(r"[^a-z0-9]+", PurePath(path).stem.lower())
