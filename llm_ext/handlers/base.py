"""What all handlers share: access, errors, and the client that goes away."""

from http import HTTPStatus
from typing import Any, NoReturn

import msgspec
from jupyter_server.base.handlers import APIHandler
from jupyter_server.extension.handler import ExtensionHandlerMixin
from tornado import web

from llm_ext.errors import LLMError
from llm_ext.pool.router import Router
from llm_ext.pool.stream import EventStream
from llm_ext.services import Services
from llm_ext.wire.openai import errors

SERVICES_KEY = "llm_ext_services"
"""Where the extension puts its services into the web application's settings."""


class LLMHandler(ExtensionHandlerMixin, APIHandler):
    """Base of every handler.

    All errors, the web server's own included, have OpenAI's shape. Whatever stream a
    handler has in ``self.stream`` is closed when the client goes away, which cancels
    its request in the engine.
    """

    auth_resource = "llm_ext:models"
    stream: EventStream | None = None

    @property
    def services(self) -> Services:
        """The extension's services."""
        services: Services = self.settings[SERVICES_KEY]
        return services

    @property
    def router(self) -> Router:
        """The pool's router."""
        return self.services.router

    def reply(self, value: object, status: HTTPStatus = HTTPStatus.OK) -> None:
        """Finish with ``value`` as JSON."""
        self.set_status(status)
        self.finish(msgspec.json.encode(value))

    def on_connection_close(self) -> None:
        """Cancel what the client was waiting for."""
        super().on_connection_close()
        if self.stream is not None:
            self.stream.close()

    def get_login_url(self) -> NoReturn:
        """Refuse callers who are unknown; there is no page to send them to."""
        raise web.HTTPError(
            HTTPStatus.UNAUTHORIZED,
            "Jupyter's token is missing or wrong. Send it as 'Authorization: Bearer "
            "<token>'; 'jupyter server list' shows it.",
        )

    def write_error(self, status_code: int, **kwargs: Any) -> None:  # noqa: ANN401  # Tornado's signature
        """Answer with an error in OpenAI's shape."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, LLMError):
            self.set_status(errors.status(error))
            for name, value in errors.headers(error).items():
                self.set_header(name, value)
            self.finish(msgspec.json.encode(errors.reply(error)))
            return
        if status_code == HTTPStatus.UNAUTHORIZED:
            self.set_header("WWW-Authenticate", "Bearer")
        message = self._reason or "Unknown error"
        if isinstance(error, web.HTTPError) and error.log_message:
            message = error.log_message % error.args
        self.finish(msgspec.json.encode(errors.http_reply(status_code, message)))

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
