"""Runs one download: starts its process, and takes what that reports."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from pathlib import Path
from typing import Protocol

from llm_ext.core.settings import Settings
from llm_ext.errors import (
    DownloadDiedError,
    DownloadElsewhereError,
    LLMError,
    rebuild,
)

from . import plan as plans
from .child import Launcher, Run
from .job import Job
from .messages import (
    Fetch,
    Fetched,
    FetchFailed,
    Patience,
    Proceed,
    Progress,
    Report,
    Resolved,
)

_SILENCE = 1.0
"""Seconds without a report after which what is shown of the rate goes down."""

_log = logging.getLogger(__name__)

ModelOf = Callable[[Path], Awaitable[str | None]]
"""Says which model of the catalog a file is that has just come into the model folder.

It is asked before anybody else is told.
"""


class Owner(Protocol):
    """Who owns the jobs."""

    def tell(self, job: Job) -> None:
        """Take notice that ``job`` is further on."""

    async def changed(self, job: Job) -> None:
        """Take notice of a new state of ``job``, and remember it."""

    def join(self, job: Job) -> bool:
        """Let ``job`` follow one that fetches the same files; whether there is one."""


class Runner:
    """Runs jobs. Whoever cancels :meth:`run` may be sure that its process has ended."""

    def __init__(
        self,
        settings: Settings,
        owner: Owner,
        *,
        launch: Launcher,
        model_of: ModelOf | None,
        patience: Patience,
    ) -> None:
        self._settings = settings
        self._owner = owner
        self._launch = launch
        self._model_of = model_of
        self._patience = patience

    async def run(self, job: Job) -> None:
        """Run ``job`` until it is done, or follows another one.

        Raises:
            LLMError: It failed; says why.
        """
        job.enter("resolving")
        job.content = None
        await self._owner.changed(job)
        try:
            run = Run(self._launch)
        except OSError as error:
            raise DownloadDiedError(error.errno or 0) from error
        try:
            run.send(
                Fetch(
                    reference=str(job.reference),
                    folder=str(self._folder(job)),
                    models=str(self._settings.model_folders[0]),
                    patience=self._patience,
                )
            )
            paths = await self._listen(job, run)
        finally:
            await run.end()
        if paths is not None:
            await self._finish(job, paths)

    async def discard(self, job: Job) -> None:
        """Delete what has arrived and is not in the model folder.

        Raises:
            DownloadElsewhereError: Another server fetches it.
        """
        await asyncio.to_thread(plans.discard, self._folder(job))

    def _folder(self, job: Job) -> Path:
        return self._settings.data_folder / "downloads" / job.id

    async def _listen(self, job: Job, run: Run) -> tuple[str, ...] | None:
        """Take what the process reports, up to the files; None if another has them."""
        async with aclosing(run.reports(silence=_SILENCE)) as reports:
            async for report in reports:
                match report:
                    case None:
                        job.stood()
                        self._owner.tell(job)
                    case Resolved():
                        job.resolved(report)
                        if self._owner.join(job):
                            return None
                        run.send(Proceed())
                        await self._owner.changed(job)
                    case Fetched():
                        return report.paths
                    case _:
                        await self._take(job, report)
        raise DownloadDiedError(run.status or 0)

    async def _take(self, job: Job, report: Report) -> None:
        if isinstance(report, FetchFailed):
            raise rebuild(report.code, report.message)
        if isinstance(report, Progress):
            is_new = report.stage != job.state
            job.progressed(report)
            if is_new:
                await self._owner.changed(job)
            else:
                self._owner.tell(job)

    async def _finish(self, job: Job, paths: tuple[str, ...]) -> None:
        model = None
        try:
            if self._model_of is not None:
                model = await self._model_of(Path(paths[0]))
        except (LLMError, OSError) as error:
            _log.warning("the catalog does not see %s yet: %s", paths[0], error)
        with suppress(DownloadElsewhereError):  # that one will find it done
            await self.discard(job)
        job.finished(model)
        await self._owner.changed(job)
