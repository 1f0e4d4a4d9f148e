"""Talks to the server from ``async`` code: the part in which waiting matters."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx

from .client import Client, chat_body
from .connection import Connection
from .pieces import ChatReader, Piece
from .stream import EventReader
from .transport import (
    EVENT_STREAM,
    XSRF_PATH,
    checked_stream,
    needs_xsrf,
    open_async_http,
    xsrf_headers,
)


async def chat(
    client: Client,
    model: str,
    messages: Sequence[Mapping[str, Any]],
    options: Mapping[str, Any],
) -> AsyncGenerator[Piece, None]:
    """Stream an answer; arguments and errors are those of :meth:`Client.chat`.

    Closing the iterator, or cancelling the task that reads it, cancels the answer on
    the server.
    """
    body = chat_body(model, messages, options)
    reader, events = ChatReader(), EventReader()
    connection = client.connection
    with client.talking():
        async with (
            open_async_http(connection) as http,
            _posted(connection, http, body) as reply,
        ):
            async for chunk in reply.aiter_bytes():
                for event in events.take(chunk):
                    for piece in reader.take(event):
                        yield piece


@asynccontextmanager
async def _posted(
    connection: Connection, http: httpx.AsyncClient, body: Mapping[str, Any]
) -> AsyncIterator[httpx.Response]:
    headers = dict(EVENT_STREAM)
    if needs_xsrf(connection, http):
        await http.get(XSRF_PATH)
    if not connection.token:
        headers |= xsrf_headers(http)
    async with http.stream(
        "POST", "v1/chat/completions", json=body, headers=headers
    ) as reply:
        if not reply.is_success:
            await reply.aread()
        yield checked_stream(reply)
