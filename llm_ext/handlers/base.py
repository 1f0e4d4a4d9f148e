"""What all handlers share: errors, streams, and the client that goes away."""

import asyncio
from asyncio import Future
from collections.abc import Callable, Collection
from functools import partial
from http import HTTPStatus
from typing import Any, NoReturn
from urllib.parse import quote

import msgspec
from tornado import web

from llm_ext.core import bounds
from llm_ext.core.requests import Request
from llm_ext.errors import InvalidRequestError, LLMError
from llm_ext.keyring import allows
from llm_ext.pool.router import Router
from llm_ext.pool.stream import EventStream
from llm_ext.providers.registry import Providers
from llm_ext.wire import limits, sse
from llm_ext.wire.error_shape import ErrorShape
from llm_ext.wire.openai import errors
from llm_ext.wire.openai.body import ignored

from .access import IGNORED, PROVIDER, SERVICES_KEY, AccessHandler

__all__ = ["SERVICES_KEY", "LLMHandler"]

_MOST_NAMES, _LONGEST_NAME = 32, 64
"""What a header has room for."""

_TRUTHS = {"true": True, "1": True, "false": False, "0": False}
"""What a query can say to a question."""


class LLMHandler(AccessHandler):
    """Base of every handler.

    All errors, the web server's own included, have the dialect's shape. Whatever stream
    a handler has in ``self.stream`` is closed when the client goes away, which cancels
    its request in the engine.
    """

    auth_resource = "llm_ext:models"
    stream: EventStream | None = None
    _answered_by: EventStream | None = None

    error_shape: ErrorShape = errors
    """How the route's dialect tells errors; OpenAI's, if it says nothing else."""

    def initialize(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # Jupyter's signature
        """See Tornado."""
        super().initialize(*args, **kwargs)
        self._gone = False
        self._when_gone: list[Callable[[], None]] = []

    @property
    def wants_events(self) -> bool:
        """Whether the client accepts server-sent events."""
        return sse.MEDIA_TYPE in self.request.headers.get("Accept", "")

    @property
    def router(self) -> Router:
        """The pool's router."""
        return self.services.router

    @property
    def providers(self) -> Providers:
        """All who answer: the pool, and other servers."""
        return self.services.providers

    @property
    def autoload(self) -> bool:
        """Whether a model may be loaded for the request, as llama-server's query says.

        Raises:
            InvalidRequestError: It says neither.
        """
        given = self.get_query_argument("autoload", "true")
        if given not in _TRUTHS:
            raise InvalidRequestError(
                f"'autoload' is {given!r}, and must be true or false.", param="autoload"
            )
        return _TRUTHS[given]

    async def generate(
        self, request: Request, *, keep_alive: float | None = None
    ) -> EventStream:
        """Return the stream that answers ``request`` for this caller.

        It ends when the client goes away. See ``Providers.generate`` for errors.

        Raises:
            InvalidRequestError: The request is too large, or its query is wrong.
            ModelNotAllowedError: The caller's key is for other models.
        """
        bounds.check(request)
        key = self.key
        if key is not None:
            model = await self.providers.model(request.model)
            self.services.keyring.admit(key, model.id)
        self.stream = self._answered_by = await self.providers.generate(
            request,
            user=self.user,
            keep_alive=keep_alive,
            autoload=self.autoload,
            allowed=partial(allows, key),
        )
        if self._gone:
            # Soon: whoever lets the answer outlive this request takes the stream first.
            asyncio.get_running_loop().call_soon(self._cancel)
        if key is not None:
            self.stream.on_usage = partial(self.services.keyring.charge, key)
        self._tell_limits()
        return self.stream

    def tell_ignored(
        self, known: Collection[str], others: Collection[str] = ()
    ) -> None:
        """Say what of the body, an object, means nothing: all but ``known`` fields.

        A client that misspells a field would not learn of it otherwise. ``others``
        stand deeper in the body.
        """
        names = [*ignored(self.request.body, known), *others]
        if names:
            told = [quote(name[:_LONGEST_NAME]) for name in names[:_MOST_NAMES]]
            more = ["..."] if len(names) > _MOST_NAMES else []
            self.set_header(IGNORED, ", ".join([*told, *more]))

    def _tell_limits(self) -> None:
        allowances = dict(self.router.allowances(self.user))
        if self.key is not None:
            allowances |= self.services.keyring.allowances(self.key)
        for name, value in limits.headers(allowances).items():
            self.set_header(name, value)

    def flush(self, include_footers: bool = False) -> "Future[None]":  # noqa: FBT001, FBT002  # Tornado's signature
        """Send what is written; the headers, which go first, tell who answers."""
        if self._answered_by is not None and not self._headers_written:
            self.set_header(PROVIDER, self._answered_by.provider)
        return super().flush(include_footers)

    def reply(self, value: object, status: HTTPStatus = HTTPStatus.OK) -> None:
        """Finish with ``value`` as JSON."""
        self.set_status(status)
        self.finish(msgspec.json.encode(value))

    def on_connection_close(self) -> None:
        """Cancel what the client was waiting for."""
        super().on_connection_close()
        self._gone = True
        self._cancel()
        actions, self._when_gone = self._when_gone, []
        for action in actions:
            action()

    def on_finish(self) -> None:
        """Let go of who waits for the client to go away.

        They hold this handler: a cycle keeps all of a request until the garbage
        collector comes, which for old objects it seldom does.
        """
        super().on_finish()
        self._when_gone = []

    def _cancel(self) -> None:
        if self.stream is not None:
            self.stream.close()

    def when_gone(self, action: Callable[[], None]) -> None:
        """Let ``action`` be called when the client goes away."""
        self._when_gone.append(action)

    def get_login_url(self) -> NoReturn:
        """Refuse callers who are unknown; there is no page to send them to."""
        raise web.HTTPError(
            HTTPStatus.UNAUTHORIZED,
            "Jupyter's token is missing or wrong. Send it as 'Authorization: Bearer "
            "<token>'; 'jupyter server list' shows it.",
        )

    def write_error(self, status_code: int, **kwargs: Any) -> None:  # noqa: ANN401  # Tornado's signature
        """Answer with an error in the dialect's shape."""
        shape = self.error_shape
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, LLMError):
            status_code = shape.status(error)
            self.set_status(status_code)
        if status_code == HTTPStatus.UNAUTHORIZED:
            self.set_header("WWW-Authenticate", "Bearer")
        if isinstance(error, LLMError):
            self._tell_limits()
            for name, value in shape.headers(error).items():
                self.set_header(name, value)
            self.finish(msgspec.json.encode(shape.reply(error)))
            return
        message = self._reason or "Unknown error"
        if isinstance(error, web.HTTPError) and error.log_message:
            message = error.log_message % error.args
        self.finish(msgspec.json.encode(shape.http_reply(status_code, message)))

    def log_exception(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: Any,  # noqa: ANN401  # Tornado's signature
    ) -> None:
        """Log an error that was raised on purpose in one line, others in full."""
        if isinstance(error, LLMError):
            self.log.warning("%s: %s", error.code, error)
        else:
            super().log_exception(kind, error, trace)
