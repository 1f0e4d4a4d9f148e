"""The object graph of the server's side: built from settings, started, stopped."""

import time
from dataclasses import dataclass
from pathlib import Path

from llm_ext._version import __version__
from llm_ext.catalog.index import Index
from llm_ext.core.changes import Change
from llm_ext.core.server_status import ServerStatus
from llm_ext.core.settings import ModelSettings, Settings
from llm_ext.downloads.jobs import Downloads
from llm_ext.feed import Feed
from llm_ext.keyring import Keyring
from llm_ext.metrics.collector import Metrics
from llm_ext.pool.launcher import ChildProcess, Launcher
from llm_ext.pool.model_needs import ModelNeeds
from llm_ext.pool.needs import Needs
from llm_ext.pool.probe import Probe
from llm_ext.pool.router import Router
from llm_ext.providers.registry import Providers
from llm_ext.replies import Replies
from llm_ext.store.conversations import Conversations
from llm_ext.store.database import Database
from llm_ext.store.keys import Keys
from llm_ext.store.prompts import Prompts
from llm_ext.store.responses import Responses
from llm_ext.wire.changes import Snapshot
from llm_ext.wire.resources import Resource, resource

DATABASE = "llm_ext.sqlite3"
"""The file's name in the data folder."""


@dataclass(frozen=True, kw_only=True)
class Services:
    """What handlers may use."""

    settings: Settings
    database: Database
    feed: Feed
    metrics: Metrics
    needs: Needs
    probe: Probe
    index: Index
    router: Router
    providers: Providers
    downloads: Downloads
    conversations: Conversations
    prompts: Prompts
    keyring: Keyring
    replies: Replies
    responses: Responses

    async def start(self) -> None:
        """Begin what runs by itself."""
        self.metrics.start(self.router.statuses)
        self.index.start()
        await self.router.start()
        self.providers.start()
        await self.downloads.start()

    async def stop(self) -> None:
        """End every process, and close the file."""
        self.metrics.stop()
        await self.index.stop()
        await self.downloads.stop()
        await self.replies.stop()
        await self.providers.stop()
        await self.router.stop()
        await self.probe.close()
        self.database.close()

    @property
    def requests(self) -> int:
        """Requests that run or wait, whoever answers them."""
        return self.router.requests + self.providers.requests

    async def status(self) -> ServerStatus:
        """Return what there is, and what goes on."""
        models = await self.router.models()
        running = sum(m.slots.busy for m in models if m.slots is not None)
        return ServerStatus(
            version=__version__,
            runtime=await self.needs.runtime(),
            devices=tuple(await self.router.devices()),
            models=len(models),
            loaded=self.router.loaded,
            running=running,
            waiting=max(0, self.router.requests - running),
            downloads=self.downloads.running,
        )

    async def snapshot(self) -> Snapshot:
        """Return everything as it is: what a watcher begins with."""
        return Snapshot(
            default=await self.router.default(),
            models=await self.router.models(),
            workers=await self.router.workers(),
            downloads=list(self.downloads.list()),
            remote=self.providers.models(),
        )

    async def resources(self) -> list[Resource]:
        """Return all models as resources of a catalog service."""
        settings = self.settings
        found = []
        models = await self.router.models()
        guesses = await self.router.guesses()
        for model in models:
            own = settings.models.get(model.id, ModelSettings())
            found.append(
                resource(
                    model,
                    published=own.published,
                    public=settings.public_catalog,
                    memory=model.memory or guesses.get(model.id),
                )
            )
        return found


def build(
    settings: Settings,
    *,
    launch: Launcher = ChildProcess,
    needs: Needs | None = None,
) -> Services:
    """Return services for ``settings``.

    ``launch`` starts worker processes; ``needs`` tells how much memory they take.
    """
    database = Database(settings.data_folder / DATABASE)
    # Numbers that an earlier server gave out are below all of this one's: whoever comes
    # back with one of them is told everything anew.
    feed = Feed(start=time.time_ns() // 1_000_000)
    probe = Probe(database)
    needs = needs or ModelNeeds(probe)

    def catalog_changed() -> None:
        router.look_soon()

    index = Index(settings, database, catalog_changed)
    metrics = Metrics()

    def notify(change: Change) -> None:
        metrics.note(change)
        feed.publish(change)

    router = Router(index, settings, launch, needs, notify, meter=metrics)

    async def model_of(path: Path) -> str | None:
        await index.look()
        entries = await index.entries()
        return next((entry.id for entry in entries if entry.path == path), None)

    return Services(
        settings=settings,
        database=database,
        feed=feed,
        metrics=metrics,
        needs=needs,
        probe=probe,
        index=index,
        router=router,
        providers=Providers(router, settings, notify),
        downloads=Downloads(settings, database, feed.publish, model_of=model_of),
        conversations=Conversations(database),
        prompts=Prompts(database),
        keyring=Keyring(Keys(database)),
        replies=Replies(),
        responses=Responses(),
    )
