"""What administrators are told: changes as events of Jupyter's own event log.

They are sent to the handlers that ``c.EventLogger.handlers`` names; the files in
``event_schemas/`` say what each holds.
"""

import asyncio
import contextlib
import logging
from pathlib import Path
from typing import Any, NamedTuple

from jupyter_events import EventLogger

from llm_ext.core.changes import (
    Change,
    DownloadChanged,
    DownloadRemoved,
    ModelChanged,
    ModelRemoved,
    ProviderChanged,
    WorkerChanged,
)
from llm_ext.core.download_status import DownloadStatus
from llm_ext.core.model_status import ModelStatus, Problem
from llm_ext.core.worker_status import WorkerStatus
from llm_ext.errors import WorkerDiedError
from llm_ext.feed import Feed

SCHEMAS = sorted((Path(__file__).parent / "event_schemas").glob("*.yaml"))
"""What events hold, as jupyter_events wants it."""

_ID = "urn:jupyter-llm-ext:events:{}:v1"

_log = logging.getLogger(__name__)


class Event(NamedTuple):
    """An event: the id of its schema, and what it holds."""

    schema: str
    data: dict[str, Any]


class Translator:
    """Finds in the stream of changes those that are worth an event.

    It remembers the state of each model and download, because most changes are no
    more than progress.
    """

    def __init__(self) -> None:
        self._models: dict[str, str] = {}
        self._downloads: dict[str, str] = {}

    def event(self, change: Change) -> Event | None:
        """Return what is to be told of a change; None if it is nothing."""
        match change:
            case ModelChanged(model=model):
                return self._model(model)
            case ModelRemoved(id=model_id):
                self._models.pop(model_id, None)
                return _event("model-state", model=model_id, state="removed")
            case DownloadChanged(download=download):
                return self._download(download)
            case DownloadRemoved(id=download_id):
                self._downloads.pop(download_id, None)
                return None
            case WorkerChanged(worker=worker):
                return _death(worker)
            case ProviderChanged():
                return None

    def _model(self, model: ModelStatus) -> Event | None:
        # A busy model is ready, too: requests come and go.
        state = "ready" if model.state == "busy" else model.state
        before = self._models.get(model.id, "unloaded")
        self._models[model.id] = state
        if state == before:
            return None
        return _event(
            "model-state",
            model=model.id,
            state=state,
            worker=model.worker,
            memory=None if model.memory is None else model.memory.total,
            **_words(model.error),
        )

    def _download(self, download: DownloadStatus) -> Event | None:
        before = self._downloads.get(download.id)
        self._downloads[download.id] = download.state
        if download.state == before:
            return None
        return _event(
            "download-state",
            download=download.id,
            reference=download.reference,
            state=download.state,
            total=download.total,
            model=download.model,
            **_words(download.error),
        )


class EventLog:
    """Follows the feed, and hands events to Jupyter's event logger."""

    def __init__(self, logger: EventLogger, feed: Feed) -> None:
        for schema in SCHEMAS:
            logger.register_event_schema(schema)
        self._logger = logger
        self._feed = feed
        self._translator = Translator()
        self._following: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to follow, with what the feed still has."""
        self._following = asyncio.create_task(self._follow())

    async def stop(self) -> None:
        """Tell what is left to be told, and follow no more."""
        if self._following is not None:
            self._following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._following
            self._following = None

    async def _follow(self) -> None:
        number = self._feed.start
        try:
            while True:
                number = self._tell(number)
                await self._feed.wait(number)
        finally:
            self._tell(number)

    def _tell(self, number: int) -> int:
        """Tell what came after change ``number``; return the number of the last."""
        # Of what is forgotten, nothing can be told.
        for _, change in self._feed.since(number) or ():
            event = self._translator.event(change)
            if event is not None:
                self._emit(event)
        return self._feed.number

    def _emit(self, event: Event) -> None:
        try:
            self._logger.emit(schema_id=event.schema, data=event.data)
        except Exception:  # noqa: BLE001  # a modifier is the administrator's code
            _log.exception("An event could not be told: %s", event)


def _death(worker: WorkerStatus) -> Event | None:
    error = worker.error
    if error is None or error.code != WorkerDiedError.code:
        return None
    return _event(
        "worker-death", worker=worker.id, model=worker.model, reason=error.message
    )


def _event(name: str, **fields: object) -> Event:
    data = {field: value for field, value in fields.items() if value is not None}
    return Event(_ID.format(name), data)


def _words(error: Problem | None) -> dict[str, str]:
    # Not "message": that is the log record's own, and empty where there is none.
    return {} if error is None else {"code": error.code, "reason": error.message}
