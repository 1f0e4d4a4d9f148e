"""HTTP as this project's server wants it, for the clients that wait and that do not."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http import HTTPStatus
from typing import Any

import httpx

from .connection import Connection
from .errors import MagicError, RefusedError, ServerGoneError

CONNECT_TIMEOUT = 10.0
SILENCE_TIMEOUT = 60.0
"""Seconds; the server breaks every silence after 15."""

UNHURRIED = httpx.Timeout(None, connect=CONNECT_TIMEOUT)
"""For work that is answered in one piece, once done: nothing breaks its silence."""

EVENT_STREAM = {"Accept": "text/event-stream"}
XSRF_PATH = "health/ready"
"""A page that sets the cookie which servers without tokens want to see again."""


def open_http(connection: Connection) -> httpx.Client:
    """Return an HTTP client whose paths are below the connection's URL."""
    verify = connection.verification()
    return httpx.Client(
        **_options(connection),
        transport=httpx.HTTPTransport(verify=verify, uds=connection.socket or None),
    )


def open_async_http(connection: Connection) -> httpx.AsyncClient:
    """Return the same for ``async`` code."""
    verify = connection.verification()
    return httpx.AsyncClient(
        **_options(connection),
        transport=httpx.AsyncHTTPTransport(
            verify=verify, uds=connection.socket or None
        ),
    )


def answers(connection: Connection) -> bool:
    """Whether a server of ours is where ``connection`` leads."""
    try:
        with open_http(connection) as http:
            reply = http.get("health/live", timeout=CONNECT_TIMEOUT)
        return bool(reply.is_success and reply.json().get("status") == "ok")
    except (MagicError, httpx.HTTPError, OSError, ValueError):
        return False


def xsrf_headers(http: httpx.Client | httpx.AsyncClient) -> dict[str, str]:
    """Return what a server without tokens wants to see beside its cookie."""
    return {"X-XSRFToken": http.cookies.get("_xsrf") or ""}


def needs_xsrf(connection: Connection, http: httpx.Client | httpx.AsyncClient) -> bool:
    """Whether :data:`XSRF_PATH` has to be read before anything is posted."""
    return not connection.token and "_xsrf" not in http.cookies


@contextmanager
def transport_errors(connection: Connection) -> Iterator[None]:
    """Turn what goes wrong on the way into one error.

    Raises:
        ServerGoneError: The server does not answer.
    """
    try:
        yield
    except httpx.LocalProtocolError:
        # Its text quotes the header that cannot be sent, and with it the token.
        raise ServerGoneError(
            f"a request to {connection.url} (found through {connection.source}) "
            "cannot be sent; most likely the token or the cookie is none."
        ) from None
    except httpx.TransportError as error:
        problem = str(error) or type(error).__name__
        raise ServerGoneError(
            f"the Jupyter server at {connection.url} (found through "
            f"{connection.source}) does not answer: {problem}.{_hint(problem)}"
        ) from error


def checked(reply: httpx.Response) -> httpx.Response:
    """Return ``reply`` if it is a success; its body has been read.

    Raises:
        RefusedError: It is none; says why in the server's own words.
    """
    if reply.is_success:
        return reply
    error = _error_body(reply)
    message = error.get("message") or (
        f"{reply.url} answers with HTTP status {reply.status_code}"
    )
    raise RefusedError(str(message), code=error.get("code"), status=reply.status_code)


def checked_stream(reply: httpx.Response) -> httpx.Response:
    """Return ``reply`` if it is a stream of events, or says that there is nothing.

    One that is no success has been read.

    Raises:
        RefusedError: It is none; says why.
    """
    kind = checked(reply).headers.get("Content-Type", "")
    nothing = reply.status_code == HTTPStatus.NO_CONTENT
    if not nothing and not kind.startswith(EVENT_STREAM["Accept"]):
        raise _stranger(reply, "no stream of events")
    return reply


def checked_json(reply: httpx.Response) -> dict[str, Any]:
    """Return the JSON object in ``reply``; an empty one for no body.

    Raises:
        RefusedError: It holds none; says why.
    """
    if not checked(reply).content:
        return {}
    try:
        body = reply.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise _stranger(reply, "no JSON object")
    return body


def hang_up(reply: httpx.Response) -> None:
    """End a stream, whichever thread waits for it: closing it would wake none."""
    connected = reply.extensions["network_stream"].get_extra_info("socket")
    with suppress(OSError):
        connected.shutdown(socket.SHUT_RDWR)


def _options(connection: Connection) -> dict[str, Any]:
    return {
        "base_url": connection.url,
        "headers": connection.headers,
        "cookies": connection.cookies,
        "timeout": httpx.Timeout(SILENCE_TIMEOUT, connect=CONNECT_TIMEOUT),
        # A proxy for the internet is no way to a server on this machine.
        "trust_env": False,
    }


def _stranger(reply: httpx.Response, what: str) -> RefusedError:
    return RefusedError(
        f"{reply.url} answers, but with {what}: it is no server with jupyter-llm-ext, "
        "or something else answers in its place, such as a page to log in."
    )


def _hint(problem: str) -> str:
    if "CERTIFICATE_VERIFY_FAILED" not in problem:
        return ""
    return " LLM_EXT_CERTIFICATE may name the file of a certificate to trust."


def _error_body(reply: httpx.Response) -> dict[str, Any]:
    try:
        body = reply.json()
    except ValueError:
        return {}
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else {}
