"""A server that says what a test has it say, where ours never would."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from kernel_magics import LLM
from kernel_magics.client import Client

STREAM = "text/event-stream"


@dataclass(frozen=True, kw_only=True)
class Request:
    """What was asked, and how it is answered."""

    method: str
    path: str
    body: dict[str, Any]
    handler: BaseHTTPRequestHandler = field(repr=False)

    def json(self, body: object, status: HTTPStatus = HTTPStatus.OK) -> None:
        """Answer with JSON."""
        self.begin("application/json", status)
        self.say(json.dumps(body))

    def stream(self, *data: object) -> None:
        """Answer with a whole stream of events; strings are sent as they are."""
        self.begin(STREAM)
        for one in data:
            said = one if isinstance(one, str) else json.dumps(one, ensure_ascii=False)
            self.say(f"data: {said}\n\n")

    def begin(self, kind: str, status: HTTPStatus = HTTPStatus.OK) -> None:
        """Begin an answer of a content type."""
        self.handler.send_response(status)
        self.handler.send_header("Content-Type", kind)
        self.handler.end_headers()

    def say(self, text: str) -> None:
        """Go on with the answer."""
        self.handler.wfile.write(text.encode())
        self.handler.wfile.flush()


@dataclass(frozen=True, kw_only=True)
class Scripted:
    """A running server; ``requests`` are those that came."""

    url: str
    requests: list[Request]

    def llm(self, model: str = "m") -> LLM:
        """Return its models, as Python has them."""
        return LLM(model, url=self.url, token="t")

    def client(self) -> Client:
        """Return a client of it."""
        return Client.find(url=self.url, token="t")


@contextmanager
def scripted(answer: Callable[[Request], None]) -> Iterator[Scripted]:
    """Serve ``answer`` for every request."""
    requests: list[Request] = []

    class Handler(BaseHTTPRequestHandler):
        def handle_any(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            request = Request(
                method=self.command,
                path=self.path.removeprefix("/llm/"),
                body=json.loads(sent or "{}"),
                handler=self,
            )
            requests.append(request)
            answer(request)

        do_GET = do_POST = do_PATCH = handle_any  # noqa: N815  # the library's names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=[0.02])
    thread.start()
    try:
        yield Scripted(
            url=f"http://127.0.0.1:{server.server_port}/llm/", requests=requests
        )
    finally:
        server.shutdown()
        thread.join()
        # Not server_close: it waits for answers that never end.
        server.socket.close()


def text(content: str) -> dict[str, Any]:
    """Return a chunk of an answer."""
    return {"model": "m", "choices": [{"index": 0, "delta": {"content": content}}]}
