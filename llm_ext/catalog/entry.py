"""One model that can be loaded."""

from datetime import datetime
from pathlib import Path

import msgspec

from llm_ext.core.model_facts import ModelFacts
from llm_ext.core.settings import ModelSource


class ModelEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A model file, or the files of a split one.

    Attributes:
        id: See :mod:`llm_ext.core.model_name`; unique in the catalog.
        name: The file's name without its ending.
        path: The file; the first one of a split set.
        parts: All files, in order.
        projector: The file that turns images into what the model reads, if any.
        size: Bytes of all files, the projector's included.
        modified: When the youngest of them was written.
        source: Where it was found.
        aliases: Other names that it answers to.
        facts: What its metadata says; None if it could not be read.
        problem: Why it cannot be loaded; None if it looks well.
    """

    id: str
    name: str
    path: Path
    parts: tuple[Path, ...] = ()
    projector: Path | None = None
    size: int
    modified: datetime
    source: ModelSource = "folder"
    aliases: tuple[str, ...] = ()
    facts: ModelFacts | None = None
    problem: str | None = None
