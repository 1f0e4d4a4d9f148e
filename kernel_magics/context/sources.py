"""Which parts of the notebook a question carries, by name."""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from . import cells, failures, variables
from .budget import Excerpt, fitting, tokens
from .failures import Failure

SOURCES = ("cells", "variables", "errors")


@dataclass(frozen=True, kw_only=True)
class Notebook:
    """What a notebook holds at one moment.

    Attributes:
        cells: The texts of the cells that ran, by number, the running one last.
        values: Its namespace.
        hidden: Names that came with the shell.
        failure: Its last error.
    """

    cells: Sequence[str]
    values: Mapping[str, Any]
    hidden: AbstractSet[str] = frozenset()
    failure: Failure | None = None


def gathered(notebook: Notebook, names: Iterable[str], limit: int) -> list[Excerpt]:
    """Return the named parts, of which together ``limit`` tokens are kept.

    Each part gets an even share, and what one leaves the next may use.
    """
    wanted = list(dict.fromkeys(names))
    taken: list[Excerpt] = []
    left = limit
    for position, name in enumerate(wanted):
        share = left // (len(wanted) - position)
        fits = fitting(_source(notebook, name, share), share)
        taken += fits
        left -= sum(tokens(str(excerpt)) for excerpt in fits)
    return taken


def _source(notebook: Notebook, name: str, limit: int) -> Iterator[Excerpt]:
    match name:
        case "cells":
            yield from cells.excerpts(notebook.cells, notebook.values)
        case "variables":
            yield from variables.excerpts(notebook.values, notebook.hidden)
        case "errors":
            yield from failures.excerpts(notebook.failure, limit)
