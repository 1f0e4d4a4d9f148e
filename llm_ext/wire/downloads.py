"""``downloads``: models on their way from a hub."""

import msgspec

from llm_ext.core.download_status import DownloadStatus

from . import sse
from .native import parse


class DownloadsReply(msgspec.Struct, frozen=True, kw_only=True):
    """``downloads``."""

    downloads: tuple[DownloadStatus, ...]


class DownloadCall(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """What ``downloads`` carries; ``model`` is a reference such as "hf:owner/name"."""

    model: str


def parse_call(data: bytes) -> DownloadCall:
    """Return the call.

    Raises:
        InvalidRequestError: It is no JSON, or holds an unknown or mistyped field.
    """
    return parse(data, DownloadCall)


def event(status: DownloadStatus) -> bytes:
    """Return a download's status as a server-sent event."""
    return sse.event(msgspec.json.encode(status), name="download")
