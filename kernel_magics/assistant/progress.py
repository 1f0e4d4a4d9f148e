"""A bar below the cell, for what takes long; nothing in a plain program."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from .shell import shell


class Bar(Protocol):
    """Takes how far something is."""

    def progress(self, text: str, fraction: float | None) -> None:
        """Show ``text``, and ``fraction`` (0 to 1) where it is known."""


class _NoBar:
    def progress(self, text: str, fraction: float | None) -> None:
        del text, fraction


@contextmanager
def bar() -> Iterator[Bar]:
    """Return a bar that goes away in the end."""
    found = shell()
    if found is None:
        yield _NoBar()
        return
    from kernel_magics.render.bundles import markdown_bundle  # noqa: PLC0415  # IPython
    from kernel_magics.render.output import output  # noqa: PLC0415  # is there now

    shown = output(found)
    try:
        yield shown
    finally:
        shown.finish(markdown_bundle(""))
