"""``api/pull``: downloads, as Ollama tells of them."""

import hashlib
from collections.abc import Iterator

import msgspec

from llm_ext.core.download_status import DownloadStatus
from llm_ext.errors import LLMError, rebuild
from llm_ext.wire.openai.body import decode

from .errors import reply as error_reply
from .names import NamedBody


class PullCall(NamedBody, kw_only=True):
    """A call."""

    stream: bool | None = None


class Progress(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What goes on; bytes of all files together."""

    status: str
    digest: str | None = None
    total: int | None = None
    completed: int | None = None


SUCCESS = Progress(status="success")

_decoder = msgspec.json.Decoder(PullCall)


def parse(data: bytes) -> PullCall:
    """Return the call that a request's body makes.

    Raises:
        InvalidRequestError: It is no JSON, or a field is of a wrong type.
    """
    return decode(_decoder, data)


def failure(status: DownloadStatus) -> LLMError | None:
    """Return why a download came to an end without its files; None if it did not."""
    if status.state == "cancelled":
        return LLMError("The download was cancelled.")
    if status.state != "failed":
        return None
    if status.error is None:
        return LLMError("The download failed.")
    return rebuild(status.error.code, status.error.message)


class PullReply:
    """Tells of one download what is new each time."""

    def __init__(self) -> None:
        self._last: Progress | None = None

    def tell(self, status: DownloadStatus) -> Iterator[bytes]:
        """Yield the JSON documents that say ``status``."""
        for progress in _progress(status):
            if progress != self._last:
                self._last = progress
                yield msgspec.json.encode(progress)
        error = failure(status)
        if error is not None:
            yield msgspec.json.encode(error_reply(error))


def _progress(status: DownloadStatus) -> Iterator[Progress]:
    match status.state:
        case "waiting" | "resolving":
            yield Progress(status="pulling manifest")
        case "downloading":
            yield _pulling(status)
        case "paused":
            yield Progress(status="paused")
        case "verifying":
            yield Progress(status="verifying sha256 digest")
        case "done":
            yield Progress(status="writing manifest")
            yield SUCCESS
        case _:
            yield from ()


def _pulling(status: DownloadStatus) -> Progress:
    """Return how far the files are.

    Clients draw one bar for each digest, and show its first digits. The hashes of the
    files come only with them, so it is of what was asked for.
    """
    digest = hashlib.sha256(status.reference.encode()).hexdigest()
    return Progress(
        status=f"pulling {digest[:12]}",
        digest=f"sha256:{digest}",
        total=status.total,
        completed=status.done,
    )
