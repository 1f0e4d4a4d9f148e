"""``python -m kernel_magics.keeper``: a private Jupyter server, as long as it is used.

It is started by a kernel that found no server, and shared by all kernels of its user.
Each holds a connection to the keeper's lifeline, a port on the loopback device, and
does nothing with it: the system closes it when the kernel ends, however it ends. When
the last has gone, and no other comes soon, the server stops.

The file :data:`FILE` in Jupyter's runtime folder says where the lifeline is. Address
and token of the server itself stand in the file that the extension writes.
"""

import json
import os
import secrets
import selectors
import signal
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

FILE = "llm_ext-private.json"
HOST = "127.0.0.1"
GRACE = 5.0
"""Seconds that the server outlives its last kernel: one that restarts comes back."""

FIRST_WAIT = 60.0
"""Seconds within which the first kernel has to come."""

HELD = 3
"""Exit status where another keeper serves already."""


class Lifeline:
    """Counts the kernels that hold on.

    Attributes:
        greeting: What each connection gets first; who reads it has the right keeper.
    """

    def __init__(self, greeting: bytes) -> None:
        self.greeting = greeting
        self._listener = socket.create_server((HOST, 0))
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._held = 0

    @property
    def port(self) -> int:
        """Where kernels connect to."""
        port: int = self._listener.getsockname()[1]
        return port

    def wait(self) -> None:
        """Return when nobody holds on any more."""
        deadline = time.monotonic() + FIRST_WAIT
        while self._held or time.monotonic() < deadline:
            timeout = None if self._held else max(deadline - time.monotonic(), 0)
            before = self._held
            for key, _ in self._selector.select(timeout):
                self._attend(key.fileobj)
            if before and not self._held:
                deadline = time.monotonic() + GRACE

    def _attend(self, ready: Any) -> None:  # noqa: ANN401  # a socket, typed as anything with a number
        if ready is self._listener:
            connection, _ = self._listener.accept()
            connection.sendall(self.greeting)
            self._selector.register(connection, selectors.EVENT_READ)
            self._held += 1
        elif not _alive(ready):
            self._selector.unregister(ready)
            ready.close()
            self._held -= 1


def main(runtime: Path) -> int:
    """Serve until nobody needs it; return the exit status."""
    nonce = secrets.token_hex(16)
    lifeline = Lifeline(f"{nonce}\n".encode())
    facts = {"pid": os.getpid(), "port": lifeline.port, "nonce": nonce}
    path = runtime / FILE
    if not _claim(path, json.dumps(facts)):
        return HELD
    try:
        threading.Thread(target=_stop_after, args=[lifeline], daemon=True).start()
        _serve(runtime)
    finally:
        path.unlink(missing_ok=True)
    return 0


def _stop_after(lifeline: Lifeline) -> None:
    lifeline.wait()
    os.kill(os.getpid(), signal.SIGTERM)


def _serve(runtime: Path) -> None:
    # Kernels read this module too, and need no server.
    from jupyter_server.serverapp import ServerApp  # noqa: PLC0415  # see above

    # No notebook lies in this folder, so none takes this server for its own.
    root = runtime / "llm_ext-private"
    root.mkdir(mode=0o700, exist_ok=True)
    options = {
        "ServerApp.ip": HOST,
        "ServerApp.port": "0",
        "ServerApp.sock": "",
        "ServerApp.open_browser": "False",
        "ServerApp.allow_root": "True",
        "ServerApp.root_dir": str(root),
        # It exists for this one, whether or not others here are to load it.
        "ServerApp.jpserver_extensions": "{'llm_ext': True}",
        "IdentityProvider.token": secrets.token_urlsafe(32),
    }
    ServerApp.launch_instance([f"--{name}={value}" for name, value in options.items()])


def _claim(path: Path, text: str) -> bool:
    """Write the file, whole and readable for its user alone, unless another has."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f"{FILE}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        os.link(name, path)
    except FileExistsError:
        return False
    finally:
        Path(name).unlink()
    return True


def _alive(connection: socket.socket) -> bool:
    """Whether the other end is still there; what it says is of no interest."""
    try:
        return bool(connection.recv(64))
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
