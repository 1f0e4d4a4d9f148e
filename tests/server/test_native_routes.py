"""The project's own routes: models, workers, events, preflight, status, resources."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx
import psutil
import pytest
from jupyter_server.serverapp import ServerApp
from tornado.httpclient import HTTPResponse

from llm_ext.handlers.base import SERVICES_KEY
from llm_ext.services import Services

Fetch = Callable[..., Awaitable[HTTPResponse]]
Event = tuple[str | None, dict[str, Any], int | None]


def services(app: ServerApp) -> Services:
    found: Services = app.web_app.settings[SERVICES_KEY]
    return found


def body(reply: HTTPResponse) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(reply.body)
    return found


class Events:
    """What a stream of server-sent events says, as it comes."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Event] = asyncio.Queue()
        self._text = ""

    def feed(self, chunk: bytes) -> None:
        self._text += chunk.decode()
        *whole, self._text = self._text.split("\n\n")
        for block in whole:
            fields = dict(
                line.split(": ", 1)
                for line in block.splitlines()
                if not line.startswith(":")
            )
            if "data" in fields:
                number = int(fields["id"]) if "id" in fields else None
                data = json.loads(fields["data"])
                self._queue.put_nowait((fields.get("event"), data, number))

    async def next(self, name: str, **values: object) -> tuple[dict[str, Any], int]:
        """Return the next event of that name whose data has these values."""
        while True:
            found, data, number = await asyncio.wait_for(self._queue.get(), 30)
            inner = data.get(name, data)
            if found == name and values.items() <= inner.items():
                return inner, number or 0


@asynccontextmanager
async def following(
    app: ServerApp,
    http_server_port: int,
    path: str,
    **options: Any,  # noqa: ANN401  # httpx's
) -> AsyncIterator[Events]:
    """Follow a stream of the server; leaving it closes the connection."""
    events = Events()
    headers = {
        "Authorization": f"token {app.identity_provider.token}",
        "Accept": "text/event-stream",
        **options.pop("headers", {}),
    }
    method = options.pop("method", "GET")
    url = f"http://127.0.0.1:{http_server_port}{app.base_url}llm/{path}"

    async def read() -> None:
        async with (
            httpx.AsyncClient(trust_env=False, timeout=60) as client,
            client.stream(method, url, headers=headers, **options) as reply,
        ):
            async for chunk in reply.aiter_bytes():
                events.feed(chunk)

    reading = asyncio.ensure_future(read())
    try:
        yield events
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def test_events_begin_with_everything_and_go_on_with_changes(
    jp_fetch: Fetch, jp_serverapp: ServerApp, jp_http_port: int
) -> None:
    """Also those that somebody else causes; who comes again misses none."""
    async with following(jp_serverapp, jp_http_port, "events") as events:
        snapshot, _ = await events.next("snapshot")
        assert "hello" in [model["id"] for model in snapshot["models"]]
        assert snapshot["default"] is not None
        await jp_fetch("llm", "models", "hello", "load", method="POST", body="{}")
        _, first = await events.next("model", id="hello", state="loading")
        worker, _ = await events.next("worker", state="loading")
        assert worker["model"] == "hello"
        await events.next("model", id="hello", state="ready")
    again = {"Last-Event-ID": str(first)}
    path = "events"
    async with following(jp_serverapp, jp_http_port, path, headers=again) as events:
        model, number = await events.next("model", id="hello", state="ready")
        assert number > first
        assert model["memory"]["devices"]["CPU"]["weights"] > 100_000
        await jp_fetch("llm", "models", "hello", "unload", method="POST", body="{}")
        await events.next("model", id="hello", state="unloaded")
        await events.next("worker", id=worker["id"], state="ended")
    for lost in ("7", "9999999999999"):  # an earlier server's, and nobody's
        gap = {"Last-Event-ID": lost}
        async with following(jp_serverapp, jp_http_port, path, headers=gap) as events:
            await events.next("snapshot")


