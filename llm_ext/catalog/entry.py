"""One model that can be loaded."""

from datetime import datetime
from pathlib import Path

import msgspec


class ModelEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A model file.

    Attributes:
        id: See :mod:`llm_ext.core.model_name`; unique in the catalog.
        name: The file's name without its ending.
        path: The file.
        size: Its bytes.
        modified: When it was last written.
        bundled: Whether it came with this package.
        problem: Why it cannot be loaded; None if it looks well.
    """

    id: str
    name: str
    path: Path
    size: int
    modified: datetime
    bundled: bool = False
    problem: str | None = None
