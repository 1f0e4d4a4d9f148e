"""One download: what is known of it, and what that becomes.

::

    waiting ──► resolving ──► downloading ──► verifying ──► done
       ▲            │              │              │
       └─ paused ◄──┴──────────────┴──────────────┘   (or failed, or cancelled)

Only :mod:`.jobs` changes a job.
"""

import asyncio
import time
from datetime import datetime
from typing import Final

import msgspec

from llm_ext.catalog.reference import Reference, parse
from llm_ext.core.download_status import DownloadState, DownloadStatus
from llm_ext.core.model_status import Problem
from llm_ext.errors import LLMError

from .hub_file import HubFile
from .messages import Progress, Resolved
from .rate import Rate
from .record import Record

ENDS: Final[frozenset[DownloadState]] = frozenset({"done", "failed", "cancelled"})
"""States that a download does not leave by itself."""

ACTIVE: Final[frozenset[DownloadState]] = frozenset(
    {"waiting", "resolving", "downloading", "verifying"}
)
"""States that lead on by themselves."""


class Job:
    """A download and, while it has the same files as another one, that one.

    Attributes:
        reference: What was asked for.
        state: Where it is on the picture above.
        content: Its files' repository and hashes, once resolved.
        leader: The one that fetches the same files, and is shown in its place.
        task: What runs it.
        turn: Its place among those that wait: the lowest is next.
    """

    def __init__(
        self, job_id: str, reference: Reference, *, created: datetime, user: str
    ) -> None:
        self.id = job_id
        self.reference = reference
        self.created = created
        self.user = user
        self.state: DownloadState = "waiting"
        self.content: tuple[str, frozenset[str]] | None = None
        self.leader: Job | None = None
        self.task: asyncio.Task[None] | None = None
        self.turn = 0
        self.busy = asyncio.Lock()
        self._files: tuple[str, ...] = ()
        self._done = 0
        self._total: int | None = None
        self._model: str | None = None
        self._error: Problem | None = None
        self._rate = Rate()
        self._news = asyncio.Event()

    @classmethod
    def remembered(cls, record: Record) -> "Job":
        """Return the job of a record; InvalidRequestError if its reference is none.

        What ran when the server ended waits for its turn.
        """
        job = cls(
            record.id,
            parse(record.reference),
            created=record.created,
            user=record.user,
        )
        job.state = "waiting" if record.state in ACTIVE else record.state
        job._files, job._done, job._total = record.files, record.done, record.total
        job._model, job._error = record.model, record.error
        return job

    @property
    def record(self) -> Record:
        """What is to be remembered."""
        status = self.status
        return Record(
            id=self.id,
            reference=str(self.reference),
            state=status.state,
            created=self.created,
            user=self.user,
            files=status.files,
            done=status.done,
            total=status.total,
            model=status.model,
            error=status.error,
        )

    @property
    def status(self) -> DownloadStatus:
        """What can be said of it now."""
        if self.leader is not None:
            return msgspec.structs.replace(
                self.leader.status,
                id=self.id,
                reference=str(self.reference),
                created=self.created,
            )
        moving = self.state in {"downloading", "verifying"}
        left = None if self._total is None else self._rate.seconds_left(self._total)
        return DownloadStatus(
            id=self.id,
            reference=str(self.reference),
            state=self.state,
            files=self._files,
            done=self._done,
            total=self._total,
            rate=self._rate.value if self.state == "downloading" else None,
            seconds_left=left if moving else None,
            model=self._model,
            error=self._error,
            created=self.created,
        )

    def enter(self, state: DownloadState, *, error: LLMError | None = None) -> None:
        """Take a state that the process did not report, and what it is due to."""
        self.state = state
        self._error = (
            None if error is None else Problem(code=error.code, message=str(error))
        )
        self._rate.reset()
        if state != "done":
            self._model = None
        if state == "cancelled":
            self._done = 0

    def resolved(self, report: Resolved) -> None:
        """Take what the files are."""
        self.content = (report.repo, frozenset(map(_identity, report.files)))
        self._files = tuple(file.path for file in report.files)
        self._total = sum(file.size for file in report.files)

    def progressed(self, report: Progress) -> None:
        """Take how far it is."""
        if report.stage != self.state:
            self.enter(report.stage)
        self._done = report.done
        self._rate.add(time.monotonic(), report.done)

    def stood(self) -> None:
        """Take that nothing came for a while."""
        if self.state in {"downloading", "verifying"}:
            self._rate.add(time.monotonic(), self._done)

    def finished(self, model: str | None) -> None:
        """Take that all files are in their places."""
        self.enter("done")
        self._done = self._total or 0
        self._model = model

    def follow(self, leader: "Job") -> None:
        """Be shown as ``leader`` is, which fetches the same files."""
        self.leader = leader

    def part(self) -> None:
        """Stand alone again: with what the other one has if that is all, or nothing."""
        if self.leader is None:
            return
        there, self.leader = self.leader.status, None
        done = there.state == "done"
        self.enter("done" if done else "waiting")
        self._done = there.done if done else 0
        self._model = there.model

    def changed(self) -> None:
        """Wake all who wait for news."""
        self._news.set()
        self._news = asyncio.Event()

    async def news(self) -> None:
        """Return once something changed."""
        await self._news.wait()


def _identity(file: HubFile) -> str:
    return f"{file.digest} {file.path}"
