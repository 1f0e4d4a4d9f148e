"""One server beyond this machine: which models it has, and what it answers."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from datetime import datetime, timezone
from http import HTTPStatus
from typing import Any, cast

import httpx
import msgspec

from llm_ext.core.events import (
    Accepted,
    Event,
    Failed,
    Finished,
    Timings,
    Usage,
)
from llm_ext.core.model_status import Problem
from llm_ext.core.provider_status import ProviderState, ProviderStatus, RemoteModel
from llm_ext.core.requests import ChatRequest, CompletionRequest, EmbedRequest, Request
from llm_ext.core.settings import ProviderSettings
from llm_ext.errors import (
    LLMError,
    ProviderAnswerError,
    ProviderOfflineError,
    ProviderTimeoutError,
    ProviderUnreachableError,
)

from . import credential, refusal, remote_progress
from .incoming import Incoming, WrongAnswerError, scores, vectors
from .model_list import model_list
from .outgoing import outgoing
from .sse_reader import SentEvent, SSEReader

LOOK_TIMEOUT = 10.0
"""Seconds of silence after which a list of models is given up."""

LIST_FRESH = 1.0
"""Seconds for which it is not asked again for a model that it lacks."""

MAX_BODY = 64 * 1024 * 1024
"""Bytes of an answer in one piece, and of a list of models."""

LINGER = 1.0
"""Seconds within which a server closes a stream that has ended."""

MAX_REFUSAL = 64 * 1024
"""Bytes that are read of what a server says against a request."""

_NO_CONNECTION = (
    httpx.ConnectError,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
)
_EVENTS = "text/event-stream"
_DONE = b"[DONE]"

Emit = Callable[[Event], None]


class Remote:
    """Asks one provider. All methods run on the event loop, and none blocks it.

    Attributes:
        name: What stands before the slash in the ids of its models.
        settings: As the administrator configured it.
        requests: Those that it answers now.
    """

    def __init__(
        self, name: str, settings: ProviderSettings, *, offline: bool = False
    ) -> None:
        self.name = name
        self.settings = settings
        self.requests = 0
        self._url = settings.url.rstrip("/")
        self._offline = offline
        self._client: asyncio.Future[httpx.AsyncClient] | None = None
        self._models = model_list(name, settings.models, {"data": []})
        self._error: LLMError | None = ProviderOfflineError(name) if offline else None
        self._checked_at: datetime | None = None
        self._latency: float | None = None
        self._looked = -float("inf")
        self._looking: asyncio.Task[None] | None = None
        self._secret = ""  # the credential that was sent last: it must not be told

    # Which models there are.

    @property
    def models(self) -> list[RemoteModel]:
        """Those that it offers, as far as is known."""
        return list(self._models.values())

    @property
    def age(self) -> float:
        """Seconds since it was last asked for its models."""
        return time.monotonic() - self._looked

    @property
    def status(self) -> ProviderStatus:
        """What can be said of it now."""
        state: ProviderState = "unknown" if self._checked_at is None else "ready"
        if self._error is not None:
            state = "offline" if self._offline else "failed"
        return ProviderStatus(
            name=self.name,
            kind="remote",
            url=self._url,
            state=state,
            error=None
            if self._error is None
            else Problem(code=self._error.code, message=str(self._error)),
            models=len(self._models),
            requests=self.requests,
            checked_at=self._checked_at,
            latency=self._latency,
        )

    async def look(self) -> None:
        """Ask for its models; whoever asks meanwhile waits for the same answer.

        What keeps it from answering is told by :attr:`status`, and what was known
        stays: whoever asks one of its models is told of it then.
        """
        if self._offline:
            return
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        await asyncio.shield(self._looking)

    def lacks(self, name: str) -> bool:
        """Return whether it has no such model, and was not asked just now."""
        return name not in self._models and self.age > LIST_FRESH

    def find(self, name: str) -> RemoteModel | None:
        """Return the model that it calls so.

        Raises:
            ProviderError: It does not say which models it has.
        """
        if name not in self._models and self._error is not None:
            raise self._error
        return self._models.get(name)

    async def _look(self) -> None:
        began = time.monotonic()
        try:
            self._models = await self._listed()
            self._error = None
            self._latency = time.monotonic() - began
        except LLMError as error:
            self._error = error
            self._latency = None
        self._looked = time.monotonic()
        self._checked_at = datetime.now(timezone.utc)

    async def _listed(self) -> dict[str, RemoteModel]:
        with self._troubles(LOOK_TIMEOUT):
            async with self._sent("GET", "models", timeout=LOOK_TIMEOUT) as reply:
                body = await self._json(reply)
        try:
            return model_list(self.name, self.settings.models, body)
        except WrongAnswerError as error:
            raise ProviderAnswerError(self.name, str(error)) from None

    # What is answered.

    async def answer(self, request: Request, emit: Emit) -> None:
        """Tell ``emit`` all that happens to a request, up to its end.

        The request names the model as the provider does. Cancelling this closes the
        connection, by which the provider learns that nobody waits any more.
        """
        answering = _Answering(request, emit)
        self.requests += 1
        try:
            with self._troubles(self.settings.timeout):
                await self._answer(request, answering)
        except LLMError as error:
            answering.tell(Failed.of(error))
        except asyncio.CancelledError:
            answering.tell(Finished(reason="cancelled", usage=answering.usage))
            raise
        finally:
            self.requests -= 1

    async def _answer(self, request: Request, answering: "_Answering") -> None:
        if self._offline:
            raise ProviderOfflineError(self.name)
        path, body = outgoing(request, request.model, self.settings)
        async with self._sent(
            "POST", path, body=body, timeout=self.settings.timeout
        ) as reply:
            answering.accepted()
            kind = reply.headers.get("Content-Type", "")
            try:
                if kind.startswith(_EVENTS):
                    await self._follow(reply, answering)
                else:
                    answering.whole(await self._json(reply))
            except WrongAnswerError as error:
                raise ProviderAnswerError(self.name, str(error)) from None

    async def _follow(self, reply: httpx.Response, answering: "_Answering") -> None:
        reader = SSEReader()
        async with _parts(reply) as parts:
            async for part in parts:
                try:
                    events = reader.feed(part)
                except ValueError as error:
                    raise WrongAnswerError(str(error)) from None
                if self._take(events, answering):
                    await _drain(parts)
                    return
        self._take(reader.end(), answering)
        answering.end()

    def _take(self, events: list[SentEvent], answering: "_Answering") -> bool:
        """Tell what events say; return whether that was all."""
        for sent in events:
            if sent.comment:
                answering.progress(sent.data.decode(errors="replace"))
            elif sent.data == _DONE:
                answering.end()
                return True
            else:
                answering.part(self._decoded(sent.data))
        return False

    def _decoded(self, data: bytes) -> Mapping[str, Any]:
        """Return a part of an answer.

        Raises:
            LLMError: It is an error.
            WrongAnswerError: It is nothing that is known.
        """
        try:
            body = msgspec.json.decode(data)
        except (msgspec.DecodeError, RecursionError):
            raise WrongAnswerError("a part of it is no JSON") from None
        if not isinstance(body, dict):
            raise WrongAnswerError("a part of it is no JSON object")
        if body.get("error"):
            raise refusal.in_answer(self.name, body, secret=self._secret)
        return body

    # How it is asked.

    @contextlib.asynccontextmanager
    async def _sent(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        timeout: float,  # of each silence, not of the whole
    ) -> AsyncIterator[httpx.Response]:
        """Send a request; the answer is read within, and its connection closed after.

        Raises:
            LLMError: It is refused.
        """
        self._secret = await asyncio.to_thread(
            credential.token, self.name, self.settings
        )
        headers = {"Authorization": f"Bearer {self._secret}"} if self._secret else {}
        content = None if body is None else msgspec.json.encode(body)
        if content is not None:
            headers["Content-Type"] = "application/json"
        client = await self._http()
        limits = httpx.Timeout(timeout, connect=self.settings.connect_timeout)
        async with client.stream(
            method,
            f"{self._url}/{path}",
            content=content,
            headers=headers,
            timeout=limits,
        ) as reply:
            if reply.status_code != HTTPStatus.OK:
                said = await self._read(reply, MAX_REFUSAL)
                raise refusal.of_status(
                    self.name,
                    reply.status_code,
                    said,
                    reply.headers,
                    secret=self._secret,
                )
            yield reply

    async def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            # It reads the certificates that are trusted, which takes long.
            making = asyncio.to_thread(
                httpx.AsyncClient,
                limits=httpx.Limits(max_connections=None),
                headers={"User-Agent": "jupyter-llm-ext"},
            )
            self._client = asyncio.ensure_future(making)
        return await asyncio.shield(self._client)

    async def _json(self, reply: httpx.Response) -> dict[str, Any]:
        data = await self._read(reply, MAX_BODY)
        try:
            body = msgspec.json.decode(data)
        except (msgspec.DecodeError, RecursionError):
            raise ProviderAnswerError(self.name, "it is no JSON") from None
        if not isinstance(body, dict):
            raise ProviderAnswerError(self.name, "it is no JSON object")
        if body.get("error"):
            raise refusal.in_answer(self.name, body, secret=self._secret)
        return body

    async def _read(self, reply: httpx.Response, most: int) -> bytes:
        """Return a body, or its beginning where it is longer than ``most``."""
        data = bytearray()
        async with _parts(reply) as parts:
            async for part in parts:
                data += part
                if len(data) > most:
                    break
        return bytes(data)

    @contextlib.contextmanager
    def _troubles(self, silence: float) -> Iterator[None]:
        """Tell what may happen to a connection in this project's errors."""
        try:
            yield
        except httpx.ConnectTimeout:
            wait = f"no connection within {self.settings.connect_timeout:g} s"
            raise ProviderUnreachableError(self.name, wait) from None
        except httpx.TimeoutException:
            raise ProviderTimeoutError(self.name, seconds=silence) from None
        except _NO_CONNECTION as e:
            raise ProviderUnreachableError(self.name, _words(e)) from None
        except (httpx.TransportError, httpx.DecodingError) as e:
            what = f"the connection broke off ({_words(e)})"
            raise ProviderAnswerError(self.name, what) from None

    async def close(self) -> None:
        """Close all connections."""
        if self._looking is not None:
            self._looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._looking
        if self._client is not None:
            await (await self._client).aclose()


