"""A server that registers its models with a catalog service."""

import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from jupyter_server.serverapp import ServerApp
from tornado.httpclient import HTTPResponse

from tests.catalog_service import CatalogService, catalog_service
from tests.server_start import start
from tests.waiting import until

Fetch = Callable[..., Awaitable[HTTPResponse]]


@pytest.fixture
def service(
    jp_server_config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> Iterator[CatalogService]:
    """Let the server know of a service."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with catalog_service() as running:
        jp_server_config["LLMExt"]["catalog_service_url"] = running.url
        yield running


@pytest.fixture
def offline(jp_server_config: dict[str, Any], service: CatalogService) -> None:
    """Forbid the network."""
    del service
    jp_server_config["LLMExt"]["offline"] = True


async def test_models_are_registered_as_they_are_told(
    service: CatalogService, jp_serverapp: ServerApp, jp_fetch: Fetch
) -> None:
    """And again once a load has shown what memory they need."""
    await start(jp_serverapp)
    reply = await jp_fetch("llm", "catalog", "resources")
    told = {found["key"]: found for found in json.loads(reply.body)["resources"]}

    await until(lambda: service.resources.keys() == told.keys())
    key = "integrations/local/models/hello"
    assert service.resources[key] == told[key]
    assert not service.resources[key]["memory"]["measured"]
    await jp_fetch("llm", "models", "hello", "load", method="POST", body="{}")
    await until(lambda: service.resources[key]["memory"]["measured"])


@pytest.mark.usefixtures("offline")
async def test_an_offline_server_calls_nobody(
    service: CatalogService, jp_serverapp: ServerApp, jp_fetch: Fetch
) -> None:
    """Whatever else is configured: nothing has even been begun."""
    await start(jp_serverapp)
    await jp_fetch("llm", "catalog", "resources")
    (extension,) = jp_serverapp.extension_manager.extension_apps["llm_ext"]
    assert extension._registrar is None
    assert service.calls == []
