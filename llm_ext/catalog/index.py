"""The catalog as it was a moment ago."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from llm_ext.core.model_name import model_id, near_matches
from llm_ext.errors import ModelNotFoundError

from .entry import ModelEntry
from .scan import scan

MAX_AGE = 1.0
"""Seconds for which one look at the folders is good."""


class Index:
    """Finds models by name. Looks at the disk in a thread, never on the loop."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = tuple(folders)
        self._entries: dict[str, ModelEntry] = {}
        self._scanned_at: float | None = None
        self._lock = asyncio.Lock()

    async def entries(self) -> list[ModelEntry]:
        """Return all models: the user's own by folder and name, then the bundled."""
        await self._refresh()
        return list(self._entries.values())

    async def find(self, name: str) -> ModelEntry:
        """Return the model that ``name``, in any spelling, stands for.

        Raises:
            ModelNotFoundError: There is none; names near matches.
        """
        await self._refresh()
        entry = self._entries.get(name) or self._entries.get(model_id(name))
        if entry is None:
            raise ModelNotFoundError(name, near=near_matches(name, self._entries))
        return entry

    async def _refresh(self) -> None:
        clock = asyncio.get_running_loop().time
        async with self._lock:  # those who come together share one look
            if self._scanned_at is not None and clock() - self._scanned_at < MAX_AGE:
                return
            entries = await asyncio.to_thread(scan, self._folders)
            self._entries = {entry.id: entry for entry in entries}
            self._scanned_at = clock()
