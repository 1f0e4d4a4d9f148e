"""A server in OpenAI's shape on this machine, which does what it is told, wrong or not.

It runs in a thread of the test's own process, and keeps what it was asked.
"""

import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "sk-a-secret-of-the-provider"

WAIT = None
"""In a body: nothing more comes until ``release`` is set, or the client has gone."""


@dataclass(frozen=True, kw_only=True)
class Script:
    """One answer.

    Attributes:
        status: Its status.
        headers: Beside those that every answer has.
        parts: The body, part by part; the connection is closed after it.
        missing: Bytes that are announced, and never come.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    parts: tuple[bytes | None, ...] = ()
    missing: int = 0


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What somebody asked for."""

    path: str
    authorization: str | None
    body: dict[str, Any]


class Provider:
    """Answers as the next script says, or as far as ``models`` goes by itself."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.scripts: deque[Script] = deque()
        self.asked: list[Asked] = []
        self.release = threading.Event()
        self.gone = threading.Event()

    @property
    def last(self) -> Asked:
        return self.asked[-1]

    def stream(self, *parts: bytes | dict[str, Any] | str | None) -> None:
        """Let the next answer be a stream: chunks, comments, bytes as they are."""
        self.scripts.append(
            Script(
                headers={"Content-Type": "text/event-stream"},
                parts=tuple(map(_part, parts)),
            )
        )

    def reply(self, body: object, status: int = 200, **headers: str) -> None:
        """Let the next answer be JSON."""
        self.scripts.append(
            Script(
                status=status,
                headers={"Content-Type": "application/json", **headers},
                parts=(json.dumps(body).encode(),),
            )
        )


def piece(text: str = "", **choice: Any) -> dict[str, Any]:  # noqa: ANN401  # JSON
    """Return a chunk of a chat."""
    delta = {"content": text} if text else {}
    return {"choices": [{"index": 0, "delta": delta, **choice}]}


END = piece(finish_reason="stop")
DONE = b"data: [DONE]\n\n"


def _part(given: bytes | dict[str, Any] | str | None) -> bytes | None:
    if isinstance(given, str):
        return f": {given}\n\n".encode()
    if isinstance(given, dict):
        return b"data: " + json.dumps(given).encode() + b"\n\n"
    return given


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    running: Provider


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        self._note({})
        body = json.dumps({"data": [{"id": "odd"}, {"id": "other"}]}).encode()
        self._send(Script(headers={"Content-Type": "application/json"}, parts=(body,)))

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        self._note(json.loads(self.rfile.read(length)))
        self._send(self.server.running.scripts.popleft())

    def _note(self, body: dict[str, Any]) -> None:
        asked = Asked(
            path=self.path,
            authorization=self.headers.get("Authorization"),
            body=body,
        )
        self.server.running.asked.append(asked)

    def _send(self, script: Script) -> None:
        self.send_response(script.status)
        for name, value in script.headers.items():
            self.send_header(name, value)
        if script.missing:
            size = sum(len(part) for part in script.parts if part is not None)
            self.send_header("Content-Length", str(size + script.missing))
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        for part in script.parts:
            if part is None:
                self._wait()
            else:
                self.wfile.write(part)
                self.wfile.flush()

    def _wait(self) -> None:
        running = self.server.running
        self.connection.settimeout(0.02)
        while not running.release.is_set() and not running.gone.is_set():
            if self._has_gone():
                running.gone.set()
        self.connection.settimeout(None)

    def _has_gone(self) -> bool:
        """Whether the client has closed its end."""
        try:
            return not self.connection.recv(1)
        except TimeoutError:
            return False
        except OSError:
            return True

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@contextmanager
def provider() -> Iterator[Provider]:
    """Run one at a free port."""
    server = _Server(("127.0.0.1", 0), _Handler)
    running = server.running = Provider(f"http://127.0.0.1:{server.server_port}/v1")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        running.release.set()
        server.shutdown()
        thread.join()
        server.server_close()
