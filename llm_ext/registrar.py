"""Keeps a catalog service up to date with the models that are here.

Each model is a resource there: ``PUT {url}/resources/{key}``, or where the service does
not know that, ``POST {url}/resources``. The key is one segment of the path.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable
from urllib.parse import quote, urlsplit

import httpx
import msgspec

from llm_ext.core.changes import ModelChanged, ModelRemoved
from llm_ext.errors import LLMError
from llm_ext.feed import Feed
from llm_ext.wire.resources import Resource

TIMEOUT = 10.0
"""Seconds for each step of a request."""

PAUSE = 2.0
"""Seconds for which changes are collected: a load makes many."""

FIRST_DELAY = 1.0
"""Seconds after a first failure; each further one doubles them."""

LAST_DELAY = 300.0
"""Most seconds between two attempts."""

_NOT_KNOWN = {httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED}

_BUSY = {httpx.codes.TOO_MANY_REQUESTS, httpx.codes.SERVICE_UNAVAILABLE}

_log = logging.getLogger(__name__)

Resources = Callable[[], Awaitable[list[Resource]]]


class _NotTakenError(Exception):
    """The service did not take a resource.

    Attributes:
        wait: Seconds for which it wants to be left alone.
        away: Whether it would take no other one either.
    """

    def __init__(self, message: str, *, wait: float = 0.0, away: bool = False) -> None:
        super().__init__(message)
        self.wait = wait
        self.away = away


class Registrar:
    """Registers every resource, again when it changes, and drafts those that are gone.

    It runs by itself: that a service is slow, wrong or away is logged once, and tried
    again at growing intervals.
    """

    def __init__(
        self,
        url: str,
        resources: Resources,
        feed: Feed,
        *,
        pause: float = PAUSE,
        first_delay: float = FIRST_DELAY,
    ) -> None:
        self._url = url.rstrip("/")
        self._host = _host(url)
        self._resources = resources
        self._feed = feed
        self._pause = pause
        self._first_delay = first_delay
        self._registered: dict[str, Resource] = {}
        self._problem = ""
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, without waiting for anything."""
        self._running = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End at once; what is registered stays so."""
        if self._running is not None:
            self._running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._running
            self._running = None

    async def _run(self) -> None:
        delay = self._first_delay
        async with httpx.AsyncClient(timeout=TIMEOUT) as client:
            while True:
                number = self._feed.number
                try:
                    await self._register_all(client)
                except (_NotTakenError, LLMError) as error:
                    self._tell(str(error))
                    wait = error.wait if isinstance(error, _NotTakenError) else 0.0
                    await asyncio.sleep(max(_spread(delay), min(wait, LAST_DELAY)))
                    delay = min(2 * delay, LAST_DELAY)
                else:
                    self._tell("")
                    delay = self._first_delay
                    await self._news(number)
                    await asyncio.sleep(self._pause)

    async def _news(self, number: int) -> None:
        """Return when a model is new, changed or gone since change ``number``."""
        while True:
            await self._feed.wait(number)
            changes = self._feed.since(number)
            if changes is None:
                return
            if any(isinstance(c.change, (ModelChanged, ModelRemoved)) for c in changes):
                return
            number = self._feed.number

    async def _register_all(self, client: httpx.AsyncClient) -> None:
        """Register what is new or has changed.

        Raises:
            LLMError: The catalog cannot be read.
            _NotTakenError: Something was not taken; what could be was.
        """
        here = {found.key: found for found in await self._resources()}
        gone = (r for key, r in self._registered.items() if key not in here)
        drafts = [msgspec.structs.replace(found, status="draft") for found in gone]
        problem: _NotTakenError | None = None
        for found in [*here.values(), *drafts]:
            if self._registered.get(found.key) == found:
                continue
            try:
                await self._register(client, found)
            except _NotTakenError as error:
                problem = error
                if error.away:
                    break
            else:
                self._registered[found.key] = found
        if problem is not None:
            raise problem

    async def _register(self, client: httpx.AsyncClient, found: Resource) -> None:
        content = msgspec.json.encode(found)
        headers = {"Content-Type": "application/json"}
        resources = f"{self._url}/resources"
        own = f"{resources}/{quote(found.key, safe='')}"
        try:
            reply = await client.put(own, content=content, headers=headers)
            if reply.status_code in _NOT_KNOWN:
                reply = await client.post(resources, content=content, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            what = str(error) or type(error).__name__
            raise _NotTakenError(
                f"The catalog service at {self._host} cannot be reached: {what}.",
                away=True,
            ) from error
        if not reply.is_success:
            raise _NotTakenError(
                f"The catalog service at {self._host} did not take {found.key!r}: "
                f"status {reply.status_code}.",
                wait=_retry_after(reply),
                away=reply.status_code in _BUSY,
            )

    def _tell(self, problem: str) -> None:
        """Log a problem when it is new, and its end."""
        if problem and problem != self._problem:
            _log.warning("%s It is tried again.", problem)
        elif self._problem and not problem:
            _log.info("The catalog service at %s has all models now.", self._host)
        self._problem = problem


def _host(url: str) -> str:
    """Return what of an address may be logged: the rest may hold a password."""
    with contextlib.suppress(ValueError):
        return urlsplit(url).hostname or "no address"
    return "no address"


def _retry_after(reply: httpx.Response) -> float:
    text = reply.headers.get("Retry-After", "")
    return float(text) if text.isdecimal() else 0.0


def _spread(delay: float) -> float:
    """Return a part of a delay: servers that start together must not call together."""
    return delay * random.uniform(0.5, 1)  # noqa: S311  # no secret
