"""``downloads``: from a hub on this machine, over HTTP."""

import json
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from jupyter_server.serverapp import ServerApp
from tornado.httpclient import HTTPClientError, HTTPResponse

from tests.hub import Fault, Hub, running_hub
from tests.models.hello import write_hello

Fetch = Callable[..., Awaitable[HTTPResponse]]

REPO = "org/Hello-GGUF"
REFERENCE = f"hf:{REPO}:Q8_0"
FILE = "Hello-Q8_0.gguf"


@pytest.fixture
def jp_server_config(tmp_path: Path, models: Path) -> dict[str, Any]:
    """Only our extension, with a model folder of its own, and one allowed owner."""
    del models  # are not to be added to
    return {
        "ServerApp": {
            "jpserver_extensions": {"llm_ext": True},
            "reraise_server_extension_failures": True,
        },
        "LLMExt": {
            "model_folders": [str(tmp_path / "models")],
            "data_folder": str(tmp_path / "data"),
            "allowed_repositories": ["org/*"],
        },
    }


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Hub]:
    """A hub with one small model."""
    write_hello(tmp_path / FILE)
    with running_hub() as running:
        running.add(REPO, {FILE: (tmp_path / FILE).read_bytes()})
        monkeypatch.setenv("HF_ENDPOINT", running.url)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.delenv("HF_TOKEN", raising=False)
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
        yield running


async def post(fetch: Fetch, *path: str, body: object = None) -> dict[str, Any]:
    text = "" if body is None else json.dumps(body)
    reply = await fetch("llm", "downloads", *path, method="POST", body=text)
    found: dict[str, Any] = json.loads(reply.body)
    return found


async def refusal(call: Awaitable[object]) -> tuple[int, str]:
    with pytest.raises(HTTPClientError) as caught:
        await call
    error = json.loads(caught.value.response.body)["error"]  # type: ignore[union-attr]  # it answered
    return caught.value.code, error["code"]


def told(reply: HTTPResponse) -> list[dict[str, Any]]:
    """Return the statuses of an event stream."""
    blocks = [b for b in reply.body.decode().split("\n\n") if b.startswith("event")]
    assert {block.splitlines()[0] for block in blocks} == {"event: download"}
    return [json.loads(b.splitlines()[1].removeprefix("data: ")) for b in blocks]


async def watch(fetch: Fetch, reference: str) -> HTTPResponse:
    return await fetch(
        "llm",
        "downloads",
        method="POST",
        body=json.dumps({"model": reference}),
        headers={"Accept": "text/event-stream"},
        request_timeout=60,
    )


async def test_a_download_can_be_watched_to_its_end(
    hub: Hub, jp_fetch: Fetch, tmp_path: Path
) -> None:
    """Then the catalog has the model, under the id that the last status names."""
    reply = await watch(jp_fetch, REFERENCE)
    assert reply.headers["Content-Type"] == "text/event-stream"
    statuses = told(reply)
    last = statuses[-1]
    assert (last["state"], last["done"]) == ("done", last["total"])
    assert (tmp_path / "models" / REPO / FILE).is_file()
    model = await jp_fetch("llm", "models", last["model"])
    assert json.loads(model.body)["state"] == "unloaded"
    assert hub.ranges() == [0]
    failed = told(await watch(jp_fetch, "hf:org/Missing"))[-1]
    assert failed["error"]["code"] == "repository_not_found"


async def test_a_download_is_steered(hub: Hub, jp_fetch: Fetch) -> None:
    """It is accepted at once, paused, taken up, cancelled, and forgotten."""
    hub.store_faults.append(Fault(hold=1000))
    reply = await jp_fetch(
        "llm", "downloads", method="POST", body=json.dumps({"model": REFERENCE})
    )
    assert reply.code == 202
    status = json.loads(reply.body)
    assert (status["reference"], status["state"]) == (REFERENCE, "waiting")
    name = status["id"]
    assert (await post(jp_fetch, name, "pause"))["state"] == "paused"
    listed = json.loads((await jp_fetch("llm", "downloads")).body)["downloads"]
    assert [one["id"] for one in listed] == [name]
    resumed = await post(jp_fetch, name, "resume")
    assert resumed["state"] in {"waiting", "resolving"}
    kept = jp_fetch("llm", "downloads", name, method="DELETE")
    assert await refusal(kept) == (409, "download_state")
    assert (await post(jp_fetch, name, "cancel"))["state"] == "cancelled"
    shown = json.loads((await jp_fetch("llm", "downloads", name)).body)
    assert shown["state"] == "cancelled"
    gone = await jp_fetch("llm", "downloads", name, method="DELETE")
    assert gone.code == 204
    missing = jp_fetch("llm", "downloads", name)
    assert await refusal(missing) == (404, "download_not_found")


async def test_a_download_outlives_who_watches_it(
    hub: Hub, jp_fetch: Fetch, jp_serverapp: ServerApp
) -> None:
    """A page that is closed changes nothing, and is not waited for."""
    hub.store_faults.append(Fault(hold=1000))
    url = f"{jp_serverapp.connection_url}llm/downloads"
    headers = {
        "Accept": "text/event-stream",
        "Authorization": f"token {jp_serverapp.identity_provider.token}",
    }
    async with (
        httpx.AsyncClient(trust_env=False, headers=headers) as client,
        client.stream("POST", url, json={"model": REFERENCE}) as reply,
    ):
        async for line in reply.aiter_lines():
            if '"state":"downloading"' in line:
                break
    hub.released.set()
    last = told(await watch(jp_fetch, REFERENCE))[-1]
    assert last["state"] == "done"
    assert hub.ranges() == [0]


async def test_what_cannot_be_asked_for_is_refused(
    hub: Hub, jp_fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is sent to the hub."""
    cases: list[tuple[object, int, str]] = [
        ({}, 400, "invalid_request"),
        ({"model": 7}, 400, "invalid_request"),
        ({"model": "hf:org/x", "speed": 1}, 400, "invalid_request"),
        ({"model": "just a name"}, 400, "invalid_request"),
        ({"model": "hf:other/x"}, 403, "repository_not_allowed"),
    ]
    for body, code, name in cases:
        assert await refusal(post(jp_fetch, body=body)) == (code, name)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert await refusal(post(jp_fetch, body={"model": REFERENCE})) == (403, "offline")
    assert hub.requests == []
