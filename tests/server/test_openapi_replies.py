"""What the server sends, held against what it says it sends.

Every reply that any test of this folder gets is checked (see ``jp_fetch``); these are
the streams, and routes whose replies have many parts.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable

import httpx
from jupyter_server.serverapp import ServerApp
from tornado.httpclient import HTTPResponse

from llm_ext.handlers.openapi import FILE
from tests.contract import Contract, events
from tests.server_start import start

Fetch = Callable[..., Awaitable[HTTPResponse]]

CHAT = ("llm", "v1", "chat", "completions")
QUESTION = {"model": "hello", "messages": [{"role": "user", "content": "Hi"}]}
EVENTS = {"Accept": "text/event-stream"}


async def post(fetch: Fetch, *path: str, **body: object) -> HTTPResponse:
    return await fetch(
        *path, method="POST", body=json.dumps(body), headers=dict(EVENTS)
    )


async def test_the_description_is_served(jp_fetch: Fetch) -> None:
    """As it stands in the package."""
    reply = await jp_fetch("llm", "openapi.json")
    assert reply.body == FILE.read_bytes()
    assert json.loads(reply.body)["openapi"] == "3.1.0"


async def test_a_load_is_told_as_described(jp_fetch: Fetch) -> None:
    """Also one that fails."""
    for model, last in (("hello", "status"), ("broken", "error")):
        reply = await post(jp_fetch, "llm", "models", model, "load")
        names = [name for name, _ in events(reply.body.decode())]
        assert names[-1] == last


async def test_chats_are_told_as_described(jp_fetch: Fetch) -> None:
    """In chunks, with everything that can be asked for, and whole."""
    options = {
        **QUESTION,
        "n": 2,
        "logprobs": True,
        "top_logprobs": 2,
        "stream_options": {"include_usage": True, "include_progress": True},
    }
    reply = await post(jp_fetch, *CHAT, **options, stream=True)
    told = events(reply.body.decode())
    assert {name for name, _ in told} == {"message", "status"}
    assert told[-1][1]["usage"]["total_tokens"] > 0
    whole = json.loads((await post(jp_fetch, *CHAT, **options)).body)
    assert len(whole["choices"]) == 2
    failed = await post(jp_fetch, *CHAT, **QUESTION | {"model": "cut"}, stream=True)
    ((_, error),) = [e for e in events(failed.body.decode()) if e[0] == "message"]
    assert error["error"]["code"]


async def test_changes_are_told_as_described(
    jp_fetch: Fetch, jp_serverapp: ServerApp, jp_http_port: int, contract: Contract
) -> None:
    """The snapshot, and what comes after it."""
    await start(jp_serverapp)
    url = f"http://127.0.0.1:{jp_http_port}{jp_serverapp.base_url}llm/events"
    headers = {"Authorization": f"token {jp_serverapp.identity_provider.token}"}
    text = ""
    async with (
        httpx.AsyncClient(trust_env=False, timeout=30, headers=headers) as client,
        client.stream("GET", url) as reply,
    ):
        loading = asyncio.ensure_future(
            post(jp_fetch, "llm", "models", "hello", "load")
        )
        async for part in reply.aiter_text():
            text += part
            if '"state":"ready"' in text and text.endswith("\n\n"):
                break
        await loading
    kind = reply.headers["Content-Type"]
    assert contract.check("GET", "events", 200, kind, text.encode())
    assert {name for name, _ in events(text)} >= {"snapshot", "model", "worker"}
