"""A model file that was found, and what the place where it lay says of it."""

from typing import NamedTuple

from llm_ext.core.settings import ModelSource


class Found(NamedTuple):
    """One file.

    Attributes:
        path: Where it is.
        source: Where it was found.
        name: What it is called there; "" where its file's name says it.
        aliases: Other names that it has there.
        projector: The file that lets it see, where the place names one.
        problem: Why it cannot be used, where the place tells.
    """

    path: str
    source: ModelSource
    name: str = ""
    aliases: tuple[str, ...] = ()
    projector: str | None = None
    problem: str | None = None
