"""Every route, inside a Jupyter server: who may ask, and what comes back."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from jupyter_server.auth import Authorizer
from jupyter_server.serverapp import ServerApp
from tornado.httpclient import HTTPClientError, HTTPResponse

from llm_ext import routes
from llm_ext.handlers.base import LLMHandler
from llm_ext.handlers.health import LiveHandler

Fetch = Callable[..., Awaitable[HTTPResponse]]

VERBS = ("get", "head", "post", "put", "patch", "delete")


HELPERS = ("tokenize", "detokenize", "apply-template", "infill")
OLLAMA = ("api/generate", "api/chat", "api/embed", "api/embeddings")


def own_verbs(handler: type[LLMHandler]) -> list[str]:
    kinds = [kind for kind in handler.__mro__ if issubclass(kind, LLMHandler)]
    own = {name for kind in kinds[:-1] for name in vars(kind)}
    return [verb for verb in VERBS if verb in own]


def example(route: str) -> str:
    examples = {
        r"([^/]+(?:/[^/]+)*?)": "hello",
        "([^/]+)": "w1",
        "(.*)": "nothing/here",
    }
    for pattern, path in examples.items():
        route = route.replace(pattern, path)
    return route


def parts(route: str) -> list[str]:
    """Return the route's path, as the fixture wants it; it strips last slashes."""
    return ["llm", *route.split("/")] if route else ["llm/"]


CALLS = [
    (verb, example(route), handler)
    for route, handler in routes.ROUTES
    for verb in own_verbs(handler)
]


def test_every_route_is_walked() -> None:
    """The list below is made from the table itself, and leaves nothing out."""
    assert len(CALLS) >= len(routes.ROUTES)
    assert not any("(" in route for _, route, _ in CALLS)


@pytest.mark.parametrize(("verb", "route", "handler"), CALLS)
async def test_strangers_are_refused_everywhere_but_at_liveness(
    jp_fetch: Fetch, verb: str, route: str, handler: type[LLMHandler]
) -> None:
    call = jp_fetch(
        *parts(route),
        method=verb.upper(),
        allow_nonstandard_methods=True,
        headers={"Authorization": "Bearer wrong"},
    )
    if handler is LiveHandler:
        assert json.loads((await call).body)["status"] == "ok"
        return
    with pytest.raises(HTTPClientError) as caught:
        await call
    assert caught.value.code in {401, 403}
    if verb == "head":
        return
    error = json.loads(caught.value.response.body)["error"]  # type: ignore[union-attr]  # it answered
    if not route or route.startswith("api/"):  # Ollama's errors are text
        assert error
    else:
        assert error["type"] in {"authentication_error", "permission_error"}


