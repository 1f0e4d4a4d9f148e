"""Clients that leave before they are answered."""

import asyncio
from typing import Any

import httpx
import pytest
from jupyter_server.serverapp import ServerApp

from llm_ext.handlers.base import SERVICES_KEY, LLMHandler
from llm_ext.pool.stream import EventStream
from llm_ext.providers.registry import Providers


@pytest.fixture
def left(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Set once the server knows that a client has left."""
    left = asyncio.Event()
    notice = LLMHandler.on_connection_close

    def noticed(handler: LLMHandler) -> None:
        notice(handler)
        left.set()

    monkeypatch.setattr(LLMHandler, "on_connection_close", noticed)
    return left


@pytest.mark.usefixtures("jp_fetch")  # which starts to serve
@pytest.mark.parametrize("comes_back", [False, True])
async def test_who_leaves_before_it_is_known_who_answers_is_not_answered(
    jp_serverapp: ServerApp,
    jp_http_port: int,
    monkeypatch: pytest.MonkeyPatch,
    left: asyncio.Event,
    comes_back: bool,  # noqa: FBT001  # pytest's
) -> None:
    """Unless he said that he would come back."""
    providers: Providers = jp_serverapp.web_app.settings[SERVICES_KEY].providers
    generate = providers.generate
    asked = asyncio.Event()
    begun: asyncio.Queue[EventStream] = asyncio.Queue()

    async def slow(*request: Any, **options: Any) -> EventStream:  # noqa: ANN401
        asked.set()
        await left.wait()
        stream = await generate(*request, **options)
        begun.put_nowait(stream)
        return stream

    monkeypatch.setattr(providers, "generate", slow)
    chat = {
        "model": "babble",
        "messages": [{"role": "user", "content": "Hi"}],
        "max_tokens": 4000,
        "stream": comes_back,
    }
    headers = {"Authorization": f"token {jp_serverapp.identity_provider.token}"}
    if comes_back:
        headers["X-Stream-Id"] = "mine"
    url = f"http://127.0.0.1:{jp_http_port}{jp_serverapp.base_url}llm/v1"
    async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
        call = client.post(f"{url}/chat/completions", json=chat, headers=headers)
        asking = asyncio.ensure_future(call)
        await asyncio.wait_for(asked.wait(), 30)
        asking.cancel()
        stream = await asyncio.wait_for(begun.get(), 30)
        await asyncio.sleep(0.1)
        assert stream._closed is not comes_back
