"""A machine on which downloads run."""

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from llm_ext.core.changes import Change, DownloadChanged
from llm_ext.core.download_status import DownloadState, DownloadStatus
from llm_ext.core.settings import Settings
from llm_ext.downloads.child import ChildProcess
from llm_ext.downloads.jobs import Downloads
from llm_ext.downloads.messages import Patience
from llm_ext.store.database import Database

PATIENCE = Patience(
    stall=1.0, attempts=3, first_attempts=2, pause=0.02, longest_pause=0.5
)
"""Short, so that giving up takes no time."""

LONG = Patience(stall=60.0)
"""So that nothing but the test ends a connection that is held."""

REPO = "org/Tiny-GGUF"
MODEL = "Tiny-Q4_K_M.gguf"
REFERENCE = f"hf:{REPO}:Q4_K_M"
SIZE = 3_000_000
HALF = 1_500_000
PLACED = f"{REPO}/{MODEL}"


def content(seed: int, size: int = SIZE) -> bytes:
    """Return bytes that are no other's beginning."""
    return random.Random(seed).randbytes(size)  # noqa: S311  # no secret


@dataclass
class Place:
    """A machine's folders, and what was said and started there."""

    folder: Path
    changes: list[Change] = field(default_factory=list)
    started: list[ChildProcess] = field(default_factory=list)

    @property
    def models(self) -> Path:
        """The model folder."""
        return self.folder / "models"

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    @property
    def partial(self) -> dict[str, int]:
        """Sizes of the partial files."""
        return {p.name: p.stat().st_size for p in self.data.rglob("*.part")}

    @property
    def complete(self) -> set[str]:
        """Files in the model folder."""
        found = (path for path in self.models.rglob("*") if path.is_file())
        return {str(path.relative_to(self.models)) for path in found}

    @property
    def statuses(self) -> list[DownloadStatus]:
        """What was told of downloads."""
        return [c.download for c in self.changes if isinstance(c, DownloadChanged)]

    @property
    def processes(self) -> list[psutil.Process]:
        """Those that were started and still run."""
        return [
            psutil.Process(child.pid)
            for child in self.started
            if psutil.pid_exists(child.pid)
        ]

    def launch(self, **options: Any) -> ChildProcess:  # noqa: ANN401  # Launcher's
        """Start a process, as the server does."""
        child = ChildProcess(**options)
        self.started.append(child)
        return child

    @asynccontextmanager
    async def downloads(
        self,
        *,
        launch: Callable[..., ChildProcess] | None = None,
        patience: Patience = PATIENCE,
        **options: Any,  # noqa: ANN401  # of Settings
    ) -> AsyncIterator[Downloads]:
        """Run downloads, and stop them in the end."""
        settings = Settings(
            model_folders=(self.models,), data_folder=self.data, **options
        )
        database = Database(self.data / "llm_ext.sqlite3")
        downloads = Downloads(
            settings,
            database,
            self.changes.append,
            launch=launch or self.launch,
            patience=patience,
        )
        await downloads.start()
        try:
            yield downloads
        finally:
            await downloads.stop()
            database.close()


async def until(
    downloads: Downloads,
    download_id: str,
    *states: DownloadState,
    done: int = 0,
) -> DownloadStatus:
    """Return the status once it has one of ``states`` and ``done`` bytes, or ended."""
    async for status in downloads.watch(download_id):
        if status.state in states and status.done >= done:
            return status
    status = downloads.get(download_id)
    assert status.state in states, status
    return status
