"""All downloads: what was asked for, what runs, and what comes of it."""

import asyncio
import itertools
import logging
import uuid
from contextlib import suppress
from datetime import datetime, timezone

from llm_ext.catalog.reference import parse
from llm_ext.core.changes import DownloadChanged, DownloadRemoved, Notify
from llm_ext.core.download_status import DownloadStatus
from llm_ext.core.settings import Settings
from llm_ext.errors import (
    DownloadElsewhereError,
    DownloadError,
    DownloadNotFoundError,
    DownloadStateError,
    InvalidRequestError,
    LLMError,
)
from llm_ext.store.database import Database

from .child import ChildProcess, Launcher
from .job import ACTIVE, ENDS, Job
from .messages import Patience
from .permission import check
from .record import Records
from .runner import ModelOf, Runner
from .watch import Watch

PARALLEL = 2
"""Downloads that run at once; more would only share the same line."""

_log = logging.getLogger(__name__)


class Downloads:
    """Owns the downloads and the processes that run them.

    All methods run on the event loop.
    """

    def __init__(
        self,
        settings: Settings,
        database: Database,
        notify: Notify,
        *,
        launch: Launcher = ChildProcess,
        model_of: ModelOf | None = None,
        patience: Patience | None = None,
    ) -> None:
        self._settings = settings
        self._records = Records(database)
        self._notify = notify
        self._runner = Runner(
            settings,
            self,
            launch=launch,
            model_of=model_of,
            patience=patience or Patience(),
        )
        self._jobs: dict[str, Job] = {}
        self._turns = itertools.count(1)
        self._stopping = False

    @property
    def running(self) -> int:
        """Downloads that are under way or wait for their turn."""
        return sum(job.state in ACTIVE for job in self._jobs.values())

    async def start(self) -> None:
        """Take up what was left: what was not paused goes on by itself."""
        for record in await self._records.load():
            try:
                job = Job.remembered(record)
            except InvalidRequestError as error:
                _log.warning("a download cannot be taken up: %s", error)
                continue
            job.turn = next(self._turns)
            self._jobs.setdefault(job.id, job)
        for job in self._jobs.values():
            if job.state in ACTIVE:
                try:
                    check(job.reference, self._settings)
                except LLMError as error:
                    job.enter("paused", error=error)
        self._fill()

    async def stop(self) -> None:
        """End the processes. What ran goes on with the next start."""
        self._stopping = True
        running = [job for job in self._jobs.values() if job.task is not None]
        await asyncio.gather(*(self._put_away(job) for job in running))
        for job in self._jobs.values():
            job.changed()
        self._records.close()

    async def add(self, reference_text: str, user: str = "") -> DownloadStatus:
        """Begin a download, or go on with the one that has the same reference.

        Raises:
            InvalidRequestError: ``reference_text`` is no reference.
            OfflineError: This server must not use the network.
            RepositoryNotAllowedError: The administrator does not allow the repository.
        """
        reference = parse(reference_text)
        check(reference, self._settings)
        job = next((j for j in self._jobs.values() if j.reference == reference), None)
        if job is None:
            now = datetime.now(timezone.utc)
            job = Job(uuid.uuid4().hex[:12], reference, created=now, user=user)
            self._jobs[job.id] = job
            job.turn = next(self._turns)
            _log.info("download of %s asked for by %s", reference, user or "the user")
            await self.changed(job)
            self._fill()
        else:
            async with job.busy:
                await self._begin(job)
        return job.status

    def list(self) -> tuple[DownloadStatus, ...]:
        """Return all, the oldest first."""
        return tuple(job.status for job in self._jobs.values())

    def get(self, download_id: str) -> DownloadStatus:
        """Return one; DownloadNotFoundError if there is none."""
        return self._job(download_id).status

    async def pause(self, download_id: str) -> DownloadStatus:
        """Stop for now, keeping what has arrived. Returns when the process has ended.

        Raises:
            DownloadNotFoundError: There is none.
            DownloadStateError: It has ended.
        """
        job = self._job(download_id)
        async with job.busy:
            if job.state in ENDS:
                raise _refusal(job, "Only one that has not ended can be paused.")
            await self._halt(job)
            if job.state in ACTIVE:
                job.enter("paused")
                await self.changed(job)
            self._fill()
        return job.status

    async def resume(self, download_id: str) -> DownloadStatus:
        """Go on with a paused download, or try a failed one again.

        Raises:
            DownloadNotFoundError: There is none.
            DownloadStateError: It is done or cancelled.
            OfflineError: This server must not use the network.
            RepositoryNotAllowedError: The administrator does not allow it any more.
        """
        job = self._job(download_id)
        async with job.busy:
            if job.state in {"done", "cancelled"}:
                raise _refusal(job, "Ask for it again to begin it anew.")
            check(job.reference, self._settings)
            await self._begin(job)
        return job.status

    async def cancel(self, download_id: str) -> DownloadStatus:
        """Stop for good, and delete what has arrived.

        Raises:
            DownloadNotFoundError: There is none.
            DownloadStateError: It is done.
            DownloadElsewhereError: Another server runs it.
        """
        job = self._job(download_id)
        async with job.busy:
            if job.state == "done":
                raise _refusal(
                    job, "Its files are in the model folder; delete them there."
                )
            await self._halt(job)
            try:
                if job.state not in {"done", "cancelled"}:
                    job.enter("cancelled")  # first, so that it does not get its turn
                    await self._runner.discard(job)
                    await self.changed(job)
            except DownloadElsewhereError as error:
                await self._fail(job, error)
                raise
            finally:
                self._fill()
        return job.status

    async def remove(self, download_id: str) -> None:
        """Forget a download that has ended, and delete what a failed one left.

        What another server goes on with stays.

        Raises:
            DownloadNotFoundError: There is none.
            DownloadStateError: It has not ended.
        """
        job = self._job(download_id)
        async with job.busy:
            if job.state not in ENDS:
                raise _refusal(job, "Cancel it first.")
            if self._jobs.pop(job.id, None) is None:
                return
            with suppress(DownloadElsewhereError):
                await self._runner.discard(job)
            await self._records.delete(job.id)
            job.changed()
            self._notify(DownloadRemoved(id=job.id))

    def watch(self, download_id: str) -> Watch:
        """Return what follows one; DownloadNotFoundError if there is none."""
        job = self._job(download_id)
        return Watch(job, lambda: self._stopping or job.id not in self._jobs)

    def tell(self, job: Job) -> None:
        """Tell everybody how far ``job``, and who follows it, are."""
        for changed in [job, *self._followers(job)]:
            changed.changed()
            self._notify(DownloadChanged(download=changed.status))

    async def changed(self, job: Job, *, remember: bool = True) -> None:
        """Tell everybody, and have it remembered."""
        self.tell(job)
        if remember:
            await self._records.save(job.record)

    def join(self, job: Job) -> bool:
        """Let ``job`` follow one that fetches the same files; whether there is one."""
        for other in self._jobs.values():
            if (
                other is not job
                and other.task is not None
                and other.leader is None
                and other.content == job.content
            ):
                job.follow(other)
                return True
        return False

    def _job(self, download_id: str) -> Job:
        if (job := self._jobs.get(download_id)) is None:
            raise DownloadNotFoundError(download_id)
        return job

    async def _begin(self, job: Job) -> None:
        """Let ``job`` go on, if it does not."""
        if job.state in ACTIVE:
            return
        job.enter("waiting")
        job.turn = next(self._turns)
        await self.changed(job)
        self._fill()

    async def _halt(self, job: Job) -> None:
        """End what runs ``job``, and return when it has ended.

        It may have come to an end of its own just before.
        """
        job.part()
        if (task := job.task) is not None:
            task.cancel()
            await asyncio.wait({task})
            job.task = None  # one that had not begun yet could not do so itself

    async def _put_away(self, job: Job) -> None:
        async with job.busy:
            await self._halt(job)
            await self._records.save(job.record)

    def _followers(self, job: Job) -> tuple[Job, ...]:
        return tuple(other for other in self._jobs.values() if other.leader is job)

    def _fill(self) -> None:
        """Start those whose turn it is."""
        if self._stopping:
            return
        jobs = self._jobs.values()
        free = PARALLEL - sum(job.task is not None for job in jobs)
        waiting = [
            job
            for job in jobs
            if job.state == "waiting" and job.task is None and job.leader is None
        ]
        for job in sorted(waiting, key=lambda job: job.turn)[: max(0, free)]:
            job.task = asyncio.create_task(self._run(job))

    async def _run(self, job: Job) -> None:
        """Run ``job``'s process to its end, and say what became of it."""
        try:
            await self._runner.run(job)
        except LLMError as error:
            await self._fail(job, error)
        except Exception as error:  # noqa: BLE001  # a task's end would go unnoticed
            _log.exception("download of %s", job.reference)
            await self._fail(job, DownloadError(f"The download failed: {error}."))
        finally:
            job.task = None
            await self._part_followers(job)
            self._fill()

    async def _fail(self, job: Job, error: LLMError) -> None:
        elsewhere = isinstance(error, DownloadElsewhereError)
        job.enter("paused" if elsewhere else "failed", error=error)
        _log.warning("download of %s: %s", job.reference, error)
        # What another server does is remembered by that server.
        await self.changed(job, remember=not elsewhere)

    async def _part_followers(self, job: Job) -> None:
        """Give ``job``'s end to those who waited for it, or let them do it."""
        if self._stopping:
            return
        for follower in self._followers(job):
            follower.part()
            await self.changed(follower)


def _refusal(job: Job, remedy: str) -> DownloadStateError:
    return DownloadStateError(str(job.reference), state=job.state, remedy=remedy)
