"""A worker without a process: the test says what it reports and when it dies."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from llm_ext.ipc.codec import decode_command, encode
from llm_ext.ipc.messages import (
    Cancel,
    Command,
    EngineStatus,
    Generate,
    Loaded,
    Report,
)


@dataclass
class FakeWorker:
    """Records what it was told. Implements :class:`llm_ext.pool.launcher.Worker`."""

    on_frame: Callable[[bytes], None]
    on_exit: Callable[[int], None]
    commands: list[Command] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    pid: int = 4711
    closed: bool = False
    end_by_force: asyncio.Event = field(default_factory=asyncio.Event)

    def send(self, frame: bytes) -> None:
        """See Worker."""
        self.commands.append(decode_command(frame))

    def close(self) -> None:
        """See Worker."""
        self.closed = True

    def kill(self) -> None:
        """See Worker."""
        self.end_by_force.set()

    def report(self, report: Report) -> None:
        """Say something to the server."""
        self.on_frame(encode(report))

    def become_ready(self) -> None:
        """Say that the model is loaded."""
        status = EngineStatus(slots=4)
        self.report(
            Loaded(
                description="fake",
                context_length=64,
                memory_kind="hybrid",
                status=status,
            )
        )

    def die(self, status: int) -> None:
        """End with an exit status; negative is a signal."""
        self.on_exit(status)

    @property
    def requests(self) -> list[int]:
        """Ids of the requests it was given."""
        return [c.request_id for c in self.commands if isinstance(c, Generate)]

    @property
    def cancelled(self) -> list[int]:
        """Ids of the requests it was told to cancel."""
        return [c.request_id for c in self.commands if isinstance(c, Cancel)]


class FakeLauncher:
    """Makes fake workers; ``workers`` holds all of them in order."""

    def __init__(self) -> None:
        self.workers: list[FakeWorker] = []

    def __call__(
        self, *, on_frame: Callable[[bytes], None], on_exit: Callable[[int], None]
    ) -> FakeWorker:
        """See Launcher."""
        worker = FakeWorker(on_frame=on_frame, on_exit=on_exit)
        self.workers.append(worker)
        return worker