class _Answering:
    """One request's answer, on its way from what is sent to what is told."""

    def __init__(self, request: Request, emit: Emit) -> None:
        self._request = request
        self._emit = emit
        self._incoming: Incoming | None = None
        if isinstance(request, (ChatRequest, CompletionRequest)):
            self._incoming = Incoming(request)
        self._sent_at = time.monotonic()
        self._first_at: float | None = None
        self._ended = False

    @property
    def usage(self) -> Usage:
        """The token counts so far."""
        if self._incoming is not None:
            return self._incoming.usage
        return Usage(prompt_tokens=0, completion_tokens=0)

    def tell(self, event: Event) -> None:
        """Tell an event; nothing follows the end."""
        if self._ended:
            return
        self._ended = isinstance(event, (Finished, Failed))
        self._emit(event)

    def accepted(self) -> None:
        """Say that the request was taken."""
        self.tell(Accepted(prompt_tokens=0))

    def progress(self, comment: str) -> None:
        """Go on with a comment."""
        event = remote_progress.event(comment)
        if event is not None:
            self.tell(event)

    def part(self, chunk: Mapping[str, Any]) -> None:
        """Go on with a part."""
        if self._incoming is None:
            raise WrongAnswerError("it comes in parts")
        for event in self._incoming.read(chunk):
            self._first_at = self._first_at or time.monotonic()
            self.tell(event)

    def whole(self, body: Mapping[str, Any]) -> None:
        """Tell an answer that came in one piece."""
        request = self._request
        if isinstance(request, (ChatRequest, CompletionRequest)):
            self.part(body)
            self.end()
            return
        if isinstance(request, EmbedRequest):
            told, usage = vectors(request, body)
            self.tell(told)
        else:
            ranked, usage = scores(request, body)
            self.tell(ranked)
        self.tell(Finished(reason="stop", usage=usage))

    def end(self) -> None:
        """Tell the end of an answer that came in parts."""
        if self._incoming is None:
            raise WrongAnswerError("it comes in parts")
        end = self._incoming.finished()
        first = self._first_at or time.monotonic()
        took = Timings(prompt=first - self._sent_at, answer=time.monotonic() - first)
        self.tell(msgspec.structs.replace(end, timings=took))


def _parts(
    reply: httpx.Response,
) -> contextlib.AbstractAsyncContextManager[AsyncGenerator[bytes, None]]:
    # It is one, though its type does not say so.
    body = cast("AsyncGenerator[bytes, None]", reply.aiter_bytes())
    return contextlib.aclosing(body)


async def _drain(parts: AsyncIterator[bytes]) -> None:
    """Read what follows the end, so that the connection can be used again."""

    async def read() -> None:
        async for _ in parts:
            pass

    with contextlib.suppress(asyncio.TimeoutError, httpx.HTTPError):
        await asyncio.wait_for(read(), LINGER)


def _words(error: Exception) -> str:
    """Return what happened to a connection, for people."""
    text = str(error).strip()
    return text.removeprefix("[Errno -2] ").rstrip(".") or type(error).__name__
