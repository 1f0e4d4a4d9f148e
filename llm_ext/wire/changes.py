"""``events``: what changes, as server-sent events."""

import msgspec

from llm_ext.core.changes import Change
from llm_ext.core.download_status import DownloadStatus
from llm_ext.core.model_status import ModelStatus
from llm_ext.core.provider_status import RemoteModel
from llm_ext.core.worker_status import WorkerStatus

from . import sse


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """Everything as it is: what a watcher begins with."""

    default: str | None
    models: list[ModelStatus]
    workers: list[WorkerStatus]
    downloads: list[DownloadStatus]
    remote: list[RemoteModel] = []


def snapshot(number: int, value: Snapshot) -> bytes:
    """Return the state after change ``number`` as an event."""
    return sse.event(msgspec.json.encode(value), name="snapshot", number=number)


def change(number: int, value: Change) -> bytes:
    """Return change ``number`` as an event, named after its kind."""
    name = str(value.__struct_config__.tag)
    return sse.event(msgspec.json.encode(value), name=name, number=number)
