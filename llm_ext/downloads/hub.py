"""The Hugging Face hub. The only file that imports huggingface_hub, which is slow to.

Who is asked, with which token, and what a refusal means is huggingface_hub's to know.
The bytes are fetched here, with ranged requests through its session: its own download
keeps up to 10 MiB in memory, gives up at the first cut of some kinds, and takes files
beyond 50 GB only by another protocol, which can be neither resumed nor measured.
"""

import importlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from huggingface_hub import (
    HfApi,
    constants,
    get_session,
    get_token,
    hf_hub_url,
    hf_raise_for_status,
)
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError as HubRepositoryNotFoundError,
    RevisionNotFoundError as HubRevisionNotFoundError,
)
from huggingface_hub.utils import (  # type: ignore[attr-defined]  # not in __all__
    build_hf_headers,
)

from llm_ext.catalog.reference import Reference
from llm_ext.errors import (
    DownloadStalledError,
    HubAccessError,
    HubAnswerError,
    HubBusyError,
    HubFileNotFoundError,
    HubUnreachableError,
    LLMError,
    OfflineError,
    RepositoryGatedError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from .hub_file import HubFile
from .patience import TransientError

SEGMENT = 16 << 30
"""Bytes to ask for at once: the hub's file store refuses answers beyond 50 GB."""

CONNECT = 20.0
"""Seconds to wait for a connection."""

_BUSY = (408, 425, 429)
_SERVER_ERROR = 500
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_RESET = re.compile(r";\s*t\s*=\s*(\d+)")

# httpx up to release 1 of huggingface_hub, httpx2 from release 2 on.
_http: Any = importlib.import_module(type(get_session()).__module__.partition(".")[0])


class ChangedError(Exception):
    """The repository is not any more what it was when it was listed."""


class Listing(NamedTuple):
    """A repository at one commit."""

    repo: str
    commit: str
    files: list[HubFile]


class Body(NamedTuple):
    """Bytes of a file, from ``first`` on."""

    first: int
    chunks: Iterator[bytes]


class Hub:
    """The hub, as far as one repository is concerned.

    ``stall`` is how many seconds without a byte a connection is given.
    """

    def __init__(self, reference: Reference, *, stall: float) -> None:
        self._reference = reference
        self._stall = stall
        self._token = get_token() is not None
        self._headers = build_hf_headers(library_name="jupyter-llm-ext")

    def listing(self) -> Listing:
        """Return what the reference's revision has now.

        Raises:
            TransientError: Ask again.
            DownloadError: There is no such thing, or not for us.
        """
        reference = self._reference
        try:
            with self._translated():
                info = HfApi().model_info(
                    reference.repo,
                    revision=reference.revision,
                    timeout=min(self._stall, CONNECT),
                    files_metadata=True,
                )
        except (KeyError, TypeError, ValueError) as error:
            # Such as the page with which a guest network asks for a login.
            raise HubAnswerError(host(), "it describes no repository") from error
        files = [_file(sibling) for sibling in info.siblings or ()]
        if info.sha is None:
            raise HubAnswerError(host(), "it names no commit")
        return Listing(reference.repo, info.sha, [file for file in files if file])

    @contextmanager
    def opened(self, commit: str, file: HubFile, first: int) -> Iterator[Body]:
        """Ask for the bytes of ``file`` from ``first`` on; 0 if it has to be all.

        Errors of the connection are translated while the body is read, too.

        Raises:
            TransientError: Ask again.
            ChangedError: The hub has something else there now.
            DownloadError: There is no such thing, or not for us.
        """
        last = min(file.size, first + SEGMENT) - 1
        url = hf_hub_url(self._reference.repo, file.path, revision=commit)
        headers = {
            **self._headers,
            # Compressed, the bytes would be others than those that were announced.
            "Accept-Encoding": "identity",
            "Range": f"bytes={first}-{last}",
        }
        patience = (min(self._stall, CONNECT), self._stall, self._stall, CONNECT)
        with (
            self._translated(file),
            get_session().stream(
                "GET", url, headers=headers, timeout=patience
            ) as response,
        ):
            _check(response, file)
            yield Body(_first(response, file, first), response.iter_raw())

    @contextmanager
    def _translated(self, file: HubFile | None = None) -> Iterator[None]:
        """Turn what goes wrong with the network and the hub into our own errors."""
        try:
            yield
        except HfHubHTTPError as error:
            raise self._refusal(error, file) from error
        except OfflineModeIsEnabled as error:
            raise OfflineError from error
        except (_http.ConnectError, _http.ConnectTimeout, _http.ProxyError) as error:
            why = str(error) or "no connection"
            raise TransientError(HubUnreachableError(host(), why)) from error
        except _http.TimeoutException as error:
            stalled = DownloadStalledError(host(), seconds=self._stall)
            raise TransientError(stalled) from error
        except (_http.UnsupportedProtocol, _http.InvalidURL) as error:
            raise HubAnswerError(host(), "its address is none") from error
        except _http.TransportError as error:
            cut = HubUnreachableError(host(), "the connection was cut, several times")
            raise TransientError(cut) from error

    def _refusal(
        self, error: HfHubHTTPError, file: HubFile | None
    ) -> LLMError | TransientError | ChangedError:
        """Return what a status means. Never has an address in it: some are signed."""
        reference, response = self._reference, error.response
        match error:
            case GatedRepoError():
                return RepositoryGatedError(host(), reference.repo, token=self._token)
            case HubRepositoryNotFoundError():
                return RepositoryNotFoundError(host(), reference.repo)
            case HubRevisionNotFoundError() if file is not None:
                return ChangedError()
            case HubRevisionNotFoundError():
                return RevisionNotFoundError(reference.repo, reference.revision)
            case EntryNotFoundError() if file is not None:
                name = f"file {file.path!r}"
                return HubFileNotFoundError(reference.repo, name, choices=[])
        return _by_status(response, reference.repo, token=self._token)


def host() -> str:
    """Return the hub's host, without what may be secret in its address."""
    parts = urlsplit(constants.ENDPOINT)
    name = parts.hostname or constants.ENDPOINT
    return f"{name}:{parts.port}" if parts.port else name


def _file(sibling: Any) -> HubFile | None:  # noqa: ANN401  # a class of release 1 or 2
    """Return a listed file; None for one of which the hub does not say enough."""
    if sibling.size is None:
        return None
    if sibling.lfs is not None:
        digest = f"sha256:{sibling.lfs.sha256}"
    elif sibling.blob_id is not None:
        digest = f"git:{sibling.blob_id}"
    else:
        return None
    return HubFile(path=sibling.rfilename, size=sibling.size, digest=digest)


def _check(response: Any, file: HubFile) -> None:  # noqa: ANN401  # httpx's or httpx2's
    """Return if ``response`` has bytes of ``file``."""
    if response.is_error:
        response.read()  # what is wrong is in the body, too
    hf_raise_for_status(response)
    first = (response.history or [response])[0]
    now = _SHA256.search(first.headers.get("X-Linked-Etag", ""))
    was = file.digest.removeprefix("sha256:")
    if now is not None and was != file.digest and was != now[0]:
        raise ChangedError


def _first(
    response: Any,  # noqa: ANN401  # httpx's or httpx2's
    file: HubFile,
    wanted: int,
) -> int:
    """Return where the body begins; a server may ignore that a range was asked for.

    Raises:
        TransientError: It cannot be a part of the file, such as a network's login page.
    """
    first, size = wanted, response.headers.get("Content-Length")
    if response.status_code == 206:  # noqa: PLR2004  # Partial Content
        found = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
        first, size = (int(found[1]), found[2]) if found else (-1, None)
        is_right = first == wanted
    else:
        first, is_right = 0, True
    if not is_right or size not in {None, "*", str(file.size)}:
        raise TransientError(HubAnswerError(host(), "it sent something else"))
    return first


def _by_status(
    response: Any,  # noqa: ANN401  # httpx's or httpx2's
    repo: str,
    *,
    token: bool,
) -> LLMError | TransientError:
    status = response.status_code
    if status in _BUSY or status >= _SERVER_ERROR:
        return TransientError(HubBusyError(host(), status=status), _pause(response))
    if status in (401, 403):
        if response.history:
            # The file store's signed addresses expire; the hub gives a new one.
            return TransientError(HubBusyError(host(), status=status))
        return HubAccessError(host(), repo, token=token)
    return HubAnswerError(host(), f"status {status}")


def _pause(response: Any) -> float | None:  # noqa: ANN401  # httpx's or httpx2's
    """Return how many seconds the hub wants to be left alone, where it says so."""
    text = response.headers.get("Retry-After", "").strip()
    if text.isdigit():
        return float(text)
    if text:
        try:
            until = parsedate_to_datetime(text)
        except ValueError:
            return None
        return max(0.0, (until - datetime.now(timezone.utc)).total_seconds())
    reset = _RESET.search(response.headers.get("RateLimit", ""))
    return float(reset[1]) if reset else None
