"""A real worker that is busy with somebody's constraint."""

import asyncio
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

from llm_ext.catalog.entry import ModelEntry
from llm_ext.core.constraint import AnyJSON, Constraint
from llm_ext.core.events import Finished
from llm_ext.core.messages import ChatMessage
from llm_ext.core.requests import ChatRequest
from llm_ext.core.sampling import SamplingOptions
from llm_ext.core.settings import Settings
from llm_ext.pool.launcher import ChildProcess
from llm_ext.pool.process import ModelProcess
from tests.fakes.owner import FakeOwner
from tests.waiting import PAUSE

WITHIN = 60
"""Seconds, after which something waits for ever."""


def request(constraint: Constraint | None) -> ChatRequest:
    return ChatRequest(
        model="babble",
        messages=(ChatMessage(role="user", content="Hi"),),
        sampling=SamplingOptions(max_tokens=4),
        constraint=constraint,
    )


def test_it_serves_others_and_lets_a_request_be_given_up(models: Path) -> None:
    """Neither the next request nor a cancel waits for the constraint."""
    path = models / "babble.gguf"
    entry = ModelEntry(
        id="babble",
        name="babble",
        path=path,
        size=path.stat().st_size,
        modified=datetime.now(timezone.utc),
    )

    async def scenario() -> None:
        process = ModelProcess(
            entry,
            Settings(model_folders=(), data_folder=Path()),
            partial(ChildProcess, module="tests.slow_compiler"),
            FakeOwner(),
        )
        constrained = process.open(request(AnyJSON()))
        plain = [event async for event in process.open(request(None))]
        assert isinstance(plain[-1], Finished)
        constrained.close()
        while process.busy:  # noqa: ASYNC110  # another process ends it
            await asyncio.sleep(PAUSE)
        engine = process.status().engine
        assert engine is not None
        assert engine.cancelled == 1
        await process.unload(force=True)

    asyncio.run(asyncio.wait_for(scenario(), WITHIN))
