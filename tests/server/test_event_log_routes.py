"""Events for administrators, from a server with a real model."""

import asyncio
import json
import logging
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from jupyter_server.serverapp import ServerApp
from tornado.httpclient import HTTPResponse

from tests.server_start import start

Fetch = Callable[..., Awaitable[HTTPResponse]]


@pytest.fixture
def log(jp_server_config: dict[str, Any], tmp_path: Path) -> Path:
    """Let events go to a file, as an administrator configures it."""
    file = tmp_path / "events.jsonl"
    jp_server_config["EventLogger"] = {"handlers": [logging.FileHandler(file)]}
    return file


def events(log: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


async def test_events_reach_the_administrator_s_handler(
    log: Path, jp_fetch: Fetch, jp_serverapp: ServerApp
) -> None:
    """A load, a death, and what becomes of the model."""
    await start(jp_serverapp)
    hello = ("llm", "models", "hello")
    await jp_fetch(*hello, "load", method="POST", body="{}")

    async def state(wanted: str) -> dict[str, Any]:
        while True:
            status: dict[str, Any] = json.loads((await jp_fetch(*hello)).body)
            if status["state"] == wanted:
                return status
            await asyncio.sleep(0.02)

    status = await state("ready")
    os.kill(status["pid"], signal.SIGKILL)
    await state("failed")
    mine = [event for event in events(log) if event.get("model") == "hello"]
    assert [event.get("state") for event in mine] == [
        "loading",
        "ready",
        "failed",
        None,
    ]
    loading, ready, failed, death = mine
    assert loading["__schema__"] == "urn:jupyter-llm-ext:events:model-state:v1"
    assert ready["worker"] == status["worker"] == death["worker"]
    assert ready["memory"] > 100_000
    assert failed["code"] == "worker_died"
    assert death["__schema__"] == "urn:jupyter-llm-ext:events:worker-death:v1"
    assert "SIGKILL" in death["reason"]
