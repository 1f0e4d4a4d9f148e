"""Who answers a request: the pool of this machine, or a server beyond it.

::

    request ──► Providers ──┬──► Router (the pool) ──┐
                            │        │ cannot        ├──► EventStream
                            │        ▼ (if allowed)  │
                            └──► Remote (HTTP) ──────┘
"""

import asyncio
import contextlib
import difflib
import logging
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from llm_ext.core.changes import Notify, ProviderChanged
from llm_ext.core.events import Accepted, Event, Failed, Finished
from llm_ext.core.model_name import model_id
from llm_ext.core.model_status import ModelStatus
from llm_ext.core.provider_status import LOCAL, ProviderStatus, RemoteModel
from llm_ext.core.requests import Request
from llm_ext.core.settings import Settings
from llm_ext.errors import (
    LLMError,
    ModelError,
    ModelNotFoundError,
    ModelUnloadedError,
    NotSupportedError,
    ProviderNotFoundError,
    RateLimitedError,
    ServerStoppingError,
    UnavailableError,
)
from llm_ext.pool.admission import Backlog
from llm_ext.pool.router import Router
from llm_ext.pool.stream import EventStream

from .addresses import is_away

if TYPE_CHECKING:
    from .remote import Remote

INTERVAL = 60.0
"""Seconds after which a provider is asked again which models it has."""

FRESH = 5.0
"""Seconds for which its answer is good for whoever asks how it is."""

PATIENCE = 5.0
"""Seconds for which a stream waits for a provider's refusal, to tell it as an HTTP
status. After them it opens, so that its client sees that something goes on."""

ANY = "*"
"""In the option 'fallbacks': whichever model is asked."""


_log = logging.getLogger(__name__)


class _Target(NamedTuple):
    """A model of a provider."""

    remote: "Remote"
    model: RemoteModel


