"""A server for kernels that have none: started when needed, shared, ended with them.

:mod:`kernel_magics.keeper` is the process; this is how a kernel finds or starts it.
"""

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from . import keeper
from .client import Client
from .connection import Connection, Surroundings, find_by_file, surroundings
from .errors import PrivateServerError, ServerNotFoundError
from .transport import answers

PATIENCE = 90.0
"""Seconds that a server may take to start on a busy machine."""

_PAUSE = 0.05
_held: dict[Connection, socket.socket] = {}
"""Lifelines, open as long as this process lives: that is all that they are for."""


def connect(*, url: str = "", token: str = "", private: bool = True) -> Client:
    """Return a client of the server of this process, or of a private one.

    A private server is spoken of in one line.

    Args:
        url: Of the server, where it is known; ends in ``/llm/``.
        token: Of that server.
        private: Whether a server may be started where none is found.

    Raises:
        ServerNotFoundError: There is none, and none may be started.
        PrivateServerError: The private server does not come up.
    """
    try:
        return Client.find(url=url, token=token)
    except ServerNotFoundError:
        if not private:
            raise
    return Client(private_connection(surroundings(answers)))


def private_connection(here: Surroundings) -> Connection:
    """Return the way to the user's private server, which is started if need be.

    Raises:
        PrivateServerError: It does not come up; says where its log is.
    """
    for known, lifeline in _held.items():
        if _holds(lifeline):
            return known
    here.runtime_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    start = _Start(here)
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        connection = start.look()
        if connection is not None:
            _held[connection] = start.lifeline
            _say(connection, started=start.process is not None)
            return connection
        time.sleep(_PAUSE)
    raise PrivateServerError(f"does not answer after {PATIENCE:.0f} s", start.log)


class _Start:
    """One attempt to have a private server."""

    def __init__(self, here: Surroundings) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.log = here.runtime_dir / "llm_ext-private.log"
        self._here = here
        self._file = here.runtime_dir / keeper.FILE
        self._pid = 0
        self._lifeline: socket.socket | None = None

    @property
    def lifeline(self) -> socket.socket:
        """What keeps the server, once there is a connection."""
        if self._lifeline is None:
            raise PrivateServerError("is not held", self.log)
        return self._lifeline

    def look(self) -> Connection | None:
        """Go on, and return the connection once there is one."""
        if self._lifeline is None:
            self._hold_or_start()
            return None
        if not _holds(self._lifeline):
            raise PrivateServerError("ended while it started", self.log)
        return find_by_file(self._here, self._pid)

    def _hold_or_start(self) -> None:
        facts = _facts(self._file)
        self._lifeline = _hold(facts) if facts else None
        if facts is not None and self._lifeline is not None:
            self._pid = int(facts["pid"])
        elif self.process is None:
            # What a keeper left that was killed stands in the way of the next.
            self._file.unlink(missing_ok=True)
            self.process = self._started()
        elif self.process.poll() not in (None, keeper.HELD):
            raise PrivateServerError("ended while it started", self.log)

    def _started(self) -> "subprocess.Popen[bytes]":
        with self.log.open("wb") as log:
            return subprocess.Popen(  # noqa: S603  # this very interpreter
                [
                    *(sys.executable, "-m", keeper.__name__),
                    str(self._here.runtime_dir),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=_environment(),
                # An interrupt of the kernel is none of the server.
                start_new_session=True,
            )


def _facts(path: Path) -> dict[str, Any] | None:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return facts if isinstance(facts, dict) else None


def _hold(facts: dict[str, Any]) -> socket.socket | None:
    """Return a connection to the lifeline; None if this keeper is there no more."""
    try:
        lifeline = socket.create_connection((keeper.HOST, int(facts["port"])), 5)
        greeting = lifeline.recv(64)
    except (OSError, KeyError, ValueError):
        return None
    if greeting != f"{facts['nonce']}\n".encode():
        lifeline.close()
        return None
    lifeline.setblocking(False)  # noqa: FBT003  # the library's signature
    return lifeline


def _holds(lifeline: socket.socket) -> bool:
    """Whether the keeper is at the other end."""
    try:
        return bool(lifeline.recv(1))
    except BlockingIOError:
        return True
    except OSError:
        return False


def _environment() -> dict[str, str]:
    """Return the environment without what is said of this kernel, or of a server."""
    dropped = ("JPY_", "LLM_EXT_URL", "LLM_EXT_TOKEN", "JUPYTER_TOKEN")
    return {k: v for k, v in os.environ.items() if not k.startswith(dropped)}


def _say(connection: Connection, *, started: bool) -> None:
    how = "Started" if started else "Using"
    sys.stdout.write(
        f"{how} a private model server at {connection.url}: no Jupyter server with "
        f"jupyter-llm-ext was found. It ends with the last kernel that uses it.\n"
    )
