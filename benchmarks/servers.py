"""The servers that are compared, each started with the same model and threads."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import httpx
import psutil

from tests.live import free_port, live_server
from tests.waiting import eventually

OURS = "jupyter-llm-ext"
BARE = "bare loop"
LLAMA_SERVER = "llama-server"
LLAMA_CPP_SERVER = "llama_cpp.server"
"""Names, as they stand in the table."""

CELLS = 16_384
SLOTS = 8
_START_SECONDS = 120


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running server.

    Attributes:
        name: As it stands in the table.
        url: Of its OpenAI routes, with a slash at the end.
        model: What it calls the model.
        pid: Of the server's process; a worker is its child.
        headers: What authorises a request.
        jupyter: Of the Jupyter server that it is a part of; empty for the others.
    """

    name: str
    url: str
    model: str
    pid: int
    headers: dict[str, str] = field(default_factory=dict)
    jupyter: str = ""

    @property
    def memory(self) -> int:
        """Bytes that the server and its children hold, weights in files not counted."""
        root = psutil.Process(self.pid)
        family = [root, *root.children(recursive=True)]
        infos = [process.memory_info() for process in family]
        return sum(info.rss - info.shared for info in infos)


Start: TypeAlias = Callable[[Path, int], AbstractContextManager[Server]]
"""Starts a server for a model's file, with so many threads."""


@contextmanager
def ours(model: Path, threads: int) -> Iterator[Server]:
    """Start the extension in a Jupyter server, with authentication."""
    with (
        tempfile.TemporaryDirectory() as folder,
        live_server(
            Path(folder),
            model.parent,
            f"--LLMExt.context_length={CELLS}",
            f"--LLMExt.slots={SLOTS}",
            f"--LLMExt.threads={threads}",
            "--LLMExt.max_waiting=2000",
        ) as live,
    ):
        yield Server(
            name=OURS,
            url=f"{live.url}llm/v1/",
            model=model.stem,
            pid=live.process.pid,
            headers=live.headers,
            jupyter=live.url,
        )


@contextmanager
def llama_cpp_server(model: Path, threads: int) -> Iterator[Server]:
    """Start ``llama_cpp.server``, told not to cut streams for others' sake."""
    port = free_port()
    command = [
        *(sys.executable, "-m", "llama_cpp.server"),
        *("--model", str(model), "--model_alias", model.stem),
        *("--n_ctx", str(CELLS), "--n_threads", str(threads)),
        *("--n_threads_batch", str(threads), "--port", str(port)),
        *("--interrupt_requests", "false"),
    ]
    with _process(command, f"http://127.0.0.1:{port}/v1/models") as pid:
        yield Server(
            name=LLAMA_CPP_SERVER,
            pid=pid,
            url=f"http://127.0.0.1:{port}/v1/",
            model=model.stem,
        )


def llama_server(binary: Path) -> Start:
    """Return what starts the ``llama-server`` at ``binary``."""

    @contextmanager
    def start(model: Path, threads: int) -> Iterator[Server]:
        port = free_port()
        command = [
            *(str(binary), "--model", str(model), "--alias", model.stem),
            *("--ctx-size", str(CELLS), "--parallel", str(SLOTS), "--kv-unified"),
            *("--threads", str(threads), "--threads-batch", str(threads)),
            *("--port", str(port), "--no-webui", "--jinja"),
        ]
        with _process(command, f"http://127.0.0.1:{port}/health") as pid:
            yield Server(
                name=LLAMA_SERVER,
                pid=pid,
                url=f"http://127.0.0.1:{port}/v1/",
                model=model.stem,
            )

    return start


@contextmanager
def _process(command: list[str], health: str) -> Iterator[int]:
    """Run a server, wait until it is healthy, and end it afterwards."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=subprocess.STDOUT, env=dict(os.environ)
        )
        try:
            eventually(
                lambda: _healthy(process, health, log.fileno()), within=_START_SECONDS
            )
            yield process.pid
        finally:
            process.terminate()
            process.wait()


def _healthy(process: "subprocess.Popen[bytes]", url: str, log: int) -> bool:
    if process.poll() is not None:
        said = os.pread(log, 4000, max(0, os.fstat(log).st_size - 4000))
        raise RuntimeError(f"the server ended: {said.decode(errors='replace')}")
    try:
        return httpx.get(url, timeout=5, trust_env=False).is_success
    except httpx.TransportError:
        return False
