"""Registration with a catalog service, over real connections."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import asynccontextmanager
from datetime import datetime, timezone
from typing import Any

import pytest

from llm_ext.core.changes import DownloadRemoved, ModelRemoved
from llm_ext.core.model_status import ModelStatus
from llm_ext.errors import StoreError
from llm_ext.feed import Feed
from llm_ext.registrar import Registrar
from llm_ext.wire.resources import Resource, resource
from tests.catalog_service import CatalogService, catalog_service
from tests.live import free_port
from tests.waiting import until

NOW = datetime(2024, 1, 1, tzinfo=timezone.utc)
CHANGE = ModelRemoved(id="whatever")


def model(name: str, *, size: int = 1, published: bool = True) -> Resource:
    status = ModelStatus(
        id=name, name=name, path="/", size=size, modified=NOW, state="unloaded"
    )
    return resource(status, published=published, public=False, memory=None)


def key(name: str) -> str:
    return f"integrations/local/models/{name}"


class Catalog:
    """Models that a registrar is asked to register.

    Attributes:
        feed: What tells of changes.
        models: What there is.
        problem: Why it cannot be read.
        reads: How often it was read.
    """

    def __init__(self, *models: Resource) -> None:
        self.feed = Feed()
        self.models = list(models)
        self.problem: StoreError | None = None
        self.reads = 0

    async def resources(self) -> list[Resource]:
        self.reads += 1
        if self.problem is not None:
            raise self.problem
        return list(self.models)

    def become(self, *models: Resource) -> None:
        """Change, and tell it."""
        self.models = list(models)
        self.feed.publish(CHANGE)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy for the network has no business on this machine."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def service() -> Iterator[CatalogService]:
    with catalog_service() as running:
        yield running


@asynccontextmanager
async def registering(catalog: Catalog, url: str) -> AsyncIterator[Registrar]:
    registrar = Registrar(
        url, catalog.resources, catalog.feed, pause=0.01, first_delay=0.02
    )
    registrar.start()
    try:
        yield registrar
    finally:
        await registrar.stop()


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scenario)


def test_everything_is_registered_under_its_key(service: CatalogService) -> None:
    """As it is told in ``catalog/resources``; the key is one part of the path."""

    async def scenario() -> None:
        catalog = Catalog(model("a"), model("b", published=False))
        async with registering(catalog, service.url + "/"):
            await until(lambda: len(service.resources) == 2)
        assert service.status(key("a")) == "published"
        assert service.status(key("b")) == "draft"
        assert service.resources[key("a")]["size"] == 1
        path = "/catalog/resources/integrations%2Flocal%2Fmodels%2Fa"
        assert service.calls[0] == ("PUT", path)

    run(scenario())


def test_what_changes_is_registered_again_and_nothing_else(
    service: CatalogService,
) -> None:
    """Many changes at once are one; others are not looked at."""

    async def scenario() -> None:
        catalog = Catalog(model("a"), model("b"))
        async with registering(catalog, service.url):
            await until(lambda: len(service.calls) == 2)
            reads = catalog.reads
            catalog.feed.publish(DownloadRemoved(id="d"))
            for size in range(2, 50):
                catalog.become(model("a", size=size), model("b"))
            await until(lambda: service.resources[key("a")]["size"] == 49)
            assert len(service.calls) <= 4
            assert catalog.reads <= reads + 2

    run(scenario())


def test_what_is_gone_becomes_a_draft_once_and_may_come_back(
    service: CatalogService,
) -> None:
    """Others may have written down where it was."""

    async def scenario() -> None:
        catalog = Catalog(model("a"), model("b"))
        async with registering(catalog, service.url):
            await until(lambda: len(service.calls) == 2)
            catalog.become(model("a"))
            await until(lambda: service.status(key("b")) == "draft")
            catalog.become(model("a", size=2))
            await until(lambda: service.resources[key("a")]["size"] == 2)
            assert len(service.calls) == 4
            catalog.become(model("a", size=2), model("b"))
            await until(lambda: service.status(key("b")) == "published")

    run(scenario())


def test_a_service_without_put_is_posted_to(service: CatalogService) -> None:
    """Where resources are only made."""

    async def scenario() -> None:
        service.knows_put = False
        async with registering(Catalog(model("a")), service.url):
            await until(lambda: key("a") in service.resources)
        assert [method for method, _ in service.calls] == ["PUT", "POST"]

    run(scenario())


def test_a_service_that_fails_is_tried_again(
    service: CatalogService, caplog: pytest.LogCaptureFixture
) -> None:
    """Server errors, closed connections, and one that wants to be left alone."""
    caplog.set_level(logging.INFO, logger="llm_ext")

    async def scenario() -> None:
        service.faults.extend([500, 0, 503, 500])
        async with registering(Catalog(model("a"), model("b")), service.url):
            await until(lambda: len(service.resources) == 2)
            await until(lambda: "has all models now" in caplog.text)

    run(scenario())
    assert "status 500. It is tried again." in caplog.text
    assert "cannot be reached" in caplog.text


def test_a_service_is_left_alone_for_as_long_as_it_asks(
    service: CatalogService,
) -> None:
    """And the others are not tried meanwhile."""

    async def scenario() -> None:
        service.faults.append(429)
        service.retry_after = "1"
        async with registering(Catalog(model("a"), model("b")), service.url):
            began = time.monotonic()
            await until(lambda: len(service.calls) == 1)
            await until(lambda: len(service.resources) == 2)
            assert time.monotonic() - began >= 0.95
            assert len(service.calls) == 3

    run(scenario())


def test_a_service_that_is_away_is_found_when_it_comes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """What is logged meanwhile is one line, without what the address may hold."""

    async def scenario() -> None:
        url = f"http://user:secret@127.0.0.1:{free_port()}"
        catalog = Catalog(model("a"), model("b"))
        async with registering(catalog, url):
            await until(lambda: catalog.reads >= 3)

    run(scenario())
    (line,) = [r for r in caplog.records if r.name == "llm_ext.registrar"]
    assert "cannot be reached" in line.getMessage()
    assert "secret" not in caplog.text


def test_one_that_is_refused_does_not_keep_others_from_it(
    service: CatalogService, caplog: pytest.LogCaptureFixture
) -> None:
    """It is tried again, too: the service may learn."""

    async def scenario() -> None:
        service.refuses.add(key("a"))
        async with registering(Catalog(model("a"), model("b")), service.url):
            await until(lambda: key("b") in service.resources)
            service.refuses.clear()
            await until(lambda: key("a") in service.resources)

    run(scenario())
    assert f"did not take '{key('a')}': status 422" in caplog.text


@pytest.mark.parametrize("url", ["no address", "ftp://elsewhere/", "http://[half"])
def test_an_address_that_is_none_is_told_and_ends_nothing(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The server works without it."""

    async def scenario() -> None:
        catalog = Catalog(model("a"))
        async with registering(catalog, url):
            await until(lambda: catalog.reads >= 2)

    run(scenario())
    assert "cannot be reached" in caplog.text


def test_a_catalog_that_cannot_be_read_is_read_again(service: CatalogService) -> None:
    """The disk may come back."""

    async def scenario() -> None:
        catalog = Catalog(model("a"))
        catalog.problem = StoreError("llm_ext.sqlite3", "the disk is away")
        async with registering(catalog, service.url):
            await until(lambda: catalog.reads >= 2)
            catalog.problem = None
            await until(lambda: key("a") in service.resources)

    run(scenario())


def test_stopping_waits_for_nobody() -> None:
    """Not even in the middle of a call that gets no answer."""

    async def scenario() -> None:
        asked = asyncio.Event()

        async def be_silent(
            reader: asyncio.StreamReader, writer: asyncio.StreamWriter
        ) -> None:
            await reader.readline()
            asked.set()
            await reader.read()
            writer.close()

        server = await asyncio.start_server(be_silent, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with (
            server,
            registering(Catalog(model("a")), f"http://127.0.0.1:{port}") as registrar,
        ):
            await asyncio.wait_for(asked.wait(), 10)
            began = time.monotonic()
            await registrar.stop()
            assert time.monotonic() - began < 1

    run(scenario())