class _Nobody(Authorizer):
    """Allows nothing, after a while, and remembers what was asked for."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401  # traitlets' own
        super().__init__(**options)
        self.asked: list[tuple[str, str]] = []

    async def is_authorized(  # Jupyter awaits it
        self,
        handler: Any,  # noqa: ANN401  # jupyter_server's signature
        user: Any,  # noqa: ANN401  # the same
        action: str,
        resource: str,
    ) -> bool:
        del handler, user
        self.asked.append((action, resource))
        return False


@pytest.mark.parametrize(("verb", "route", "handler"), CALLS)
async def test_the_authorizer_decides_on_every_route_but_liveness(
    jp_fetch: Fetch,
    jp_serverapp: ServerApp,
    verb: str,
    route: str,
    handler: type[LLMHandler],
) -> None:
    if handler is LiveHandler:
        return
    nobody = _Nobody()
    jp_serverapp.web_app.settings["authorizer"] = nobody
    with pytest.raises(HTTPClientError) as caught:
        await jp_fetch(
            *parts(route),
            method=verb.upper(),
            allow_nonstandard_methods=True,
        )
    assert caught.value.code == 403
    ((action, resource),) = nobody.asked
    assert resource.startswith("llm_ext:")
    inference = route.startswith(("v1/chat", "v1/embeddings", "v1/rerank"))
    inference |= route in {"v1/completions", *HELPERS, *OLLAMA}
    inference |= verb == "post" and route.startswith(("v1/responses", "v1/messages"))
    inference |= verb == "post" and route.endswith(("/reply", "/execute", "/stream"))
    reads = verb in {"get", "head"} or route == "api/show"
    expected = "execute" if inference else "read" if reads else "write"
    assert action == expected


async def test_health_says_which_version_runs(jp_fetch: Fetch) -> None:
    for route in ("live", "ready"):
        reply = await jp_fetch("llm", "health", route)
        health = json.loads(reply.body)
        assert health == {
            "status": "ok",
            "version": health["version"],
            "api_version": "v1",
        }


async def test_a_route_that_does_not_exist_says_so_in_json(jp_fetch: Fetch) -> None:
    """A client of a later version, or of another dialect, can show it."""
    reply = await jp_fetch(
        *("llm", "v1", "assistants"), method="POST", body="{}", raise_error=False
    )
    assert reply.code == 404
    error = json.loads(reply.body)["error"]
    assert error["message"] == "This version has no route 'v1/assistants'."
    assert error["code"] == "not_found"


async def test_models_are_listed_in_both_shapes(jp_fetch: Fetch) -> None:
    native = json.loads((await jp_fetch("llm", "models")).body)
    openai = json.loads((await jp_fetch("llm", "v1", "models")).body)
    assert openai["object"] == "list"
    assert {m["id"] for m in native["models"]} == {m["id"] for m in openai["data"]}
    hello = next(m for m in native["models"] if m["id"] == "hello")
    assert hello["state"] == "unloaded"
    assert [hello[key] for key in ("progress", "slots", "memory_kind")] == [None] * 3
    assert hello["size"] > 100_000


async def test_nobody_else_is_asked_until_an_administrator_names_him(
    jp_fetch: Fetch,
) -> None:
    """A request can name neither a server nor its address."""
    told = json.loads((await jp_fetch("llm", "providers")).body)
    assert [provider["name"] for provider in told["providers"]] == ["local"]

    async def refused(**call: object) -> tuple[int, str]:
        params = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
        given = {"operation": "chat", "params": params, **call}
        reply = await jp_fetch(
            *("llm", "providers", "execute"),
            method="POST",
            body=json.dumps(given),
            raise_error=False,
        )
        return reply.code, json.loads(reply.body)["error"]["code"]

    url = "http://127.0.0.1:1/v1"
    assert await refused(provider="lab") == (404, "provider_not_found")
    assert await refused(provider=url) == (404, "provider_not_found")
    assert await refused(provider="local", url=url) == (400, "invalid_request")


async def test_a_full_queue_is_429_and_says_when_to_come_again(jp_fetch: Fetch) -> None:
    """One slot, and two may wait: of eight at once, five are refused."""
    body = {
        "model": "babble",
        "messages": [{"role": "user", "content": "Hi"}],
        "max_tokens": 200,
    }

    async def ask() -> HTTPResponse:
        return await jp_fetch(
            *("llm", "v1", "chat", "completions"),
            method="POST",
            body=json.dumps(body),
            raise_error=False,
        )

    replies = await asyncio.gather(*[ask() for _ in range(8)])

    assert sorted(reply.code for reply in replies) == [200] * 3 + [429] * 5
    for reply in replies:
        if reply.code == 429:
            assert reply.headers["Retry-After"] == "2"
            assert json.loads(reply.body)["error"]["code"] == "queue_full"


async def test_status_polling_does_not_count_as_activity(
    jp_fetch: Fetch, jp_serverapp: ServerApp
) -> None:
    """Else an open page would keep an idle server alive for ever."""
    settings = jp_serverapp.web_app.settings
    settings["api_last_activity"] = "before"
    await jp_fetch("llm", "models", params={"no_track_activity": "1"})
    assert settings["api_last_activity"] == "before"
    await jp_fetch("llm", "models")
    assert settings["api_last_activity"] != "before"


async def test_pages_of_other_sites_are_let_in_as_jupyter_is_set(
    jp_fetch: Fetch, jp_serverapp: ServerApp
) -> None:
    """No site by default; one that is allowed may send whatever its client sends."""
    page = "https://page.example"
    asked = "authorization, content-type, x-api-key, x-stainless-os"

    async def preflight() -> HTTPResponse:
        return await jp_fetch(
            *("llm", "v1", "chat", "completions"),
            method="OPTIONS",
            headers={
                "Authorization": "",  # browsers ask without it
                "Origin": page,
                "Access-Control-Request-Headers": asked,
            },
        )

    reply = await preflight()
    assert reply.headers.get("Access-Control-Allow-Origin") != page
    jp_serverapp.web_app.settings["allow_origin"] = page
    reply = await preflight()
    assert reply.headers["Access-Control-Allow-Origin"] == page
    assert reply.headers["Access-Control-Allow-Headers"] == asked
    reply = await jp_fetch("llm", "v1", "models", headers={"Origin": page})
    assert reply.headers["Access-Control-Allow-Origin"] == page
    readable = reply.headers["Access-Control-Expose-Headers"].split(", ")
    assert {"X-Ignored-Fields", "Retry-After", "x-should-retry"} <= set(readable)
