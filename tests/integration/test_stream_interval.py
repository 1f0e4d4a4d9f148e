"""Streams as they are where nobody sets how often they tell of their tokens."""

import time
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from tests.live import LiveServer, live_server

INTERVAL = 0.07
TOKENS = 2000


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, models: Path
) -> Iterator[LiveServer]:
    """A server that is not told."""
    with live_server(tmp_path_factory.mktemp("interval"), models) as running:
        yield running


def test_many_tokens_come_in_few_parts_and_none_is_lost(server: LiveServer) -> None:
    """Each with its log-probability: the first, those of an interval, and the last."""
    client = openai.OpenAI(base_url=f"{server.url}llm/v1", api_key=server.token)
    began = time.monotonic()
    parts = list(
        client.chat.completions.create(
            model="babble",
            messages=[{"role": "user", "content": "Hi"}],
            max_tokens=TOKENS,
            logprobs=True,
            stream=True,
            stream_options={"include_usage": True},
            extra_body={"ignore_eos": True},
        )
    )
    took = time.monotonic() - began

    choices = [part.choices[0] for part in parts if part.choices]
    texts = [choice.delta.content for choice in choices if choice.delta.content]
    told = [
        likely
        for choice in choices
        if choice.logprobs is not None
        for likely in choice.logprobs.content or ()
    ]
    assert parts[-1].usage is not None
    assert parts[-1].usage.completion_tokens == TOKENS
    assert len(told) == TOKENS
    assert 2 < len(texts) < 3 + took / INTERVAL
