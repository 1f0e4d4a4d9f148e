"""The catalog as it was a moment ago."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from llm_ext.core.settings import Settings
from llm_ext.store.database import Database

from .entry import ModelEntry
from .names import Names
from .removal import delete
from .scan import Scan, StoppedError

MAX_AGE = 0.8
"""Seconds for which one look is good, and between two of the watch."""

PATIENCE = 20.0
"""How many times as long as a look that found nothing new took there is none after it:
where folders are many or far away, they are looked at less often."""

RECOVERY = 10.0
"""Seconds between two looks of the watch after one that failed."""

_log = logging.getLogger(__name__)


class Index:
    """Finds models by name. Looks at the disk in a thread, never on the loop."""

    def __init__(
        self, settings: Settings, database: Database, on_change: Callable[[], None]
    ) -> None:
        """Look for models where ``settings`` says.

        ``on_change`` is called on the event loop after each look that found anything
        new, changed or gone.
        """
        self._settings = settings
        self._scan = Scan(settings, database)
        self._on_change = on_change
        self._entries: tuple[ModelEntry, ...] = ()
        self._names = Names((), settings.aliases)
        self._good_until: float | None = None
        self._pause = MAX_AGE
        self._lock = asyncio.Lock()
        self._stopping = asyncio.Event()
        self._watching: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to watch, so that changes are found without a request."""
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())

    async def stop(self) -> None:
        """End the watch, and return when nothing uses the disk any more."""
        self._stopping.set()
        self._scan.stop()
        if self._watching is not None:
            await self._watching
            self._watching = None
        async with self._lock:
            pass

    async def entries(self) -> list[ModelEntry]:
        """Return all models: the user's own, other programs', then the bundled."""
        await self._refresh()
        return list(self._entries)

    async def find(self, name: str) -> ModelEntry:
        """Return the model that ``name`` stands for; see :mod:`.names`.

        Raises:
            ModelNotFoundError: There is none; names near matches.
            AmbiguousModelError: There are several.
            InvalidRequestError: It is a reference that cannot be.
        """
        await self._refresh()
        return self._names.find(name)

    async def look(self) -> None:
        """Look at the disk now, such as after a download."""
        async with self._lock:
            await self._look()

    async def delete(self, entry: ModelEntry) -> None:
        """Delete a model's files, which have to be in one of the user's own folders.

        Raises:
            StoreError: A file cannot be deleted.
        """
        others = [other for other in await self.entries() if other.id != entry.id]
        folders = self._settings.model_folders
        try:
            await asyncio.to_thread(delete, entry, others, folders)
        finally:
            await self.look()

    async def _refresh(self) -> None:
        if self._is_fresh():
            return
        async with self._lock:
            if not self._is_fresh():  # those who come together share one look
                await self._look()

    def _is_fresh(self) -> bool:
        now = asyncio.get_running_loop().time()
        return self._good_until is not None and now < self._good_until

    async def _look(self) -> None:
        if self._stopping.is_set():
            return
        clock = asyncio.get_running_loop().time
        began = clock()
        try:
            entries = await asyncio.to_thread(self._scan.look)
        except StoppedError:
            return
        if entries is self._entries:
            self._pause = max(MAX_AGE, (clock() - began) * PATIENCE)
        else:
            self._pause = MAX_AGE
            changed = entries != self._entries
            self._entries = entries
            self._names = Names(entries, self._settings.aliases)
            if changed:
                self._on_change()
        self._good_until = clock() + self._pause

    async def _watch(self) -> None:
        while not self._stopping.is_set():
            try:
                await self.look()
            except Exception:  # noqa: BLE001 - the watch has to outlive all surprises
                _log.exception("Could not look for model files")
                self._pause = RECOVERY
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), self._pause)
