"""Jupyter's own ``/metrics``, with a real model behind it."""

import asyncio
import json
import os
import signal
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from jupyter_server.serverapp import ServerApp
from prometheus_client.parser import text_string_to_metric_families
from tornado.httpclient import HTTPResponse

from tests.server_start import start

Fetch = Callable[..., Awaitable[HTTPResponse]]

QUESTION = {"model": "hello", "messages": [{"role": "user", "content": "Hi"}]}


@pytest.fixture(autouse=True)
def started(
    jp_serverapp: ServerApp, jp_asyncio_loop: asyncio.AbstractEventLoop
) -> None:
    """Let the services run."""
    jp_asyncio_loop.run_until_complete(start(jp_serverapp))


async def metrics(fetch: Fetch) -> dict[str, float]:
    """Return what is told of the model ``hello``; further labels go with the name."""
    text = (await fetch("metrics")).body.decode()
    found = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = dict(sample.labels)
            if labels.pop("model", "") == "hello":
                found[" ".join([sample.name, *labels.values()])] = sample.value
    return found


async def chat(fetch: Fetch, **options: object) -> dict[str, Any]:
    reply = await fetch(
        *("llm", "v1", "chat", "completions"),
        method="POST",
        body=json.dumps(QUESTION | options),
    )
    answer: dict[str, Any] = json.loads(reply.body)
    return answer


async def test_metrics_tell_what_a_model_did(jp_fetch: Fetch) -> None:
    """In numbers that agree with those that its clients were told."""
    first = (await chat(jp_fetch))["usage"]
    second = (await chat(jp_fetch))["usage"]
    found = await metrics(jp_fetch)
    cached = second["prompt_tokens_details"]["cached_tokens"]
    assert cached > 0
    read = first["prompt_tokens"] + second["prompt_tokens"]
    written = first["completion_tokens"] + second["completion_tokens"]
    assert found["llamacpp:prompt_tokens_total"] == read - cached
    assert found["llm_ext:prefix_cache_queries_total"] == read
    assert found["llm_ext:prefix_cache_hits_total"] == cached
    assert found["llamacpp:tokens_predicted_total"] == written
    assert found["llamacpp:n_decode_total"] >= written / 2
    assert found["llamacpp:predicted_tokens_seconds"] > 0
    assert found["llm_ext:request_success_total stop"] == 2
    assert found["llm_ext:time_to_first_token_seconds_count"] == 2
    assert found["llm_ext:model_load_seconds_count"] == 1
    pieces = found["llm_ext:inter_token_latency_seconds_count"]
    assert 0 < pieces <= written
    whole = found["llm_ext:e2e_request_latency_seconds_sum"]
    loading = found["llm_ext:model_load_seconds_sum"]
    assert 0 < loading < whole
    assert found["llm_ext:request_queue_time_seconds_sum"] < whole - loading
    assert found["llm_ext:num_requests_running"] == 0
    assert found["llm_ext:model_memory_bytes CPU"] > 100_000


async def test_a_killed_worker_is_a_failure_and_a_death(jp_fetch: Fetch) -> None:
    """And what ran on it runs no longer."""
    await chat(jp_fetch)
    pid = json.loads((await jp_fetch("llm", "models", "hello")).body)["pid"]
    os.kill(pid, signal.SIGSTOP)
    asking = asyncio.ensure_future(
        jp_fetch(
            *("llm", "v1", "chat", "completions"),
            method="POST",
            body=json.dumps(QUESTION),
            raise_error=False,
        )
    )
    for _ in range(500):
        if (await metrics(jp_fetch))["llm_ext:num_requests_waiting"]:
            break
    os.kill(pid, signal.SIGKILL)
    assert (await asking).code == 503
    found = await metrics(jp_fetch)
    assert found["llm_ext:worker_deaths_total"] == 1
    assert found["llm_ext:request_failure_total worker_died"] == 1
    assert found["llm_ext:num_requests_waiting"] == 0


async def test_metrics_ask_for_a_login(jp_fetch: Fetch) -> None:
    """They say which models somebody works with."""
    reply = await jp_fetch(
        "metrics", headers={"Authorization": "Bearer wrong"}, raise_error=False
    )
    assert reply.code == 403
