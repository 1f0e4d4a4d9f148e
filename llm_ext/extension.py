"""The Jupyter server extension: configuration, services, routes, start and stop."""

import json
import os
from pathlib import Path
from typing import Any

from jupyter_core.paths import secure_write
from jupyter_server.extension.application import ExtensionApp
from jupyter_server.serverapp import ServerApp
from jupyter_server.utils import url_path_join

from . import routes, services
from ._version import __version__
from .config import LLMConfig
from .handlers.base import SERVICES_KEY


class LLMExt(LLMConfig, ExtensionApp):
    """Hosts language models in this Jupyter server."""

    name = "llm_ext"
    extension_url = "/lab"
    load_other_extensions = True

    _services: services.Services | None = None
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
        running = self._services.router.requests if self._services else 0
        return {"requests": running} if running else None

    async def _start_jupyter_server_extension(self, serverapp: ServerApp) -> None:
        """Say where the server is, once it listens: kernels and terminals look here."""
        self._runtime_file = Path(serverapp.runtime_dir) / f"llm_ext-{os.getpid()}.json"
        with secure_write(str(self._runtime_file)) as file:
            json.dump(_server_facts(serverapp), file, indent=2)
        folders = ", ".join(str(path) for path in self.to_settings().model_folders)
        self.log.info("llm_ext %s: models are looked for in %s", __version__, folders)

    async def stop_extension(self) -> None:
        """End all workers and take the runtime file away."""
        if self._services is not None:
            await self._services.stop()
        if self._runtime_file is not None:
            self._runtime_file.unlink(missing_ok=True)


def _server_facts(serverapp: ServerApp) -> dict[str, Any]:
    info = serverapp.server_info()
    return {
        "url": url_path_join(info["url"], routes.PREFIX) + "/",
        "token": info["token"],
        "pid": info["pid"],
        "root_dir": info["root_dir"],
        "version": __version__,
    }
