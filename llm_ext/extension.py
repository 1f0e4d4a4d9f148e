"""The Jupyter server extension: configuration, services, routes, start and stop."""

import json
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_core.paths import secure_write
from jupyter_server.extension.application import ExtensionApp
from jupyter_server.serverapp import ServerApp
from jupyter_server.utils import url_path_join

from . import routes, services
from ._version import __version__
from .config import LLMConfig
from .core.server_status import Runtime
from .event_log import EventLog
from .handlers.access import KERNEL_TOKEN_KEY, invents_users
from .handlers.base import SERVICES_KEY

if TYPE_CHECKING:
    from .registrar import Registrar


class LLMExt(LLMConfig, ExtensionApp):
    """Hosts language models in this Jupyter server."""

    name = "llm_ext"
    extension_url = "/lab"
    load_other_extensions = True

    _services: services.Services | None = None
    _event_log: EventLog | None = None
    _registrar: "Registrar | None" = None
    _runtime_file: Path | None = None

    def initialize_settings(self) -> None:
        """Build the services. Nothing is loaded and nothing is started yet."""
        self._services = services.build(self.to_settings())
        self.settings[SERVICES_KEY] = self._services

    def initialize_handlers(self) -> None:
        """Register the routes."""
        self.handlers.extend(routes.patterns())

    def current_activity(self) -> dict[str, int] | None:
        """Tell the server what runs, so that it is not culled in mid-answer."""
        if self._services is None:
            return None
        running = {
            "requests": self._services.requests,
            "downloads": self._services.downloads.running,
        }
        return running if any(running.values()) else None

    async def _start_jupyter_server_extension(self, serverapp: ServerApp) -> None:
        """Say where the server is, once it listens: kernels and terminals look here."""
        self._runtime_file = Path(serverapp.runtime_dir) / f"llm_ext-{os.getpid()}.json"
        token = serverapp.identity_provider.token or _kernel_token(serverapp)
        with secure_write(str(self._runtime_file)) as file:
            json.dump(_server_facts(serverapp, token), file, indent=2)
        if self._services is not None:
            await self._services.start()
            self._tell_others(self._services, serverapp)
        folders = ", ".join(str(path) for path in self.to_settings().model_folders)
        self.log.info("llm_ext %s: models are looked for in %s", __version__, folders)
        if self._services is not None:
            self._tell_of_the_runtime(await self._services.needs.runtime())

    def _tell_of_the_runtime(self, runtime: Runtime) -> None:
        """Say once what llama.cpp cannot do here; each load says it again."""
        if runtime.problem is not None:
            self.log.warning("llm_ext: no model can be loaded. %s", runtime.problem)
        elif not runtime.gpu:
            self.log.info(
                "llm_ext: llama.cpp was built without support for GPUs; models run on "
                "the processor."
            )

    def _tell_others(self, services: services.Services, serverapp: ServerApp) -> None:
        """Begin to tell administrators, and a catalog service, what changes."""
        if serverapp.event_logger is not None:
            self._event_log = EventLog(serverapp.event_logger, services.feed)
            self._event_log.start()
        url = services.settings.catalog_service_url
        if url and not services.settings.offline:
            # Its HTTP client takes long to import, and most have no such service.
            from .registrar import Registrar  # noqa: PLC0415

            self._registrar = Registrar(url, services.resources, services.feed)
            self._registrar.start()

    async def stop_extension(self) -> None:
        """End all workers and take the runtime file away."""
        if self._registrar is not None:
            await self._registrar.stop()
        if self._services is not None:
            await self._services.stop()
        if self._event_log is not None:
            await self._event_log.stop()
        if self._runtime_file is not None:
            self._runtime_file.unlink(missing_ok=True)


def _kernel_token(serverapp: ServerApp) -> str:
    """Return a token that opens the extension's routes to this server's kernels.

    They have no login: where there is a password and no token they could not ask. Where
    no login is needed, or where people are told apart, there is none.
    """
    provider = serverapp.identity_provider
    if not provider.auth_enabled or not invents_users(provider):
        return ""
    token = secrets.token_urlsafe(32)
    serverapp.web_app.settings[KERNEL_TOKEN_KEY] = token
    return token


def _server_facts(serverapp: ServerApp, token: str) -> dict[str, Any]:
    info = serverapp.server_info()
    return {
        "url": url_path_join(info["url"], routes.PREFIX) + "/",
        "token": token,
        "pid": info["pid"],
        "root_dir": info["root_dir"],
        "certificate": serverapp.certfile,
        "version": __version__,
    }
