"""A real worker, whose llama.cpp crashes with weights repacked for the processor."""

import asyncio
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

import pytest

from llm_ext.catalog.entry import ModelEntry
from llm_ext.core.events import Event, Finished
from llm_ext.core.messages import ChatMessage
from llm_ext.core.requests import ChatRequest, EmbedRequest
from llm_ext.core.sampling import SamplingOptions
from llm_ext.core.settings import Settings
from llm_ext.pool.launcher import ChildProcess
from llm_ext.pool.process import ModelProcess
from tests.fakes.owner import FakeOwner

CHAT = ChatRequest(
    model="m",
    messages=(ChatMessage(role="user", content="Hi"),),
    sampling=SamplingOptions(max_tokens=4),
)
EMBEDDING = EmbedRequest(model="m", inputs=("Hi",))


@pytest.mark.parametrize(
    ("name", "request_"), [("babble", CHAT), ("encoder", EMBEDDING)]
)
def test_it_is_loaded_again_without_them(
    models: Path, name: str, request_: ChatRequest | EmbedRequest
) -> None:
    """Whoever asks sees a load that takes longer, and then the answer."""

    async def scenario() -> tuple[list[Event], list[str]]:
        path = models / f"{name}.gguf"
        entry = ModelEntry(
            id=name,
            name=name,
            path=path,
            size=path.stat().st_size,
            modified=datetime.now(timezone.utc),
        )
        settings = Settings(model_folders=(), data_folder=Path())
        launch = partial(ChildProcess, module="tests.crashing_worker")
        process = ModelProcess(entry, settings, launch, FakeOwner())
        events = [event async for event in process.open(request_)]
        log = process.log
        await process.unload(force=True)
        return events, log

    events, log = asyncio.run(scenario())
    assert isinstance(events[-1], Finished)
    assert any("crashed with the weights" in line for line in log)
