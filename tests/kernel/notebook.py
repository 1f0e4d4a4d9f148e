"""A real kernel, started by a real server, and what its cells put out."""

import queue
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from jupyter_client.blocking.client import BlockingKernelClient

from tests.live import LiveServer
from tests.waiting import eventually

TIMEOUT = 60


@dataclass
class CellOutput:
    """What one cell put out, as a notebook's page shows it.

    Attributes:
        displays: MIME bundles of the displays, in order, each as last updated.
        history: Every bundle that was displayed, updates included.
        stream: What was printed.
        error: The error's traceback lines joined; empty if the cell succeeded.
    """

    displays: dict[str, dict[str, Any]] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    stream: str = ""
    error: str = ""
    error_name: str = ""

    @property
    def text(self) -> str:
        """The displays' Markdown, as the notebook's file keeps it."""
        bundles = self.displays.values()
        return "\n".join(
            b.get("text/markdown", b.get("text/plain", "")) for b in bundles
        )

    def take(self, message: dict[str, Any]) -> bool:
        """Take a message from the kernel; return whether it was the cell's last."""
        content = message["content"]
        match message["header"]["msg_type"]:
            case "display_data" | "update_display_data":
                key = content["transient"]["display_id"]
                self.displays[key] = content["data"]
                self.history.append(content["data"])
            case "stream":
                self.stream += content["text"]
            case "error":
                self.error = "\n".join(content["traceback"])
                self.error_name = content["ename"]
            case "status":
                return bool(content["execution_state"] == "idle")
        return False


@dataclass(frozen=True)
class Notebook:
    """Runs cells in a kernel of a server."""

    server: LiveServer
    kernel_id: str
    client: BlockingKernelClient

    def run(self, code: str) -> CellOutput:
        """Run a cell to its end."""
        output = CellOutput()
        for done in self.follow(code, output):
            if done:
                break
        return output

    def follow(self, code: str, output: CellOutput) -> Iterator[bool]:
        """Run a cell; yield after each message, True at the last one."""
        request = self.client.execute(code)
        done = False
        while not done:
            message = self.client.get_iopub_msg(timeout=TIMEOUT)
            if message["parent_header"].get("msg_id") == request:
                done = output.take(message)
                yield done

    def interrupt(self) -> None:
        """Interrupt as the notebook's stop button does."""
        with api(self.server) as http:
            http.post(f"api/kernels/{self.kernel_id}/interrupt").raise_for_status()


@contextmanager
def api(server: LiveServer) -> Iterator[httpx.Client]:
    """Open a client for Jupyter's own API, with what a tokenless server asks for."""
    options = {"base_url": server.url, "headers": server.headers}
    with httpx.Client(**options, trust_env=False) as client:  # type: ignore[arg-type]  # both fit
        if not server.token:
            client.get("llm/health/ready")
            client.headers["X-XSRFToken"] = client.cookies["_xsrf"]
        yield client


def _is_heard(client: BlockingKernelClient) -> bool:
    """The kernel's broadcasts arrive."""
    client.kernel_info()
    try:
        client.get_iopub_msg(timeout=1)
    except queue.Empty:
        return False
    return True


@contextmanager
def notebook(server: LiveServer) -> Iterator[Notebook]:
    """Start a kernel through the server, with the magics loaded."""
    with api(server) as http:
        kernel_id = http.post("api/kernels", json={"name": "python3"}).json()["id"]
        file = server.runtime / f"kernel-{kernel_id}.json"
        eventually(file.exists)
        client = BlockingKernelClient(connection_file=str(file))
        client.load_connection_file()
        # Without heartbeats: on a busy machine a missed one is taken for a death.
        client.start_channels(hb=False)
        try:
            eventually(lambda: _is_heard(client), within=TIMEOUT)
            started = Notebook(server, kernel_id, client)
            loaded = started.run("%load_ext kernel_magics")
            assert not loaded.error, loaded.error
            yield started
        finally:
            client.stop_channels()
            http.delete(f"api/kernels/{kernel_id}")
