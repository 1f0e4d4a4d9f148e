"""A hub for models on this machine, which speaks as huggingface_hub expects it.

It has the two parts of the real one: the hub itself, which knows repositories and their
commits and redirects to files, and a store of large files on another address, which
gives bytes to whoever has a signed link. Both do what is wrong when they are told to.
"""

import hashlib
import json
import re
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

SIGNATURE = "a-secret-signature"
"""What makes a link to the store valid."""

_CHUNK = 1 << 16
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


@dataclass(frozen=True, kw_only=True)
class Request:
    """What somebody asked for.

    Attributes:
        place: ``hub`` or ``store``.
        first: Where the range begins that was asked for; None without one.
        authorization: The header.
    """

    place: str
    path: str
    first: int | None
    authorization: str | None


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What goes wrong with one request.

    Attributes:
        status: Answered in place of what was asked for.
        headers: That go with it.
        cut: Bytes of the body after which the connection is closed.
        hold: Bytes of the body after which nothing comes until ``released``.
        damage: Whether the body's first byte is another one.
        whole: Whether the range is ignored.
        empty: Whether the body is empty.
    """

    status: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: int | None = None
    hold: int | None = None
    damage: bool = False
    whole: bool = False
    empty: bool = False


@dataclass
class Repo:
    """A repository, with all commits that it had.

    Attributes:
        gated: Whether its files are for those with access alone.
        private: Whether others are not told that it exists.
        declared: Sizes of files that are not what they are.
        small: Paths of files that git keeps itself.
    """

    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    gated: bool = False
    private: bool = False
    declared: dict[str, int] = field(default_factory=dict)
    small: set[str] = field(default_factory=set)

    @property
    def head(self) -> str:
        """The newest commit."""
        return list(self.commits)[-1]

    def commit(self, files: dict[str, bytes]) -> str:
        """Let ``files`` be what the repository has from now on."""
        digests = {path: sha256(content) for path, content in files.items()}
        name = hashlib.sha1(json.dumps(digests).encode()).hexdigest()  # noqa: S324  # as git
        self.commits.pop(name, None)
        self.commits[name] = dict(files)
        return name


class Hub:
    """The hub and its store; ``url`` is for HF_ENDPOINT."""

    def __init__(self) -> None:
        self.repos: dict[str, Repo] = {}
        self.requests: list[Request] = []
        self.hub_faults: deque[Fault] = deque()
        self.store_faults: deque[Fault] = deque()
        self.sent = 0
        self.released = threading.Event()
        self.good_token = "hf_good_token"
        self._contents: dict[str, bytes] = {}
        self._hub = self._server(_HubHandler)
        self._store = self._server(_StoreHandler)

    @property
    def url(self) -> str:
        """The hub's address."""
        return f"http://127.0.0.1:{self._hub.server_port}"

    @property
    def store_url(self) -> str:
        """The store's address."""
        return f"http://127.0.0.1:{self._store.server_port}"

    def add(self, name: str, files: dict[str, bytes], **options: Any) -> Repo:  # noqa: ANN401  # Repo's
        """Add a repository with one commit."""
        repo = self.repos[name] = Repo(**options)
        self.commit(name, files)
        return repo

    def commit(self, name: str, files: dict[str, bytes]) -> str:
        """Let ``files`` be what a repository has from now on."""
        self._contents.update({sha256(content): content for content in files.values()})
        return self.repos[name].commit(files)

    def content(self, digest: str) -> bytes | None:
        """Return the bytes with this hash."""
        return self._contents.get(digest)

    def ranges(self) -> list[int]:
        """Return where each request for bytes began, in order."""
        found = [r.first for r in self.requests if r.place == "store"]
        return [first or 0 for first in found]

    def close(self) -> None:
        """End all that waits, and the servers."""
        self.released.set()
        for server in (self._hub, self._store):
            server.shutdown()
            server.server_close()

    def _server(self, kind: "type[_Handler]") -> ThreadingHTTPServer:
        server = ThreadingHTTPServer(
            ("127.0.0.1", 0), type(kind.__name__, (kind,), {"hub": self})
        )
        server.daemon_threads = True
        # The default period would have every test wait half a second at its end.
        serve = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        serve.start()
        return server


