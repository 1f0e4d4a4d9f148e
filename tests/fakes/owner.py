"""An owner of model processes for whom there is always room."""

from dataclasses import dataclass, field

from llm_ext.core.device import CPU, MemoryEstimate, MemoryUse
from llm_ext.core.events import Failed, Finished
from llm_ext.core.worker_status import WorkerStatus
from llm_ext.pool.process import ModelProcess
from llm_ext.pool.stream import EventStream

NEED = MemoryEstimate(devices={CPU: MemoryUse(weights=100)}, context_length=64)


@dataclass
class FakeOwner:
    """Records what it was told. Implements :class:`llm_ext.pool.process.Owner`."""

    room: bool = True
    states: list[str] = field(default_factory=list)
    workers: list[WorkerStatus] = field(default_factory=list)
    ends: list[Finished | Failed] = field(default_factory=list)
    asked: list[ModelProcess] = field(default_factory=list)

    def wants_room(self, process: ModelProcess) -> None:
        """See Owner."""
        self.asked.append(process)
        if self.room:
            process.start(NEED)

    def changed(self, process: ModelProcess, worker: WorkerStatus | None) -> None:
        """See Owner."""
        self.states.append(process.status().state)
        if worker is not None:
            self.workers.append(worker)

    def ended(self, stream: EventStream, event: Finished | Failed) -> None:
        """See Owner."""
        del stream
        self.ends.append(event)

    def new_worker_id(self) -> str:
        """See Owner."""
        return f"w{len(self.asked)}"
