"""Drives an engine on the fake backend, and checks it after every step."""

from collections.abc import Sequence as Items
from dataclasses import dataclass, field

import pytest

from llm_ext.core.events import Failed, Finished, Queued, TextDelta
from llm_ext.core.memory_kind import MemoryKind
from llm_ext.core.sampling import SamplingParams
from llm_ext.engine.element import Element
from llm_ext.engine.engine import Engine
from llm_ext.engine.sequence import Sequence
from tests.fakes.backend import FakeBackend


def sequence(
    number: int,
    prompt: int,
    answer: int,
    *,
    stop: tuple[str, ...] = (),
    user: str = "",
) -> Sequence:
    return Sequence(
        request_id=number,
        prompt=[1 + (7 * number + index) % 100 for index in range(prompt)],
        params=SamplingParams(stop=stop),
        limit=prompt + answer,
        user=user,
    )


def request(number: int, prompt: Items[Element], answer: int = 4) -> Sequence:
    return Sequence(
        request_id=number,
        prompt=prompt,
        params=SamplingParams(),
        limit=len(prompt) + answer,
    )


@dataclass
class Run:
    """Drives an engine, checks it after every step, and collects what it publishes."""

    engine: Engine
    backend: FakeBackend
    text: dict[int, str] = field(default_factory=dict)
    ends: dict[int, Finished | Failed] = field(default_factory=dict)
    positions: dict[int, list[int]] = field(default_factory=dict)

    def take(self, published: list) -> None:  # type: ignore[type-arg]  # any events
        for number, event in published:
            assert number not in self.ends, "something followed the end"
            if isinstance(event, TextDelta):
                self.text[number] = self.text.get(number, "") + event.text
            if isinstance(event, Queued):
                self.positions.setdefault(number, []).append(event.position)
            if isinstance(event, (Finished, Failed)):
                self.ends[number] = event

    def submit(self, new: Sequence) -> None:
        self.take(self.engine.submit(new))

    def cancel(self, number: int) -> None:
        self.take(self.engine.cancel(number))

    def step(self) -> None:
        self.take(self.engine.step())
        self.check()

    def check(self) -> None:
        """What the engine believes about the cache is what the cache holds."""
        scheduler = self.engine.scheduler
        scheduler.check_integrity()
        memory = scheduler.memory
        for running in scheduler.running:
            held = self.backend.memory.get(running.held_id, {})
            elements = [held[at].element for at in range(len(held))]
            assert elements == running.elements(end=running.computed)
        owned = {s.seq_id for s in scheduler.running} | set(memory.kept)
        assert set(self.backend.memory) <= owned, "a sequence leaked"
        assert memory.n_cells - memory.free_cells == self.backend.used, "a cell leaked"
        assert set(memory.swapped) == self.backend.swapped.keys(), "a copy leaked"

    def finish(self, *, within: int) -> None:
        for _ in range(within):
            if self.engine.idle:
                return
            self.step()
        pytest.fail("a sequence starved")


def forget(engine: Engine) -> None:
    """Let an engine give up every prefix that it keeps for later."""
    while moves := engine.scheduler.memory.evict():
        engine._apply(moves)


def new_run(
    *,
    n_slots: int = 4,
    n_cells: int = 64,
    n_batch: int = 16,
    n_seq_ids: int = 8,
    n_swap: int = 0,
    kind: MemoryKind = "attention",
) -> Run:
    backend = FakeBackend(
        n_cells=n_cells,
        n_batch=n_batch,
        n_seq_ids=n_seq_ids,
        n_swap=n_swap,
        memory_kind=kind,
    )
    engine = Engine(backend, n_slots=n_slots, clock=lambda: 0.0)
    return Run(engine=engine, backend=backend)
