"""A real kernel, started by a real server, and what its cells put out."""

import queue
from collections.abc import Iterator, Sequence
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
        result: The value of the last line, by MIME type.
        asked: What the user was asked.
        error: The error's traceback lines joined; empty if the cell succeeded.
    """

    displays: dict[str, dict[str, Any]] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    stream: str = ""
    result: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    error: str = ""
    error_name: str = ""

    @property
    def text(self) -> str:
        """The displays' Markdown, as the notebook's file keeps it."""
        bundles = self.displays.values()
        return "\n".join(
            b.get("text/markdown", b.get("text/plain", "")) for b in bundles
        )

    @property
    def plain(self) -> str:
        """The displays' plain text."""
        return "\n".join(b["text/plain"] for b in self.displays.values())

    def take(self, message: dict[str, Any]) -> bool:
        """Take a message from the kernel; return whether it was the cell's last."""
        content = message["content"]
        match message["header"]["msg_type"]:
            case "display_data" | "update_display_data":
                unnamed = str(len(self.displays))
                key = content["transient"].get("display_id", unnamed)
                self.displays[key] = content["data"]
                self.history.append(content["data"])
            case "execute_result":
                self.result = content["data"]
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

    def run(self, code: str, *, replies: Sequence[str] = ()) -> CellOutput:
        """Run a cell to its end; ``replies`` are typed where it asks."""
        output = CellOutput()
        typed = iter(replies) if replies else None
        for done in self.follow(code, output, typed):
            if done:
                break
        return output

    def follow(
        self, code: str, output: CellOutput, replies: Iterator[str] | None = None
    ) -> Iterator[bool]:
        """Run a cell; yield after each message, True at the last one."""
        request = self.client.execute(code, allow_stdin=replies is not None)
        done = False
        while not done:
            if replies is not None:
                self._reply(output, replies)
            try:
                message = self.client.get_iopub_msg(timeout=0.1 if replies else TIMEOUT)
            except queue.Empty:
                if replies is None:
                    raise
                continue
            if message["parent_header"].get("msg_id") == request:
                done = output.take(message)
                yield done

    def proposed_by(self, code: str) -> str:
        """Run a cell, and return what it proposes as the next one."""
        request = self.client.execute(code)
        while True:
            reply = self.client.get_shell_msg(timeout=TIMEOUT)
            if reply["parent_header"].get("msg_id") == request:
                break
        payloads = reply["content"]["payload"]
        return "".join(p["text"] for p in payloads if p["source"] == "set_next_input")

    def complete(self, code: str) -> list[str]:
        """Return what Tab offers at the end of ``code``, as whole lines."""
        request = self.client.complete(code, len(code))
        while True:
            reply = self.client.get_shell_msg(timeout=TIMEOUT)
            if reply["parent_header"].get("msg_id") == request:
                break
        content = reply["content"]
        return [code[: content["cursor_start"]] + match for match in content["matches"]]

    def _reply(self, output: CellOutput, replies: Iterator[str]) -> None:
        try:
            request = self.client.get_stdin_msg(timeout=0)
        except queue.Empty:
            return
        output.asked.append(request["content"]["prompt"])
        self.client.input(next(replies))

    def interrupt(self) -> None:
        """Interrupt as the notebook's stop button does."""
        with api(self.server) as http:
            http.post(f"api/kernels/{self.kernel_id}/interrupt").raise_for_status()


@contextmanager
def api(server: LiveServer) -> Iterator[httpx.Client]:
    """Open a client for Jupyter's own API, with what a tokenless server asks for."""
    with server.http() as client:
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
