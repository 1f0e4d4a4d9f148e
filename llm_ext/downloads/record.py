"""What is remembered of downloads when the server has ended."""

import asyncio
import logging
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime

import msgspec

from llm_ext.core.download_status import DownloadState
from llm_ext.core.model_status import Problem
from llm_ext.errors import StoreError
from llm_ext.store.database import Database

_log = logging.getLogger(__name__)


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One download; see :class:`llm_ext.core.download_status.DownloadStatus`.

    Attributes:
        user: Who asked for it.
    """

    id: str
    reference: str
    state: DownloadState
    created: datetime
    user: str = ""
    files: tuple[str, ...] = ()
    done: int = 0
    total: int | None = None
    model: str | None = None
    error: Problem | None = None


class Records:
    """The table of downloads, written in order by a thread of its own.

    What cannot be written is logged: a download goes on without being remembered.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="downloads")

    async def load(self) -> list[Record]:
        """Return all; those of which nothing can be made any more are left out."""
        try:
            rows = await asyncio.wrap_future(self._thread.submit(self._rows))
        except StoreError as error:
            _log.warning("downloads are not remembered: %s", error)
            return []
        records = [record for row in rows if (record := _decoded(row))]
        return sorted(records, key=lambda record: record.created)

    async def save(self, record: Record) -> None:
        """Write ``record``; returns when it is on the disk."""
        data = msgspec.msgpack.encode(record)
        await self._done(self._thread.submit(self._put, record.id, data))

    async def delete(self, record_id: str) -> None:
        """Forget a record; returns when it is off the disk."""
        await self._done(self._thread.submit(self._take, record_id))

    def close(self) -> None:
        """End the thread once all is written."""
        self._thread.shutdown(wait=False)

    async def _done(self, writing: "Future[None]") -> None:
        try:
            # Begun is done: whoever is cancelled meanwhile does not wait for it.
            await asyncio.shield(asyncio.wrap_future(writing))
        except StoreError as error:
            _log.warning("a download is not remembered: %s", error)

    def _rows(self) -> list[bytes]:
        with self._database.transaction() as connection:
            rows = connection.execute("SELECT record FROM downloads").fetchall()
        return [row[0] for row in rows]

    def _put(self, record_id: str, data: bytes) -> None:
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO downloads VALUES (?, ?)", (record_id, data)
            )

    def _take(self, record_id: str) -> None:
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM downloads WHERE id = ?", (record_id,))


def _decoded(row: bytes) -> Record | None:
    try:
        return msgspec.msgpack.decode(row, type=Record)
    except msgspec.DecodeError as error:
        _log.warning("a download cannot be remembered: %s", error)
        return None