@contextmanager
def running_hub() -> Iterator[Hub]:
    """Run a hub without repositories."""
    hub = Hub()
    try:
        yield hub
    finally:
        hub.close()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def git_hash(content: bytes) -> str:
    blob = b"blob %d\0" % len(content) + content
    return hashlib.sha1(blob).hexdigest()  # noqa: S324  # as git


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    place = ""
    hub: Hub

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name
        """Say nothing."""

    def handle(self) -> None:
        try:
            super().handle()
        except (ConnectionError, TimeoutError):
            self.close_connection = True  # a client that was killed

    def _answer(self) -> None:
        parts = urlsplit(self.path)
        asked = _RANGE.fullmatch(self.headers.get("Range", ""))
        self.hub.requests.append(
            Request(
                place=self.place,
                path=unquote(parts.path),
                first=int(asked[1]) if asked else None,
                authorization=self.headers.get("Authorization"),
            )
        )
        faults = self._faults()
        fault = faults.popleft() if faults else Fault()
        if fault.status is not None:
            self._refuse(fault.status, **fault.headers)
            return
        self._serve(unquote(parts.path), parse_qs(parts.query), fault)

    def _faults(self) -> deque[Fault]:
        raise NotImplementedError

    def _serve(self, path: str, query: dict[str, list[str]], fault: Fault) -> None:
        raise NotImplementedError

    def _refuse(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _bytes(self, content: bytes, etag: str, fault: Fault) -> None:
        """Send ``content``, or the part of it that was asked for."""
        asked = None if fault.whole else _RANGE.fullmatch(self.headers.get("Range", ""))
        first = int(asked[1]) if asked else 0
        end = int(asked[2]) + 1 if asked and asked[2] else len(content)
        body = b"" if fault.empty else content[first:end]
        if fault.damage:
            body = bytes([body[0] ^ 1]) + body[1:]
        self.send_response(206 if asked else 200)
        if asked:
            last = min(end, len(content)) - 1
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(content)}")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", f'"{etag}"')
        self.end_headers()
        if self.command == "GET":
            self._body(body, fault)

    def _body(self, body: bytes, fault: Fault) -> None:
        stop = fault.cut if fault.cut is not None else fault.hold
        self._send(body[:stop])
        if fault.cut is not None:
            self.close_connection = True
        elif fault.hold is not None:
            self.hub.released.wait()
            self._send(body[stop:])

    def _send(self, body: bytes) -> None:
        for start in range(0, len(body), _CHUNK):
            chunk = body[start : start + _CHUNK]
            self.wfile.write(chunk)
            self.hub.sent += len(chunk)


class _HubHandler(_Handler):
    place = "hub"

    def _faults(self) -> deque[Fault]:
        return self.hub.hub_faults

    def _serve(self, path: str, query: dict[str, list[str]], fault: Fault) -> None:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token and token != self.hub.good_token:
            message = "Invalid credentials in Authorization header"
            self._refuse(401, X_Error_Message=message)
            return
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)/revision/(.+)", path):
            self._info(found[1], found[2], has_sizes="blobs" in query)
        elif found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            self._resolve(found[1], found[2], found[3], fault)
        else:
            self._refuse(404)

    def _files(self, name: str, revision: str) -> tuple[Repo, str] | None:
        repo = self.hub.repos.get(name)
        if repo is None or (repo.private and not self.headers.get("Authorization")):
            self._refuse(401, X_Error_Code="RepoNotFound")
            return None
        commit = repo.head if revision == "main" else revision
        if commit not in repo.commits:
            self._refuse(404, X_Error_Code="RevisionNotFound")
            return None
        return repo, commit

    def _info(self, name: str, revision: str, *, has_sizes: bool) -> None:
        if (found := self._files(name, revision)) is None:
            return
        repo, commit = found
        siblings: list[dict[str, object]] = []
        for path, content in repo.commits[commit].items():
            sibling: dict[str, object] = {"rfilename": path}
            if has_sizes:
                size = repo.declared.get(path, len(content))
                sibling |= {"size": size, "blobId": git_hash(content)}
                if path not in repo.small:
                    lfs = {"sha256": sha256(content), "size": size, "pointerSize": 134}
                    sibling["lfs"] = lfs
            siblings.append(sibling)
        info = {"id": name, "sha": commit, "siblings": siblings, "gated": repo.gated}
        body = json.dumps(info).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _resolve(self, name: str, revision: str, path: str, fault: Fault) -> None:
        if (found := self._files(name, revision)) is None:
            return
        repo, commit = found
        if repo.gated:
            status = 403 if self.headers.get("Authorization") else 401
            self._refuse(status, X_Error_Code="GatedRepo")
            return
        content = repo.commits[commit].get(path)
        if content is None:
            self._refuse(404, X_Error_Code="EntryNotFound")
            return
        if path in repo.small:
            self._bytes(content, git_hash(content), fault)
            return
        digest = sha256(content)
        self._refuse(
            302,
            Location=f"{self.hub.store_url}/{digest}?signature={quote(SIGNATURE)}",
            X_Repo_Commit=commit,
            X_Linked_Etag=f'"{digest}"',
            X_Linked_Size=str(repo.declared.get(path, len(content))),
            ETag=f'"{git_hash(content)}"',
        )


class _StoreHandler(_Handler):
    place = "store"

    def _faults(self) -> deque[Fault]:
        return self.hub.store_faults

    def _serve(self, path: str, query: dict[str, list[str]], fault: Fault) -> None:
        content = self.hub.content(path.strip("/"))
        if query.get("signature") != [SIGNATURE] or content is None:
            self._refuse(403)
            return
        self._bytes(content, path.strip("/")[:32], fault)
