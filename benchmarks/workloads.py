"""What notebooks do to a server. Each workload returns its figures by name.

Every workload makes prompts that no server has seen before, so that what is measured is
what a server shares within the workload, not what it remembers of the last one.
"""

import asyncio
import contextlib
import itertools
import json
import random
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

from .client import Answer, Client, Message

Figures: TypeAlias = dict[str, float]
Run: TypeAlias = Callable[[Client], Awaitable[Figures]]


class Workload(NamedTuple):
    """One of the workloads.

    Attributes:
        run: Goes through it once.
        tiny: Whether the model is so small that everything around it counts.
        ours_alone: Whether it asks for what only our server has.
    """

    run: Run
    tiny: bool = False
    ours_alone: bool = False

    @property
    def name(self) -> str:
        """As it stands in the table."""
        return self.run.__name__


_WORDS_TEXT = (
    "language model reads tokens and predicts the next one weights layers vocabulary "
    "server loads file into memory worker computes notebook shows answer"
)
_WORDS = tuple(_WORDS_TEXT.split())
_random = random.SystemRandom()
_PATIENCE = 600
"""Seconds, for a request that nobody cancels."""

_GLANCE = 0.01
"""Seconds between two looks at the server."""


def text(words: int) -> str:
    """Return a text of about so many tokens that nobody has seen."""
    return " ".join(_random.choice(_WORDS) for _ in range(words))


def ask(question: str, *, system: str = "") -> list[Message]:
    """Return the messages of one question."""
    asked = [{"role": "user", "content": question}]
    return [{"role": "system", "content": system}, *asked] if system else asked


async def one_stream(client: Client) -> Figures:
    """One chat, nobody else."""
    answer = await client.chat(ask(text(20)), tokens=96)
    return {"tokens/s": answer.speed}


async def different_prompts(client: Client) -> Figures:
    """Eight chats at once with nothing in common."""
    began = time.perf_counter()
    answers = await asyncio.gather(
        *[client.chat(ask(text(40)), tokens=48) for _ in range(8)]
    )
    seconds = time.perf_counter() - began
    return {"tokens/s": sum(answer.tokens for answer in answers) / seconds}


async def shared_prefix(client: Client) -> Figures:
    """Eight questions at once on one text of a thousand tokens; first one alone."""
    alone = await client.chat(ask(text(12), system=text(1000)), tokens=8)
    system = text(1000)
    answers = await asyncio.gather(
        *[client.chat(ask(text(12), system=system), tokens=8) for _ in range(8)]
    )
    return {
        "first token s": statistics.mean(answer.first for answer in answers),
        "alone s": alone.first,
    }


async def chats_in_turn(client: Client) -> Figures:
    """Four chats of three turns, each waiting while the others have theirs."""
    chats = [ask(text(100)) for _ in range(4)]
    later = []
    for turn in range(3):
        for chat in chats:
            answer = await client.chat(chat, tokens=16)
            if turn:
                later.append(answer.first)
            chat += [
                {"role": "assistant", "content": answer.text},
                {"role": "user", "content": text(20)},
            ]
    return {"first token s": statistics.mean(later)}


async def long_prompt(client: Client) -> Figures:
    """A stream runs while a prompt of two thousand tokens arrives.

    A plain step is what a token of a stream takes with nobody beside it: servers may
    tell of several tokens at a time.
    """
    alone = await client.chat(ask(text(2000)), tokens=2)
    plain = await client.chat(ask(text(20)), tokens=64)
    running = Answer(asked=0)
    stream = asyncio.ensure_future(
        client.chat(ask(text(20)), tokens=400, answer=running)
    )
    await running.flowing.wait()
    arrived = await client.chat(ask(text(2000)), tokens=2)
    ended = time.perf_counter()
    stream.cancel()
    await asyncio.gather(stream, return_exceptions=True)
    seen = [at for at in running.times if at >= arrived.asked]
    edges = [arrived.asked, *seen, ended]
    gaps = [later - earlier for earlier, later in itertools.pairwise(edges)]
    return {
        "longest gap s": max(gaps),
        "longest gap steps": max(gaps) * plain.speed,
        "first token s": arrived.first,
        "alone s": alone.first,
    }


async def short_requests(client: Client) -> Figures:
    """Sixty-four short requests, sixteen at a time."""
    room = asyncio.Semaphore(16)

    async def one() -> None:
        async with room:
            await client.chat(ask(text(10)), tokens=8)

    began = time.perf_counter()
    await asyncio.gather(*[one() for _ in range(64)])
    return {"requests/s": 64 / (time.perf_counter() - began)}


