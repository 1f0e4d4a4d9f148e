"""A real worker, on a disk that can be watched at work."""

import asyncio
import itertools
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

import psutil
import pytest

from llm_ext.catalog.entry import ModelEntry
from llm_ext.core.events import Event, Failed, Loading, Ready
from llm_ext.core.settings import Settings
from llm_ext.pool.launcher import ChildProcess
from llm_ext.pool.process import ModelProcess
from tests.fakes.owner import FakeOwner
from tests.slow_worker import PIECES, STUCK

STALL = 3.0
"""Seconds without progress; a worker's own start takes a part of one."""


def loading(models: Path, *, stall: float) -> ModelProcess:
    path = models / "babble.gguf"
    entry = ModelEntry(
        id="babble",
        name="babble",
        path=path,
        size=path.stat().st_size,
        modified=datetime.now(timezone.utc),
    )
    settings = Settings(model_folders=(), data_folder=Path(), load_stall_timeout=stall)
    launch = partial(ChildProcess, module="tests.slow_worker")
    return ModelProcess(entry, settings, launch, FakeOwner())


def test_the_bar_goes_as_the_disk_goes(models: Path) -> None:
    """In many small steps from the first piece to the last: it never jumps."""

    async def scenario() -> list[Event]:
        process = loading(models, stall=60)
        events = [event async for event in process.open(None)]
        await process.unload(force=True)
        return events

    events = asyncio.run(scenario())
    assert isinstance(events[-1], Ready)
    bar = [event.fraction for event in events if isinstance(event, Loading)]
    assert bar == sorted(bar)
    read = [
        event.fraction
        for event in events
        if isinstance(event, Loading) and event.stage == "reading"
    ]
    steps = [after - before for before, after in itertools.pairwise(read)]
    assert len(read) > 0.9 * PIECES
    assert max(steps) < 2.5 * (read[-1] - read[0]) / PIECES
    assert read[0] < 0.05
    assert read[-1] == pytest.approx(0.6)


def test_a_disk_that_stands_still_ends_the_load(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not before it stood still for so long; nothing is left of the worker."""
    monkeypatch.setenv(STUCK, "1")

    async def scenario() -> tuple[list[Event], int]:
        process = loading(models, stall=STALL)
        stream = process.open(None)
        pid = process.status().pid
        assert pid is not None
        return [event async for event in stream], pid

    events, pid = asyncio.run(scenario())
    *before, last = events
    assert isinstance(last, Failed)
    assert f"no progress for {STALL:g} seconds" in last.message
    assert isinstance(before[-1], Loading)
    assert before[-1].fraction < 0.5
    assert not psutil.pid_exists(pid)
