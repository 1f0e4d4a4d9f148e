"""A catalog service on this machine, which does what is wrong when it is told to."""

import json
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote


@dataclass
class CatalogService:
    """What it knows.

    Attributes:
        url: Its address.
        resources: By key, what was registered last.
        calls: Every call: method and path.
        faults: Statuses with which the next calls are answered; 0 hangs up.
        retry_after: What goes with refusals.
        refuses: Keys that it does not take.
        knows_put: Whether a resource can be put at its own address.
    """

    url: str = ""
    resources: dict[str, dict[str, Any]] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    faults: deque[int] = field(default_factory=deque)
    retry_after: str | None = None
    refuses: set[str] = field(default_factory=set)
    knows_put: bool = True

    def status(self, key: str) -> str | None:
        """Return a resource's status; None if it is not there."""
        found = self.resources.get(key)
        return None if found is None else str(found["status"])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    service: CatalogService

    def do_PUT(self) -> None:
        base, _, key = self.path.rpartition("/")
        known = self.service.knows_put and base == "/catalog/resources"
        self._take(unquote(key) if known else "", missing=405)

    def do_POST(self) -> None:
        known = self.path == "/catalog/resources"
        self._take(None if known else "", missing=404)

    def _take(self, key: str | None, *, missing: int) -> None:
        """Take a resource under ``key``; None is its own, "" is no place."""
        service = self.service
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        service.calls.append((self.command, self.path))
        if service.faults:
            self._answer(service.faults.popleft())
        elif key == "":
            self._answer(missing)
        elif body["key"] in service.refuses or key not in {None, body["key"]}:
            self._answer(422)
        else:
            service.resources[body["key"]] = body
            self._answer(200)

    def _answer(self, status: int) -> None:
        if not status:
            self.close_connection = True
            return
        self.send_response(status)
        if self.service.retry_after and status != HTTPStatus.OK:
            self.send_header("Retry-After", self.service.retry_after)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments: object) -> None:
        """Print nothing."""


@contextmanager
def catalog_service() -> Iterator[CatalogService]:
    """Run a service until the end."""
    service = CatalogService()
    handler = type("Handler", (_Handler,), {"service": service})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    service.url = f"http://127.0.0.1:{server.server_port}/catalog"
    try:
        yield service
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
