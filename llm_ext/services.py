"""The object graph of the server's side: built from settings, started, stopped."""

from dataclasses import dataclass

from llm_ext.catalog.index import Index
from llm_ext.core.settings import Settings
from llm_ext.pool.launcher import ChildProcess, Launcher
from llm_ext.pool.router import Router


@dataclass(frozen=True, kw_only=True)
class Services:
    """What handlers may use."""

    settings: Settings
    router: Router

    async def stop(self) -> None:
        """End every worker."""
        await self.router.stop()


def build(settings: Settings, *, launch: Launcher = ChildProcess) -> Services:
    """Return services for ``settings``; ``launch`` starts worker processes."""
    return Services(
        settings=settings,
        router=Router(Index(settings.model_folders), settings, launch),
    )