async def soak(client: Client) -> Figures:
    """A thousand requests, sixteen at a time, half of them cancelled at random.

    The two hundred before them fill the caches; what memory grows by afterwards, and
    what is still held when all have ended, has leaked.
    """
    room = asyncio.Semaphore(16)

    async def one() -> None:
        async with room:
            chat = client.chat(ask(text(_random.randint(5, 200))), tokens=24)
            patience = _random.choice((_random.uniform(0.01, 0.5), _PATIENCE))
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(chat, patience)

    await asyncio.gather(*[one() for _ in range(200)])
    before = client.server.memory
    await asyncio.gather(*[one() for _ in range(1000)])
    after = client.server.memory
    answer = await client.chat(ask(text(10)), tokens=8)
    model = await client.model()
    return {
        "growth MB": (after - before) / 1e6,
        "leaked slots": model["slots"]["busy"],
        "leaked cells": model["engine"]["held_cells"],
        "then first token s": answer.first,
    }


async def cancel(client: Client) -> Figures:
    """Clients leave in the middle of a prompt or of an answer, beside a stream."""
    beside = asyncio.ensure_future(client.chat(ask(text(20)), tokens=2000))
    seconds = []
    for words in (20, 1000) * 4:
        leaving = Answer(asked=0)
        chat = client.chat(ask(text(words)), tokens=400, answer=leaving)
        stream = asyncio.ensure_future(chat)
        before = (await client.model())["engine"]["cancelled"]
        with contextlib.suppress(asyncio.TimeoutError):
            patience = _random.uniform(0.5, 2)
            await asyncio.wait_for(leaving.flowing.wait(), patience)
        stream.cancel()
        await asyncio.gather(stream, return_exceptions=True)
        left = time.perf_counter()
        while (await client.model())["engine"]["cancelled"] == before:  # noqa: ASYNC110  # it happens in another process
            await asyncio.sleep(_GLANCE)
        seconds.append(time.perf_counter() - left)
    beside.cancel()
    await asyncio.gather(beside, return_exceptions=True)
    engine = (await client.model())["engine"]
    return {"steps": engine["cancel_steps"], "longest s": max(seconds)}


async def jupyter_requests(client: Client) -> Figures:
    """Four streams and a long prompt; what else Jupyter is asked for meanwhile."""
    chats = [client.chat(ask(text(40)), tokens=100) for _ in range(4)]
    long = client.chat(ask(text(1000)), tokens=8)
    work = asyncio.gather(*chats, long)
    seconds = []
    while not work.done():
        seconds.append(await client.jupyter_status())
        await asyncio.sleep(_GLANCE)
    await work
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return {"p50 ms": cuts[49] * 1000, "p99 ms": cuts[98] * 1000}


async def json_schema(client: Client) -> Figures:
    """An object that a schema leaves free, and one that it mostly forces."""
    free = await client.chat(ask(text(20)), tokens=64)
    loose = await client.chat(ask(text(20)), tokens=64, **_schema(_LOOSE))
    forced = await client.chat(ask(text(20)), tokens=800, **_schema(_FORCED))
    json.loads(forced.text)
    return {
        "free tokens/s": free.speed,
        "schema tokens/s": loose.speed,
        "forced tokens/s": forced.tokens / (forced.times[-1] - forced.asked),
    }


_LOOSE: dict[str, Any] = {
    "type": "object",
    "properties": {"text": {"type": "string"}},
    "required": ["text"],
    "additionalProperties": False,
}
_FORCED_KEYS = [f"the_name_of_field_number_{n}" for n in range(8)]
_FORCED: dict[str, Any] = {
    "type": "object",
    "properties": {key: {"enum": ["left", "right"]} for key in _FORCED_KEYS},
    "required": _FORCED_KEYS,
    "additionalProperties": False,
}


def _schema(schema: dict[str, Any]) -> dict[str, Any]:
    named = {"name": "answer", "strict": True, "schema": schema}
    return {
        "response_format": {"type": "json_schema", "json_schema": named},
        "ignore_eos": False,
    }


WORKLOADS: Sequence[Workload] = (
    Workload(one_stream),
    Workload(different_prompts),
    Workload(shared_prefix),
    Workload(chats_in_turn),
    Workload(long_prompt),
    Workload(short_requests, tiny=True),
    Workload(json_schema),
    Workload(cancel, ours_alone=True),
    Workload(soak, tiny=True, ours_alone=True),
    Workload(jupyter_requests, ours_alone=True),
)
