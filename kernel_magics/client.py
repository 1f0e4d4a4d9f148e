"""Talks to the server, and waits for its answers."""

import json
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from .connection import Connection, find, surroundings
from .errors import RefusedError, ServerGoneError
from .pieces import ChatReader, Piece, Status, raise_in_band, status
from .stream import ServerEvent, server_events
from .transport import (
    EVENT_STREAM,
    UNHURRIED,
    XSRF_PATH,
    answers,
    checked,
    checked_json,
    checked_stream,
    hang_up,
    needs_xsrf,
    open_http,
    transport_errors,
    xsrf_headers,
)

if TYPE_CHECKING:
    import httpx
    from typing_extensions import Self

ENDS = ("done", "failed", "cancelled", "paused")
"""States of a download in which nothing goes on."""

_LOCKED_OUT = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


class Client:
    """A connection to the server. Close it, or use it in ``with``.

    Every method raises:
        RefusedError: The server refuses; says why.
        ServerGoneError: The server does not answer.

    Attributes:
        connection: Where the server is.
        lost: Whether it has gone, or lets this client in no more: it may be found
            anew, at another address or with another token.
    """

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.lost = False
        self._http = open_http(connection)
        self._streams: set[httpx.Response] = set()

    @classmethod
    def find(cls, *, url: str = "", token: str = "") -> "Client":
        """Return a client of the server that this process belongs to.

        Raises:
            ServerNotFoundError: There is none; lists what was tried.
        """
        return cls(find(surroundings(answers), url=url, token=token))

    def __enter__(self) -> "Self":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def models(self) -> dict[str, Any]:
        """Return ``{"default": id or None, "models": [...], "remote": [...]}``."""
        return self.get("models")

    def model(self, name: str) -> dict[str, Any]:
        """Return one model's state."""
        return self.get(f"models/{name}")

    def load(
        self,
        name: str,
        *,
        options: Mapping[str, Any] | None = None,
        keep_alive: float | str | None = None,
        pinned: bool | None = None,
    ) -> Iterator[Status]:
        """Load a model; yields how far it is, and returns when it is ready.

        The load goes on on the server where the iterator is left early.

        Args:
            name: The model's id.
            options: Load options that are to differ from the server's.
            keep_alive: How long it stays loaded without requests: seconds, or such as
                "10m".
            pinned: Whether it stays loaded, whoever needs room.
        """
        given = {"options": options, "keep_alive": keep_alive, "pinned": pinned}
        body = {field: value for field, value in given.items() if value is not None}
        for event in self.events("POST", f"models/{name}/load", body=body):
            yield status(json.loads(event.data))

    def unload(self, name: str, *, force: bool = False) -> dict[str, Any]:
        """Unload a model and return its state; ``force`` ends running requests."""
        return self.post(f"models/{name}/unload", {"force": force})

    def delete(self, name: str) -> None:
        """Delete a model's files."""
        self.request("DELETE", f"models/{name}")

    def pull(self, reference: str) -> Generator[dict[str, Any], None, None]:
        """Download a model; yields its state until nothing goes on any more.

        The download goes on on the server where the iterator is left early.
        """
        body = {"model": reference}
        for event in self.events("POST", "downloads", body=body):
            if event.name == "download":
                state: dict[str, Any] = json.loads(event.data)
                yield state
                if state["state"] in ENDS:
                    return

    def chat(
        self,
        model: str,
        messages: Sequence[Mapping[str, Any]],
        **options: Any,  # noqa: ANN401  # any of OpenAI's
    ) -> Generator[Piece, None, None]:
        """Stream an answer. Leaving the iterator early cancels it on the server.

        Args:
            model: The model's id.
            messages: OpenAI's messages.
            options: Other fields of OpenAI's request, such as ``temperature``.
        """
        reader = ChatReader()
        body = chat_body(model, messages, options)
        for event in self.events("POST", "v1/chat/completions", body=body):
            yield from reader.take(event)

    def embed(self, model: str, texts: Sequence[str]) -> dict[str, Any]:
        """Return OpenAI's list of embeddings, each as base64 of 32-bit floats."""
        body = {"model": model, "input": list(texts), "encoding_format": "base64"}
        return self.post("v1/embeddings", body)

    def get(self, path: str, **query: Any) -> dict[str, Any]:  # noqa: ANN401  # any that a URL can hold
        """Return what a route says."""
        return self.request("GET", path, params=query)

    def text(self, path: str, **query: Any) -> str:  # noqa: ANN401  # see get
        """Return what a route says that is no JSON."""
        with self.talking():
            return checked(self._http.get(path, params=query)).text

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Post ``body`` as JSON and return the answer."""
        return self.request("POST", path, json=body or {})

    def request(
        self,
        method: str,
        path: str,
        **options: Any,  # noqa: ANN401  # httpx's
    ) -> dict[str, Any]:
        """Send a request and return the JSON of its answer; empty for an empty one."""
        with self.talking():
            headers = {}
            if method != "GET":
                headers = self.write_headers()
                options = {"timeout": UNHURRIED, **options}
            reply = self._http.request(method, path, headers=headers, **options)
            return checked_json(reply)

    def events(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        last_id: str = "",
    ) -> Generator[ServerEvent, None, None]:
        """Yield a stream's events; leaving it closes its connection.

        ``last_id`` is that of the last event that is known, of a stream that can go on.
        """
        resumed = {"Last-Event-ID": last_id} if last_id else {}
        headers = {**EVENT_STREAM, **resumed}
        with self.talking():
            headers |= {} if method == "GET" else self.write_headers()
            with self._http.stream(method, path, headers=headers, json=body) as reply:
                if not reply.is_success:
                    reply.read()
                self._streams.add(checked_stream(reply))
                try:
                    for event in server_events(reply.iter_bytes()):
                        raise_in_band(event)
                        yield event
                finally:
                    self._streams.discard(reply)

    @contextmanager
    def talking(self) -> Iterator[None]:
        """Raise what goes wrong on the way as errors of ours; see ``lost``."""
        try:
            with transport_errors(self.connection):
                yield
        except ServerGoneError:
            self.lost = True
            raise
        except RefusedError as error:
            self.lost = error.status in _LOCKED_OUT
            raise

    def cookies(self) -> dict[str, str]:
        """Return the cookies that the server has set or wants to see."""
        return dict(self._http.cookies)

    def close(self) -> None:
        """Close all connections, also those that other threads read a stream from."""
        for reply in tuple(self._streams):
            hang_up(reply)
        self._http.close()

    def write_headers(self) -> dict[str, str]:
        """Return what a server without tokens wants to see of all but reading."""
        if self.connection.token:
            return {}
        if needs_xsrf(self.connection, self._http):
            self._http.get(XSRF_PATH)
        return xsrf_headers(self._http)


def chat_body(
    model: str, messages: Sequence[Mapping[str, Any]], options: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the body of a request for a stream with its progress and its figures."""
    return {
        "model": model,
        "messages": list(messages),
        "stream": True,
        "stream_options": {
            "include_usage": True,
            "include_progress": True,
            "progress": True,
        },
        "timings": True,
        **options,
    }
