"""What changes in the server, for whoever watches."""

from collections.abc import Callable
from typing import TypeAlias

import msgspec

from .download_status import DownloadStatus
from .model_status import ModelStatus
from .provider_status import ProviderStatus, RemoteModel
from .worker_status import WorkerStatus


class _Change(msgspec.Struct, frozen=True, tag_field="event", kw_only=True):
    pass


class ModelChanged(_Change, frozen=True, tag="model"):
    """A model is new, or its state, progress or metadata changed."""

    model: ModelStatus


class ModelRemoved(_Change, frozen=True, tag="model_removed"):
    """A model's file is gone."""

    id: str


class DownloadChanged(_Change, frozen=True, tag="download"):
    """A download is new, goes on or has ended."""

    download: DownloadStatus


class DownloadRemoved(_Change, frozen=True, tag="download_removed"):
    """A download that had ended is forgotten."""

    id: str


class WorkerChanged(_Change, frozen=True, tag="worker"):
    """A worker process started, became ready, went busy or idle, or ended."""

    worker: WorkerStatus


class ProviderChanged(_Change, frozen=True, tag="provider"):
    """A provider came, went, or has other models; ``models`` are all of its models."""

    provider: ProviderStatus
    models: list[RemoteModel]


Change: TypeAlias = (
    ModelChanged
    | ModelRemoved
    | DownloadChanged
    | DownloadRemoved
    | WorkerChanged
    | ProviderChanged
)
Notify: TypeAlias = Callable[[Change], None]
"""Told of every change, on the event loop, after it happened. Must not block."""
