"""A real Jupyter server in a process of its own, as a user starts it."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.waiting import eventually

TOKEN = "test-token"


@dataclass(frozen=True, kw_only=True)
class LiveServer:
    """A running server.

    Attributes:
        url: Ends with the base URL's slash.
        process: The server's process.
        folder: Home, notebooks, runtime files and log of this server alone.
        socket: The Unix socket that it listens at, rather than at a port.
        certificate: The certificate that it speaks HTTPS with.
        cookies: Those of a login, where there is a password and no token.
    """

    url: str
    process: "subprocess.Popen[bytes]"
    folder: Path
    token: str = TOKEN
    socket: Path | None = None
    certificate: Path | None = None
    cookies: Mapping[str, str] = field(default_factory=dict)

    @property
    def port(self) -> int | None:
        """The port that it listens at."""
        return httpx.URL(self.url).port

    @property
    def runtime(self) -> Path:
        """Jupyter's runtime folder."""
        return self.folder / "runtime"

    @property
    def notebooks(self) -> Path:
        """The folder that the server serves."""
        return self.folder / "notebooks"

    @property
    def log(self) -> str:
        """What the server printed."""
        return (self.folder / "server.log").read_text(errors="replace")

    @property
    def headers(self) -> dict[str, str]:
        """What authorises a request."""
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def client(self, **options: Any) -> httpx.Client:  # noqa: ANN401  # httpx's
        """Return an HTTP client for the extension's routes."""
        return self.http(**{"base_url": f"{self.url}llm/", **options})

    def http(self, **options: Any) -> httpx.Client:  # noqa: ANN401  # httpx's
        """Return an HTTP client for all routes of the server."""
        given = {
            "base_url": self.url,
            "headers": self.headers,
            "cookies": dict(self.cookies),
            "timeout": 60,
            "transport": httpx.HTTPTransport(
                # The test's own certificate is for a host of another name.
                verify=self.certificate is None,
                uds=str(self.socket) if self.socket else None,
            ),
            **options,
        }
        return httpx.Client(trust_env=False, **given)

    def model(self, name: str) -> dict[str, Any]:
        """Return one model's status."""
        with self.client() as client:
            status: dict[str, Any] = client.get(f"models/{name}").json()
            return status


@contextmanager
def live_server(
    folder: Path,
    models: Path,
    *options: str,
    app: str = "server",
    program: tuple[str, ...] = (),
    token: str = TOKEN,
    base_url: str = "/",
    port: int | None = None,
    socket: Path | None = None,
    certificate: Path | None = None,
) -> Iterator[LiveServer]:
    """Start ``jupyter server`` (or ``lab``), wait until it serves, and stop it.

    ``program`` is what Python runs in the place of that, with the same options;
    without a ``port`` it gets one that is free.
    """
    for name in ("home", "runtime", "notebooks"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    where = [
        f"--ServerApp.port={port}",
        "--ServerApp.port_retries=0",
        "--ServerApp.ip=127.0.0.1",
    ]
    command = [
        *(sys.executable, *(program or ("-m", "jupyter", app))),
        "--no-browser",
        "--allow-root",
        *([f"--ServerApp.sock={socket}"] if socket else where),
        f"--ServerApp.base_url={base_url}",
        f"--ServerApp.root_dir={folder / 'notebooks'}",
        f"--IdentityProvider.token={token}",
        *options,
    ]
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            command,
            env=_environment(folder, models),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    server = LiveServer(
        url=f"{'https' if certificate else 'http'}://127.0.0.1:{port}{base_url}",
        process=process,
        folder=folder,
        token=token,
        socket=socket,
        certificate=certificate,
    )
    try:
        _wait_until_it_serves(server)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_it_serves(server: LiveServer) -> None:
    def serves() -> bool:
        """The server answers, and has written its runtime file."""
        assert server.process.poll() is None, server.log
        if server.socket is not None and not server.socket.exists():
            return False
        try:
            with server.client() as client:
                live = client.get("health/live")
        except httpx.TransportError:
            return False
        return live.is_success and bool(list(server.runtime.glob("llm_ext-*.json")))

    eventually(serves, within=60)


def _environment(folder: Path, models: Path) -> dict[str, str]:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("JUPYTER", "JPY", "LLM_EXT", "IPYTHON"))
    }
    return {
        **kept,
        "HOME": str(folder / "home"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "IPYTHONDIR": str(folder / "ipython"),
        "MODELS_PATH": str(models),
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def stream_lines(reply: httpx.Response) -> Iterator[str]:
    """Yield what a stream says, without the empty lines between events."""
    yield from (line for line in reply.iter_lines() if line)


def chunks(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    """Yield the JSON of ``data:`` lines, up to the end mark."""
    for line in lines:
        if line.startswith("data: {"):
            yield json.loads(line.removeprefix("data: "))
