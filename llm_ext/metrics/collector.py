"""Counts, and tells Prometheus in Jupyter's own ``/metrics``."""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import ClassVar

from prometheus_client import REGISTRY
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from llm_ext.core.changes import Change, WorkerChanged
from llm_ext.core.events import Failed, Finished
from llm_ext.core.model_status import ModelStatus
from llm_ext.core.worker_status import WorkerStatus
from llm_ext.errors import LLMError, WorkerDiedError
from llm_ext.pool.stream import EventStream

from .exposition import counted, going_on
from .tally import Tally

Statuses = Callable[[], Iterable[ModelStatus]]
"""Says what can be said of every model now; a model with two workers comes twice."""

_READY = {"ready", "busy"}


class Metrics(Collector):
    """Counts what becomes of requests and workers, and tells it when it is asked.

    Implements :class:`llm_ext.pool.meter.Meter`. What goes on now is not counted along
    but read from the pool at that moment.
    """

    _shown: ClassVar["Metrics | None"] = None

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._tallies: dict[str, Tally] = {}
        self._loading: dict[str, float] = {}
        self._statuses: Statuses = tuple

    def start(self, statuses: Statuses) -> None:
        """Be shown in this process's metrics, in the place of one before."""
        self._statuses = statuses
        if Metrics._shown is not None:
            Metrics._shown.stop()
        REGISTRY.register(self)
        Metrics._shown = self

    def stop(self) -> None:
        """Be shown no longer."""
        if Metrics._shown is self:
            REGISTRY.unregister(self)
            Metrics._shown = None

    # What is told.

    def ended(self, stream: EventStream, event: Finished | Failed) -> None:
        """See :class:`~llm_ext.pool.meter.Meter`."""
        tally = self._tally(stream.model)
        if isinstance(event, Finished):
            tally.answered(stream.timing, event)
        else:
            tally.failures[event.code] += 1

    def refused(self, model: str, error: LLMError) -> None:
        """See :class:`~llm_ext.pool.meter.Meter`."""
        self._tally(model).failures[error.code] += 1

    def note(self, change: Change) -> None:
        """Take notice of loads and deaths."""
        if isinstance(change, WorkerChanged):
            self._note(change.worker)

    def _note(self, worker: WorkerStatus) -> None:
        if worker.state == "loading":
            # Before it has a process it waits for room.
            if worker.pid is not None:
                self._loading.setdefault(worker.id, self._clock())
            return
        began = self._loading.pop(worker.id, None)
        if began is not None and worker.state in _READY:
            self._tally(worker.model).loads.add([self._clock() - began])
        if worker.error is not None and worker.error.code == WorkerDiedError.code:
            self._tally(worker.model).deaths += 1

    # What is asked.

    def describe(self) -> Iterable[Metric]:
        """Name nothing beforehand: what is there depends on the catalog."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yield everything as it is now."""
        yield from counted(list(self._tallies.items()))
        yield from going_on(self._statuses())

    def _tally(self, model: str) -> Tally:
        return self._tallies.setdefault(model, Tally())