async def test_a_load_takes_options_and_a_pin(
    jp_fetch: Fetch, jp_serverapp: ServerApp
) -> None:
    """What is not said is as configured; a wrong one is named."""
    load = ("llm", "models", "babble", "load")
    call = {"options": {"context_length": 512}, "keep_alive": "1h", "pinned": True}
    reply = await jp_fetch(*load, method="POST", body=json.dumps(call))
    assert reply.code == 202
    stream = await services(jp_serverapp).router.load("babble")
    async for _ in stream:
        pass
    status = body(await jp_fetch("llm", "models", "babble"))
    assert status["options"]["context_length"] == 512
    assert status["options"]["slots"] == 1
    assert status["context_length"] == 512
    assert status["pinned"]
    assert status["expires_at"] is None
    reply = await jp_fetch(
        *("llm", "models", "babble", "pin"), method="POST", body='{"pinned": false}'
    )
    assert body(reply)["expires_at"] is not None
    for wrong in (
        {"options": {"context": 1}},
        {"options": {"slots": 0}},
        {"keep_alive": "a while"},
        {"pinned": 3},
    ):
        reply = await jp_fetch(
            *load, method="POST", body=json.dumps(wrong), raise_error=False
        )
        assert reply.code == 400, wrong


async def test_a_model_is_deleted_but_not_while_it_is_loaded(
    jp_fetch: Fetch, jp_serverapp: ServerApp
) -> None:
    """Nor where it is not ours."""
    (folder,) = services(jp_serverapp).settings.model_folders
    file = folder / "doomed.gguf"
    file.write_bytes((folder / "hello.gguf").read_bytes())
    router = services(jp_serverapp).router

    async def listed() -> bool:
        return "doomed" in [model.id for model in await router.models()]

    for _ in range(200):
        if await listed():
            break
        await asyncio.sleep(0.05)
    async for _ in await router.load("doomed"):
        pass
    doomed = ("llm", "models", "doomed")
    reply = await jp_fetch(*doomed, method="DELETE", raise_error=False)
    assert reply.code == 409
    await router.unload("doomed")
    assert (await jp_fetch(*doomed, method="DELETE")).code == 204
    assert not file.exists()
    assert not await listed()
    reply = await jp_fetch(
        *("llm", "models", "guide"), method="DELETE", raise_error=False
    )
    assert reply.code == 400
    assert "part of this package" in body(reply)["error"]["message"]


async def test_workers_come_and_go(
    jp_fetch: Fetch, jp_serverapp: ServerApp, jp_http_port: int
) -> None:
    """The answer names the worker before it is ready."""
    before = services(jp_serverapp).feed.number
    call = json.dumps({"model": "hello", "device": "CPU"})
    reply = await jp_fetch("llm", "workers", method="POST", body=call)
    assert reply.code == 202
    worker = body(reply)
    assert (worker["model"], worker["state"]) == ("hello", "loading")
    path = f"events?since={before}"
    async with following(jp_serverapp, jp_http_port, path) as events:
        await events.next("worker", id=worker["id"], state="ready")
    (listed,) = body(await jp_fetch("llm", "workers"))["workers"]
    assert listed["rss"] > 1_000_000
    assert listed["devices"] == ["CPU"]
    one = ("llm", "workers", worker["id"])
    assert body(await jp_fetch(*one))["pid"] == listed["pid"]
    assert (await jp_fetch(*one, method="DELETE")).code == 204
    assert (await jp_fetch(*one, raise_error=False)).code == 404


async def test_an_ephemeral_worker_ends_with_its_caller(
    jp_fetch: Fetch, jp_serverapp: ServerApp, jp_http_port: int
) -> None:
    """It answers to its own name while it lives."""
    call = json.dumps({"model": "hello", "ephemeral": True})
    reply = await jp_fetch(
        "llm", "workers", method="POST", body=call, raise_error=False
    )
    assert reply.code == 400
    path, post = "workers", {"method": "POST", "content": call}
    async with following(jp_serverapp, jp_http_port, path, **post) as events:
        worker, _ = await events.next("worker", state="loading")
        await events.next("worker", id=worker["id"], state="ready")
        chat = {
            "model": f"hello@{worker['id']}",
            "messages": [{"role": "user", "content": "Hi"}],
        }
        reply = await jp_fetch(
            *("llm", "v1", "chat", "completions"),
            method="POST",
            body=json.dumps(chat),
        )
        assert body(reply)["choices"][0]["message"]["content"]
    router = services(jp_serverapp).router
    for _ in range(200):
        if not await router.workers():
            break
        await asyncio.sleep(0.05)
    assert await router.workers() == []


