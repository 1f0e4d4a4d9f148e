"""What is told to whoever waits for one download."""

from collections.abc import Callable

from llm_ext.core.download_status import DownloadStatus

from .job import ENDS, Job


class Watch:
    """Follows a download up to its end, as an async iterator.

    What is told is how it stands: who takes long misses what was between. It ends, too,
    when the server stops or the download is removed. It holds nothing: whoever has
    enough just goes.
    """

    def __init__(self, job: Job, is_over: Callable[[], bool]) -> None:
        self._job = job
        self._is_over = is_over
        self._last: DownloadStatus | None = None

    async def next(self) -> DownloadStatus | None:
        """Return how it stands, once that is something new; None after the last."""
        while True:
            status = self._job.status
            if status != self._last:
                self._last = status
                return status
            if status.state in ENDS or self._is_over():
                return None
            await self._job.news()

    def __aiter__(self) -> "Watch":
        return self

    async def __anext__(self) -> DownloadStatus:
        status = await self.next()
        if status is None:
            raise StopAsyncIteration
        return status
