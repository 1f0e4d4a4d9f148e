"""One streamed chat, with the time of every token."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from .servers import Server

Message = dict[str, str]

_FLOWING = 10
"""Parts of a text after which it is sure to go on."""


@dataclass(kw_only=True)
class Answer:
    """What came back.

    Attributes:
        asked: When the request was sent, in seconds of ``time.perf_counter``.
        times: When each part of the text came.
        text: The whole text.
        prompt_tokens: As the server counts them.
        tokens: Tokens of the answer, as the server counts them, else its parts.
        flowing: Set when some text has come.
    """

    asked: float
    times: list[float] = field(default_factory=list)
    text: str = ""
    prompt_tokens: int = 0
    tokens: int = 0
    flowing: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def first(self) -> float:
        """Seconds until the first text."""
        return self.times[0] - self.asked

    @property
    def speed(self) -> float:
        """Tokens per second once the first has come."""
        return (self.tokens - 1) / (self.times[-1] - self.times[0])


class Client:
    """Chats with one server."""

    def __init__(self, server: Server, http: httpx.AsyncClient) -> None:
        self.server = server
        self._http = http

    @classmethod
    @asynccontextmanager
    async def to(cls, server: Server) -> AsyncIterator["Client"]:
        """Connect."""
        # Some servers close a connection that is kept, just when it is used again.
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        async with httpx.AsyncClient(
            base_url=server.url,
            headers=server.headers,
            timeout=1800,
            trust_env=False,
            limits=limits,
        ) as http:
            yield cls(server, http)

    async def chat(
        self,
        messages: list[Message],
        *,
        tokens: int,
        answer: Answer | None = None,
        **options: Any,  # noqa: ANN401  # any of the API's
    ) -> Answer:
        """Stream a chat of ``tokens`` tokens to its end, into ``answer`` if given."""
        body = {
            "model": self.server.model,
            "messages": messages,
            "max_tokens": tokens,
            "temperature": 0,
            "ignore_eos": True,
            "stream": True,
            "stream_options": {"include_usage": True},
            **options,
        }
        found = answer or Answer(asked=0)
        found.asked = time.perf_counter()
        async with self._http.stream("POST", "chat/completions", json=body) as reply:
            if reply.is_error:
                await reply.aread()
                raise RuntimeError(f"{self.server.name}: {reply.text}")
            async for line in reply.aiter_lines():
                if line.startswith("data: {"):
                    _take(json.loads(line.removeprefix("data: ")), found)
        found.tokens = found.tokens or len(found.times)
        return found

    async def model(self) -> dict[str, Any]:
        """Return what our server says of its model: the engine's counts, the slots."""
        path = f"{self.server.jupyter}llm/models/{self.server.model}"
        status: dict[str, Any] = (await self._http.get(path)).raise_for_status().json()
        return status

    async def jupyter_status(self) -> float:
        """Return the seconds that ``GET /api/status`` of the Jupyter server takes."""
        began = time.perf_counter()
        (await self._http.get(f"{self.server.jupyter}api/status")).raise_for_status()
        return time.perf_counter() - began


def _take(chunk: dict[str, Any], answer: Answer) -> None:
    if "error" in chunk:
        raise RuntimeError(chunk["error"])
    if usage := chunk.get("usage"):
        answer.prompt_tokens = usage["prompt_tokens"]
        answer.tokens = usage["completion_tokens"]
    for choice in chunk.get("choices", []):
        if text := choice["delta"].get("content"):
            answer.times.append(time.perf_counter())
            answer.text += text
            if len(answer.times) == _FLOWING:
                answer.flowing.set()
