"""What a request took is given back when it ends, not when the collector comes.

Handlers that are part of a cycle keep their request, its body and its connection until
Python collects its oldest objects, which in a large process is seldom: a thousand
requests later, or more.
"""

import asyncio
import gc
import json
import logging
import weakref
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx
import pytest
from jupyter_server import CallContext
from jupyter_server.serverapp import ServerApp

from llm_ext.handlers.base import LLMHandler
from tests.waiting import until

Ask = Callable[[str, object], Awaitable[None]]

HI = [{"role": "user", "content": "Hi"}]
CHAT = {"model": "hello", "messages": HI}
ENDLESS = {"model": "babble", "messages": HI, "max_tokens": 4000}

CALLS: dict[str, tuple[str, dict[str, Any]]] = {
    "a chat": ("v1/chat/completions", CHAT),
    "a streamed chat": ("v1/chat/completions", {**CHAT, "stream": True}),
    "a completion": ("v1/completions", {"model": "hello", "prompt": "Hi"}),
    "a response": ("v1/responses", {"model": "hello", "input": "Hi", "stream": True}),
    "a message": ("v1/messages", {**CHAT, "max_tokens": 8, "stream": True}),
    "Ollama's chat": ("api/chat", CHAT),
    "Ollama's completion": ("api/generate", {"model": "hello", "prompt": "Hi"}),
    "a load": ("models/hello/load", {}),
    "a model that is not there": ("v1/chat/completions", {**CHAT, "model": "none"}),
    "a body that is none": ("v1/chat/completions", {"model": 1}),
}


@pytest.fixture
def handlers(
    monkeypatch: pytest.MonkeyPatch,
) -> "Iterator[weakref.WeakSet[LLMHandler]]":
    """The handlers that there are, while nothing is collected.

    Nor logged: pytest keeps what is, with the errors and all that they have seen. Nor
    noted as the one that answers: asyncio's timers keep that for a few seconds.
    """
    there: weakref.WeakSet[LLMHandler] = weakref.WeakSet()
    initialize = LLMHandler.initialize

    def noted(handler: LLMHandler, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401  # Jupyter's
        there.add(handler)
        initialize(handler, *args, **kwargs)

    monkeypatch.setattr(LLMHandler, "initialize", noted)
    monkeypatch.setattr(CallContext, "set", lambda _name, _value: None)
    logging.disable()
    gc.disable()
    yield there
    gc.enable()
    logging.disable(logging.NOTSET)


@pytest.fixture
def ask(jp_serverapp: ServerApp, jp_http_port: int, jp_fetch: object) -> Ask:  # noqa: ARG001  # it starts to serve
    """Send something, over a connection of its own."""
    headers = {"Authorization": f"token {jp_serverapp.identity_provider.token}"}
    url = f"http://127.0.0.1:{jp_http_port}{jp_serverapp.base_url}llm/"

    async def post(path: str, body: object) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
            await client.post(url + path, content=json.dumps(body), headers=headers)

    return post


@pytest.mark.parametrize("name", CALLS)
async def test_a_handler_goes_when_it_has_answered(
    ask: Ask, handlers: "weakref.WeakSet[LLMHandler]", name: str
) -> None:
    """Whatever it answered."""
    await ask(*CALLS[name])
    await until(lambda: not handlers)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("v1/chat/completions", {**ENDLESS, "stream": True}),
        ("v1/chat/completions", ENDLESS),
        ("v1/messages", {**ENDLESS, "stream": True}),
        ("v1/responses", {"model": "babble", "input": "Hi", "stream": True}),
        ("api/chat", {"model": "babble", "messages": HI}),
    ],
)
async def test_a_handler_goes_with_its_client(
    ask: Ask,
    handlers: "weakref.WeakSet[LLMHandler]",
    path: str,
    body: dict[str, Any],
) -> None:
    """In the middle of an answer."""
    await ask("models/babble/load", {})
    asking = asyncio.ensure_future(ask(path, body))
    await until(lambda: any(handler.stream for handler in handlers))
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await until(lambda: not handlers)