async def test_the_caller_learns_how_an_ephemeral_worker_ended(
    jp_fetch: Fetch, jp_serverapp: ServerApp, jp_http_port: int
) -> None:
    """By force, at somebody's wish, or before it began."""

    def lent(model: str) -> AbstractAsyncContextManager[Events]:
        call = json.dumps({"model": model, "ephemeral": True})
        post = {"method": "POST", "content": call}
        return following(jp_serverapp, jp_http_port, "workers", **post)

    async with lent("hello") as events:
        worker, _ = await events.next("worker", state="ready")
        psutil.Process(worker["pid"]).kill()
        last, _ = await events.next("worker", state="failed")
        assert last["id"] == worker["id"]
        assert last["error"]["code"] == "worker_died"
    async with lent("hello") as events:
        worker, _ = await events.next("worker", state="ready")
        await jp_fetch("llm", "workers", worker["id"], method="DELETE")
        await events.next("worker", state="ended", error=None)
    async with lent("broken") as events:
        error, _ = await events.next("error")
        assert "not a GGUF file" in error["message"]


async def test_preflight_and_status(jp_fetch: Fetch) -> None:
    """Whether a model would load, and what there is to load it into."""
    query = {"model": "hello", "context_length": "256"}
    found = body(await jp_fetch("llm", "preflight", params=query))
    assert found["ok"], found
    assert found["memory"]["context_length"] == 256
    found = body(await jp_fetch("llm", "preflight", params={"model": "broken"}))
    assert not found["ok"]
    assert "not a GGUF file" in found["checks"][0]["message"]
    reply = await jp_fetch("llm", "preflight", raise_error=False)
    assert reply.code == 400
    status = body(await jp_fetch("llm", "status"))
    cpu = status["devices"][0]
    assert cpu["device"]["name"] == "CPU"
    assert 0 < cpu["limit"] < cpu["device"]["total"]
    assert status["models"] > 10
    assert status["runtime"]["llama_cpp"]


async def test_models_are_resources(jp_fetch: Fetch) -> None:
    """What cannot be loaded is a draft, and filters choose."""
    path = ("llm", "catalog", "resources")
    found = body(await jp_fetch(*path))["resources"]
    by_id = {resource["id"]: resource for resource in found}
    assert by_id["hello"]["key"] == "integrations/local/models/hello"
    assert by_id["hello"]["status"] == "published"
    assert by_id["hello"]["access"] == {"read": "authenticated", "use": "authenticated"}
    assert by_id["broken"]["status"] == "draft"
    drafts = body(await jp_fetch(*path, params={"status": "draft"}))["resources"]
    assert {resource["status"] for resource in drafts} == {"draft"}
    other = body(await jp_fetch(*path, params={"provider": "elsewhere"}))
    assert other["resources"] == []


@pytest.fixture
def public_catalog(jp_server_config: dict[str, Any]) -> None:
    """Let strangers read of the models."""
    jp_server_config["LLMExt"]["public_catalog"] = True


@pytest.mark.usefixtures("public_catalog")
async def test_a_public_catalog_shows_strangers_what_is_published(
    jp_fetch: Fetch,
) -> None:
    """And the one who is known, everything."""
    path = ("llm", "catalog", "resources")
    strangers = await jp_fetch(*path, headers={"Authorization": "Bearer wrong"})
    found = body(strangers)["resources"]
    assert {resource["status"] for resource in found} == {"published"}
    assert "path" not in found[0]
    everything = body(await jp_fetch(*path))["resources"]
    assert len(everything) > len(found)


@pytest.fixture
def limited(jp_server_config: dict[str, Any]) -> None:
    """Allow two requests a minute."""
    jp_server_config["LLMExt"]["requests_per_minute"] = 2


@pytest.mark.usefixtures("limited")
async def test_rate_limits_are_told_in_headers(jp_fetch: Fetch) -> None:
    """As OpenAI's clients read them, and when to come again."""
    chat = {
        "model": "hello",
        "messages": [{"role": "user", "content": "Hi"}],
        "max_tokens": 1,
    }
    path = ("llm", "v1", "chat", "completions")
    post = {"method": "POST", "body": json.dumps(chat), "raise_error": False}
    for left in ("1", "0"):
        reply = await jp_fetch(*path, **post)
        assert reply.code == 200
        assert reply.headers["x-ratelimit-limit-requests"] == "2"
        assert reply.headers["x-ratelimit-remaining-requests"] == left
    reply = await jp_fetch(*path, **post)
    assert reply.code == 429
    assert body(reply)["error"]["code"] == "rate_limit_exceeded"
    assert 1 <= int(reply.headers["Retry-After"]) <= 30
    assert reply.headers["x-ratelimit-remaining-requests"] == "0"
