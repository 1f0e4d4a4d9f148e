"""The loop that steps the engine: inbox in, reports out."""

import queue
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from llm_ext.core.events import Failed, Finished, Usage
from llm_ext.engine.engine import Engine, Published as Events
from llm_ext.engine.sequence import Sequence
from llm_ext.errors import EngineError
from llm_ext.ipc.messages import EngineStatus, Published
from llm_ext.ipc.pack import UnsendableError

from .bundle import Bundle
from .job_inputs import JobInputs
from .jobs import Jobs

COUNT_PERIOD = 1.0
"""Seconds after which cells are counted again: where much is kept, that takes time."""


Prepared: TypeAlias = list[Sequence] | JobInputs
"""A request that is ready: its answers, or the inputs of a job."""


@dataclass(frozen=True, kw_only=True)
class Stop:
    """A request to cancel, and the engine's step count when it arrived.

    Attributes:
        begun: Whether the engine has been given it.
    """

    request_id: int
    arrived_at: int
    begun: bool


class EngineThread:
    """Owns the engine. Other threads only put things into the inbox.

    What streams go on with is sent every ``interval`` seconds, see :class:`Bundle`.

    Everything in the inbox is done before the next step begins, so a cancelled
    request computes at most the step that was already running.
    """

    def __init__(
        self,
        engine: Engine,
        jobs: Jobs,
        send: Callable[[Published], None],
        *,
        interval: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._jobs = jobs
        self._send = send
        self._clock = clock
        self._inbox: queue.SimpleQueue[Prepared | Stop] = queue.SimpleQueue()
        self._bundle = Bundle(interval)
        self._cancelled = 0
        self._cancel_steps = 0
        self._held_cells = 0
        self._counted_at = 0.0

    def submit(self, prepared: Prepared) -> None:
        """Queue a request. From any thread."""
        self._inbox.put(prepared)

    def cancel(self, request_id: int, *, begun: bool = True) -> None:
        """End a request before the next step. From any thread.

        One that is not ``begun`` was never submitted, and will not be.
        """
        arrived_at = self._engine.steps
        self._inbox.put(Stop(request_id=request_id, arrived_at=arrived_at, begun=begun))

    @property
    def status(self) -> EngineStatus:
        """The engine's counts now; advisory where another thread reads them."""
        engine = self._engine
        return EngineStatus(
            steps=engine.steps,
            slots=engine.scheduler.n_slots,
            busy=engine.busy_slots,
            waiting=engine.waiting,
            backlog=engine.scheduler.backlog,
            slot_steps=engine.slot_steps,
            cells=engine.cells,
            held_cells=self._held_cells,
            swapped=engine.swapped,
            cancelled=self._cancelled,
            cancel_steps=self._cancel_steps,
        )

    def run(self) -> None:
        """Step for ever."""
        while True:
            self.step()

    def step(self) -> None:
        """Do what the inbox says, then a step of the engine and one of the jobs.

        Sleeps first while there is nothing to do.
        """
        events = self._drain()
        if events:
            self._publish(events)
        if not self._engine.idle:
            self._publish(self._engine.step())
        if not self._jobs.idle:
            self._publish(self._jobs.step(self._engine.scheduler.spare))

    def _drain(self) -> Events:
        """Do all that waits in the inbox; wait for something while idle."""
        events: Events = []
        while True:
            try:
                idle = self._engine.idle and self._jobs.idle
                item = self._inbox.get(block=idle and not events)
            except queue.Empty:
                return events
            match item:
                case Stop():
                    events += self._stop(item)
                case JobInputs():
                    events += self._jobs.submit(item)
                case _:
                    events += self._engine.submit(*item)

    def _stop(self, item: Stop) -> Events:
        number = item.request_id
        events = self._jobs.cancel(number) + self._engine.cancel(number)
        if not item.begun:
            usage = Usage(prompt_tokens=0, completion_tokens=0)
            events = [(number, Finished(reason="cancelled", usage=usage))]
        if events:
            steps = self._engine.steps - item.arrived_at
            self._cancelled += 1
            self._cancel_steps = max(self._cancel_steps, steps)
        return events

    def _publish(self, events: Events) -> None:
        self._bundle.add(events)
        now = self._clock()
        calm = self._engine.scheduler.only_draws and self._jobs.idle
        if not self._bundle.is_due(now, calm=calm):
            return
        if self._engine.idle or now - self._counted_at >= COUNT_PERIOD:
            self._held_cells, self._counted_at = self._engine.held_cells, now
        self._send_or_fail(self._bundle.take(now))

    def _send_or_fail(self, events: Events) -> None:
        """Send events; fail a request of which one cannot be sent, and no other."""
        try:
            self._send(Published(events=events, status=self.status))
        except UnsendableError as error:
            numbers = dict.fromkeys(number for number, _ in events)
            if len(numbers) > 1:
                for one in numbers:
                    self._send_or_fail([event for event in events if event[0] == one])
                return
            (number,) = numbers
            self._jobs.cancel(number)
            self._engine.cancel(number)
            failed = Failed.of(EngineError(f"The answer cannot be sent: {error}."))
            self._publish([(number, failed)])
