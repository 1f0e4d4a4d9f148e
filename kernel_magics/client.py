"""Talks to the server: list, load, unload, chat."""

import json
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from .connection import Connection, find, surroundings
from .errors import RefusedError, ServerGoneError
from .stream import ServerEvent, server_events

CONNECT_TIMEOUT = 10.0
SILENCE_TIMEOUT = 60.0
"""Seconds; the server breaks every silence after 15."""


@dataclass(frozen=True, kw_only=True)
class Status:
    """What the server is doing before the first word.

    Attributes:
        text: In a few words.
        fraction: How far it is, 0 to 1; None where that is unknown.
    """

    text: str
    fraction: float | None = None


@dataclass(frozen=True, kw_only=True)
class Text:
    """The answer goes on."""

    text: str


@dataclass(frozen=True, kw_only=True)
class End:
    """The answer is complete; ``reason`` is "stop" or "length"."""

    reason: str
    prompt_tokens: int
    completion_tokens: int


Piece = Status | Text | End


class Client:
    """A connection to the server. Close it, or use it in ``with``."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        token = connection.token
        self._http = httpx.Client(
            base_url=connection.url,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=httpx.Timeout(SILENCE_TIMEOUT, connect=CONNECT_TIMEOUT),
            # A proxy for the internet is no way to a server on this machine.
            trust_env=False,
        )

    @classmethod
    def find(cls, *, url: str = "", token: str = "") -> "Client":
        """Return a client of the server that this process belongs to.

        Raises:
            ServerNotFoundError: There is none; lists what was tried.
        """
        return cls(find(surroundings(_answers), url=url, token=token))

    def models(self) -> dict[str, Any]:
        """Return ``{"default": id or None, "models": [...]}``."""
        with self._errors():
            reply: dict[str, Any] = self._checked(self._http.get("models")).json()
            return reply

    def model(self, name: str) -> dict[str, Any]:
        """Return one model's state; errors as for :meth:`load`."""
        with self._errors():
            model: dict[str, Any] = self._checked(
                self._http.get(f"models/{name}")
            ).json()
            return model

    def load(self, name: str) -> Iterator[Status]:
        """Load a model; yields how far it is, and returns when it is ready.

        Raises:
            RefusedError: It cannot be loaded; says why.
            ServerGoneError: The server does not answer.
        """
        headers = {"Accept": "text/event-stream"}
        for event in self._events(f"models/{name}/load", headers=headers):
            yield _status(json.loads(event.data))

    def unload(self, name: str, *, force: bool = False) -> dict[str, Any]:
        """Unload a model and return its state; errors as for :meth:`load`."""
        with self._errors():
            reply = self._http.post(
                f"models/{name}/unload",
                json={"force": force},
                headers=self._xsrf_headers(),
            )
            model: dict[str, Any] = self._checked(reply).json()
            return model

    def chat(
        self,
        model: str,
        messages: list[dict[str, str]],
        **options: Any,  # noqa: ANN401  # any of OpenAI's
    ) -> Generator[Piece, None, None]:
        """Stream an answer. Leaving the iterator early cancels it on the server.

        Args:
            model: The model's id.
            messages: OpenAI's messages.
            options: Other fields of OpenAI's request, such as ``temperature``.

        Raises:
            RefusedError: The server refused; says why.
            ServerGoneError: The server does not answer.
        """
        body = {
            "model": model,
            "messages": messages,
            "stream": True,
            "stream_options": {"include_usage": True, "include_progress": True},
            **options,
        }
        reason = "stop"
        for event in self._events("v1/chat/completions", json=body):
            if event.data == "[DONE]":
                return
            data = json.loads(event.data)
            if event.name == "status":
                yield _status(data)
                continue
            for choice in data["choices"]:
                reason = choice["finish_reason"] or reason
                if text := choice["delta"].get("content"):
                    yield Text(text=text)
            if usage := data.get("usage"):
                yield End(
                    reason=reason,
                    prompt_tokens=usage["prompt_tokens"],
                    completion_tokens=usage["completion_tokens"],
                )

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def _events(self, path: str, **options: Any) -> Iterator[ServerEvent]:  # noqa: ANN401  # httpx's
        headers = {**options.pop("headers", {}), **self._xsrf_headers()}
        with (
            self._errors(),
            self._http.stream("POST", path, headers=headers, **options) as reply,
        ):
            if reply.is_error:
                reply.read()
            self._checked(reply)
            for event in server_events(reply.iter_lines()):
                _raise_in_band(event)
                yield event

    def _xsrf_headers(self) -> dict[str, str]:
        """Return what a server without tokens wants to see beside its cookie."""
        if self.connection.token:
            return {}
        if "_xsrf" not in self._http.cookies:
            self._http.get("health/ready")
        return {"X-XSRFToken": self._http.cookies.get("_xsrf") or ""}

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except httpx.TransportError as error:
            problem = str(error) or type(error).__name__
            raise ServerGoneError(
                f"the Jupyter server at {self.connection.url} (found through "
                f"{self.connection.source}) does not answer: {problem}."
            ) from error

    def _checked(self, reply: httpx.Response) -> httpx.Response:
        if reply.is_success:
            return reply
        error = _error_body(reply)
        message = error.get("message") or f"HTTP status {reply.status_code}"
        raise RefusedError(str(message), code=error.get("code"))


def _answers(url: str) -> bool:
    """Whether a server of ours is at ``url``."""
    try:
        reply = httpx.get(f"{url}health/live", timeout=CONNECT_TIMEOUT, trust_env=False)
        return bool(reply.is_success and reply.json().get("status") == "ok")
    except (httpx.HTTPError, ValueError):
        return False


def _error_body(reply: httpx.Response) -> dict[str, Any]:
    try:
        body = reply.json()
    except ValueError:
        return {}
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}


def _raise_in_band(event: ServerEvent) -> None:
    """Raise the error that came after the stream had opened, if this event is one."""
    if '"error"' not in event.data[:10] and event.name != "error":
        return
    error = json.loads(event.data)["error"]
    raise RefusedError(error["message"], code=error["code"])


def _status(data: dict[str, Any]) -> Status:
    match data["status"]:
        case "loading":
            return Status(text=f"loading ({data['stage']})", fraction=data["fraction"])
        case "ready":
            return Status(text="loaded", fraction=1.0)
        case "prompt":
            done, total = data["done"], data["total"]
            return Status(text="reading the prompt", fraction=done / total)
        case _:
            return Status(text="waiting for the first word")