class Providers:
    """Takes requests by model name, wherever the model is.

    Models of this machine go by their own ids (or ``local/`` and that), others by the
    name of their provider, a slash, and what they are called there. All methods run on
    the event loop.
    """

    def __init__(self, router: Router, settings: Settings, notify: Notify) -> None:
        self._router = router
        self._notify = notify
        self._remotes = _remotes(settings)
        self._fallbacks = {
            name if name == ANY else model_id(name): target
            for name, target in settings.fallbacks.items()
        }
        self._working: dict[EventStream, asyncio.Task[None]] = {}
        self._watching: list[asyncio.Task[None]] = []
        self._stopping = False

    def start(self) -> None:
        """Begin to ask who is there, again and again."""
        self._watching = [
            asyncio.create_task(self._watch(remote))
            for remote in self._remotes.values()
        ]

    async def stop(self) -> None:
        """End what runs, and close all connections."""
        self._stopping = True
        tasks = [*self._watching, *self._working.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*[remote.close() for remote in self._remotes.values()])

    @property
    def requests(self) -> int:
        """Requests that other servers answer now."""
        return sum(remote.requests for remote in self._remotes.values())

    # What there is.

    async def statuses(self) -> list[ProviderStatus]:
        """Return how all providers are, asked just now."""
        stale = [r for r in self._remotes.values() if r.age > FRESH]
        await asyncio.gather(*[self._look(remote) for remote in stale])
        here = ProviderStatus(
            name=LOCAL,
            kind="local",
            state="ready",
            models=len(await self._router.models()),
            requests=self._router.requests,
        )
        return [here, *[remote.status for remote in self._remotes.values()]]

    def models(self) -> list[RemoteModel]:
        """Return the models of other servers, as far as they are known."""
        return [model for remote in self._remotes.values() for model in remote.models]

    async def everywhere(self) -> list[ModelStatus | RemoteModel]:
        """Return the models of this machine and of other servers."""
        return [*await self._router.models(), *self.models()]

    async def model(self, name: str) -> ModelStatus | RemoteModel:
        """Return what can be said of a model.

        Raises:
            ModelNotFoundError: There is none.
            LLMError: Its provider does not answer, or the catalog cannot be read.
        """
        target = await self._target(name)
        if target is not None:
            return target.model
        return await self._router.model(_here(name))

    def own(self, name: str) -> str:
        """Return the name of a model of this machine, as the pool knows it.

        Raises:
            NotSupportedError: It is another's, who alone can do such things with it.
        """
        remote = self._remote(name)
        if remote is None:
            return _here(name)
        raise NotSupportedError(
            f"{name!r} is a model of the provider {remote.name!r}: it can be "
            f"asked, but is neither loaded nor looked into here. Name a model of this "
            f"machine.",
            param="model",
        )

    def provider(self, name: str) -> str:
        """Return ``name``, if a provider has it.

        Raises:
            ProviderNotFoundError: None has.
        """
        known = [LOCAL, *self._remotes]
        if name not in known:
            raise ProviderNotFoundError(name, known=known)
        return name

    # What is answered.

    async def generate(
        self,
        request: Request,
        *,
        user: str,
        keep_alive: float | None = None,
        autoload: bool = True,
        allowed: Callable[[str], bool],
    ) -> EventStream:
        """Return the stream that answers ``request``.

        A model of this machine that cannot answer gives way to another server's, where
        the administrator says so and the caller may ask that; the stream tells of it
        with ``Rerouted``.

        Args:
            request: What is asked, of a model that the caller may ask.
            user: Who asks.
            keep_alive: See ``Router.generate``.
            autoload: Whether a model of this machine may be loaded for it.
            allowed: Whether the caller may ask the model with an id.

        Raises:
            ModelNotFoundError: There is no such model.
            ModelNotLoadedError: It has to be loaded, and ``autoload`` is not set.
            QueueFullError: Too many requests wait for it.
            RateLimitedError: The user has asked too much of late.
            LLMError: Its provider does not say whether it has the model.
        """
        target = await self._target(request.model)
        if target is None:
            request = msgspec.structs.replace(request, model=_here(request.model))
            other = await self._fallback(request.model)
            if other is not None and not allowed(other):
                other = None
            return await self._ask_here(
                request, user, other, keep_alive=keep_alive, autoload=autoload
            )
        self._admit(target, user, self._backlog(target, user))
        stream = self._stream(target.model.id, request, user)
        stream.provider = target.remote.name
        self._work(stream, self._ask(target, request, stream))
        return stream

    async def _ask_here(
        self,
        request: Request,
        user: str,
        other: str | None,
        *,
        keep_alive: float | None,
        autoload: bool,
    ) -> EventStream:
        """Let the pool answer, and ``other`` where that cannot."""
        try:
            here = await self._router.generate(
                request, user=user, keep_alive=keep_alive, autoload=autoload
            )
        except LLMError as error:
            if other is None or not _gives_way(error):
                raise
            target = await self._known(other)
            self._admit(target, user, Backlog())
            stream = self._stream(request.model, request, user)
            self._work(stream, self._reroute(target, request, stream, error))
            return stream
        if other is None:
            return here
        stream = self._stream(here.model, request, user, here=here)
        self._work(stream, self._relay(here, request, stream, other))
        return stream

    async def _relay(
        self, here: EventStream, request: Request, stream: EventStream, other: str
    ) -> None:
        """Hand on what the pool tells; ask ``other`` if it cannot take the request."""
        accepted = False
        with contextlib.closing(here):
            async for event in here:
                if isinstance(event, Failed) and not accepted:
                    error = event.error()
                    if _gives_way(error):
                        break
                accepted = accepted or isinstance(event, Accepted)
                stream.push(event)
            else:
                return
        await self._reroute(await self._known(other), request, stream, error)

    async def _reroute(
        self, target: _Target, request: Request, stream: EventStream, error: LLMError
    ) -> None:
        """Say that another server answers, and let it."""
        stream.reroute(target.model.id, target.remote.name, str(error))
        await self._ask(target, request, stream)

    async def _ask(
        self, target: _Target, request: Request, stream: EventStream
    ) -> None:
        """Let another server answer."""

        def emit(event: Event) -> None:
            stream.push(event)
            if isinstance(event, (Finished, Failed)):
                self._router.ended(stream, event)

        there = msgspec.structs.replace(request, model=target.model.name)
        await target.remote.answer(there, emit)

    # Small parts.

    def _stream(
        self,
        model: str,
        request: Request,
        user: str,
        *,
        here: EventStream | None = None,
    ) -> EventStream:
        """Return a stream that this file fills; ``here`` is the pool's, if one is."""

        def close() -> None:
            if here is not None:
                here.close()
            if stream in self._working and not stream.ended:
                self._working[stream].cancel()

        cold = here is not None and here.cold
        stream = EventStream(model, request, cold=cold, on_close=close, user=user)
        stream.patience = PATIENCE
        if here is not None:
            here.on_usage = stream.charge
        return stream

    def _work(self, stream: EventStream, work: Coroutine[Any, Any, None]) -> None:
        """Fill a stream by and by, and see that it ends."""

        async def fill() -> None:
            try:
                await work
            except LLMError as error:
                stream.push(Failed.of(error))
            except Exception:  # noqa: BLE001  # whoever waits must be told
                _log.exception("a provider's answer could not be read")
                what = LLMError("The server failed to read an answer; see its log.")
                stream.push(Failed.of(what))

        def end(_: object) -> None:
            work.close()  # if it never began
            del self._working[stream]
            stream.push(Failed.of(ServerStoppingError()))  # if nothing else ended it

        task = asyncio.create_task(fill())
        self._working[stream] = task
        task.add_done_callback(end)

    def _admit(self, target: _Target, user: str, backlog: Backlog) -> None:
        if self._stopping:
            raise ServerStoppingError
        self._router.admit(target.model.id, user, backlog)

    def _backlog(self, target: _Target, user: str) -> Backlog:
        """Return what waits there, or runs: which of it does only the other knows."""
        streams = [s for s in self._working if s.model == target.model.id]
        own = sum(stream.user == user for stream in streams)
        return Backlog(waiting=len(streams), of_user=own)

    async def _fallback(self, name: str) -> str | None:
        if not self._fallbacks:
            return None
        model = (await self._router.model(name)).id
        return self._fallbacks.get(model) or self._fallbacks.get(ANY)

    def _remote(self, name: str) -> "Remote | None":
        return self._remotes.get(name.partition("/")[0]) if "/" in name else None

    async def _target(self, name: str) -> _Target | None:
        """Return the other server's model that is meant; None for one of this machine.

        Raises:
            ModelNotFoundError: The server that is named has no such model.
            LLMError: It does not say so.
        """
        remote = self._remote(name)
        if remote is None:
            return None
        if remote.lacks(name.partition("/")[2]):
            await self._look(remote)
        model = remote.find(name.partition("/")[2])
        if model is None:
            ids = [model.id for model in remote.models]
            raise ModelNotFoundError(name, near=difflib.get_close_matches(name, ids))
        return _Target(remote, model)

    async def _known(self, name: str) -> _Target:
        target = await self._target(name)
        if target is None:
            raise ModelNotFoundError(name)
        return target

    async def _watch(self, remote: "Remote") -> None:
        while True:
            await self._look(remote)
            await asyncio.sleep(INTERVAL)

    async def _look(self, remote: "Remote") -> None:
        """Ask a provider how it is, and tell whoever watches if that is news."""
        before = (remote.status.state, remote.status.error, remote.models)
        await remote.look()
        status = remote.status
        if before != (status.state, status.error, remote.models):
            self._notify(ProviderChanged(provider=status, models=remote.models))


def _remotes(settings: Settings) -> "dict[str, Remote]":
    if not settings.providers:
        return {}
    # Its HTTP client takes long to import, and most have no provider.
    from .remote import Remote  # noqa: PLC0415

    return {
        name: Remote(name, provider, offline=settings.offline and is_away(provider.url))
        for name, provider in settings.providers.items()
    }


def _here(name: str) -> str:
    """Return what the pool calls a model that may be named with its provider."""
    return name.removeprefix(f"{LOCAL}/")


def _gives_way(error: LLMError) -> bool:
    """Whether what is wrong is wrong with this machine, rather than the request."""
    return isinstance(error, (ModelError, UnavailableError)) and not isinstance(
        error, (RateLimitedError, ServerStoppingError, ModelUnloadedError)
    )
