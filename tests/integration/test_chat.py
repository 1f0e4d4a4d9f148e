"""Chats over HTTP with a real server, real workers and real clients."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest

from tests.live import LiveServer, chunks, stream_lines
from tests.models.hello import ANSWER
from tests.waiting import eventually

HI = [{"role": "user", "content": "Hi"}]


@pytest.fixture
def client(server: LiveServer) -> Iterator[openai.OpenAI]:
    """The unmodified OpenAI client; Jupyter's token is its key."""
    with openai.OpenAI(
        base_url=f"{server.url}llm/v1", api_key=server.token, max_retries=0
    ) as made:
        yield made


def unload(server: LiveServer, name: str) -> None:
    with server.client() as http:
        assert http.post(f"models/{name}/unload", json={"force": True}).is_success


def test_openais_client_lists_models(client: openai.OpenAI) -> None:
    """By id, and each can be asked for by its id."""
    ids = [model.id for model in client.models.list()]
    assert {"hello", "babble", "other"} <= set(ids)
    assert client.models.retrieve("hello").id == "hello"


def test_openais_client_streams_a_chat_from_a_cold_model(
    server: LiveServer, client: openai.OpenAI
) -> None:
    """The load is carried in the stream, unseen by the client."""
    unload(server, "hello")
    parts = list(
        client.chat.completions.create(
            model="hello",
            messages=[{"role": "user", "content": "Hi"}],
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    text = "".join(p.choices[0].delta.content or "" for p in parts if p.choices)
    assert text == ANSWER
    assert parts[-2].choices[0].finish_reason == "stop"
    usage = parts[-1].usage
    assert usage is not None
    assert usage.completion_tokens > 30
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens


def test_openais_client_gets_a_whole_answer(client: openai.OpenAI) -> None:
    reply = client.chat.completions.create(
        model="hello", messages=[{"role": "user", "content": "Hi"}], max_tokens=3
    )
    assert reply.choices[0].message.content == "Hello! I"
    assert reply.choices[0].finish_reason == "length"
    assert reply.usage is not None
    assert reply.usage.completion_tokens == 3


def test_load_progress_is_seen_in_the_open_stream(server: LiveServer) -> None:
    """As comments, before the first chunk; every stage is named."""
    unload(server, "hello")
    lines = []
    with (
        server.client() as http,
        http.stream("POST", "v1/chat/completions", json=chat("hello")) as reply,
    ):
        lines = list(stream_lines(reply))
    comments = [line for line in lines if line.startswith(": loading")]
    stages = {line.split("(")[1].rstrip(")") for line in comments}
    assert stages == {"starting", "reading", "loading", "preparing"}
    assert lines.index(": loaded") < lines.index(
        next(line for line in lines if "{" in line)
    )


def test_a_load_can_be_watched_and_is_seen_by_others(server: LiveServer) -> None:
    """``models/{id}/load`` tells each step; ``models`` shows the state meanwhile."""
    unload(server, "babble")
    seen: list[str] = []
    with (
        server.client() as http,
        server.client() as other,
        http.stream(
            "POST", "models/babble/load", headers={"Accept": "text/event-stream"}
        ) as reply,
    ):
        for line in stream_lines(reply):
            if not seen:
                model = other.get("models/babble").json()
                assert model["state"] in {"loading", "ready"}
            seen.append(line)
    states = [json.loads(line[6:]) for line in seen if line.startswith("data: ")]
    fractions = [s["fraction"] for s in states if s["status"] == "loading"]
    assert fractions == sorted(fractions)
    assert states[-1] == {"status": "ready"}
    model = server.model("babble")
    assert (model["state"], model["memory_kind"]) == ("ready", "attention")


def test_a_load_goes_on_when_nobody_waits(server: LiveServer) -> None:
    """Without server-sent events it answers at once."""
    unload(server, "other")
    with server.client() as http:
        reply = http.post("models/other/load")
    assert reply.status_code == 202
    assert reply.json()["state"] in {"loading", "ready"}

    def ready() -> bool:
        """The model becomes ready."""
        return bool(server.model("other")["state"] == "ready")

    eventually(ready)


def chat(model: str, **fields: Any) -> dict[str, Any]:  # noqa: ANN401  # any JSON
    return {"model": model, "messages": HI, "stream": True, **fields}


def test_four_chats_at_once_all_finish(server: LiveServer) -> None:
    """They share the one context, and are computed together."""

    async def ask(http: httpx.AsyncClient, seed: int) -> dict[str, Any]:
        body = chat("babble", stream=False, max_tokens=300, seed=seed)
        reply = await http.post("v1/chat/completions", json=body)
        assert reply.is_success, reply.text
        whole: dict[str, Any] = reply.json()
        return whole

    async def ask_all() -> list[dict[str, Any]]:
        async with httpx.AsyncClient(
            base_url=f"{server.url}llm/",
            headers=server.headers,
            timeout=60,
            trust_env=False,
        ) as http:
            await ask(http, 0)
            return await asyncio.gather(*[ask(http, seed) for seed in range(4)])

    replies = asyncio.run(ask_all())

    assert [r["usage"]["completion_tokens"] for r in replies] == [300] * 4
    texts = {r["choices"][0]["message"]["content"] for r in replies}
    assert len(texts) == 4
    steps = server.model("babble")["engine"]["steps"]
    assert steps < 2 * 300 + 4 * 300, "the four were not computed together"


def test_a_client_that_goes_away_frees_its_slot_within_two_steps(
    server: LiveServer,
) -> None:
    """Counted by the engine itself, in steps and not in time."""
    before = server.model("babble").get("engine") or {"cancelled": 0}
    with (
        server.client() as http,
        http.stream(
            "POST", "v1/chat/completions", json=chat("babble", max_tokens=20000)
        ) as reply,
    ):
        next(chunks(stream_lines(reply)))

    def freed() -> dict[str, Any] | None:
        """The engine counts one more cancelled request."""
        engine: dict[str, Any] = server.model("babble")["engine"]
        return engine if engine["cancelled"] == before["cancelled"] + 1 else None

    engine = eventually(freed)
    assert engine["cancel_steps"] <= 2
    model = server.model("babble")
    assert (model["slots"]["busy"], model["requests"]) == (0, 0)


def test_a_client_that_goes_away_from_a_whole_answer_frees_its_slot(
    server: LiveServer,
) -> None:
    """Also without a stream."""
    before = server.model("babble")["engine"]["cancelled"]
    body = chat("babble", stream=False, max_tokens=20000)
    with server.client() as http, pytest.raises(httpx.ReadTimeout):
        http.post("v1/chat/completions", json=body, timeout=0.5)

    def freed() -> bool:
        """The engine counts one more cancelled request, and nothing runs."""
        model = server.model("babble")
        counts = (model["engine"]["cancelled"], model["slots"]["busy"])
        return counts == (before + 1, 0)

    eventually(freed)


def test_seeded_answers_repeat(client: openai.OpenAI) -> None:
    """The draw is the request's own."""
    texts = [
        client.chat.completions.create(
            model="babble",
            messages=[{"role": "user", "content": "Hi"}],
            max_tokens=30,
            seed=seed,
        )
        .choices[0]
        .message.content
        for seed in (1, 1, 2)
    ]
    assert texts[0] == texts[1] != texts[2]


def test_a_model_may_recommend_how_to_draw_and_the_request_decides(
    client: openai.OpenAI,
) -> None:
    """Without a temperature the model's own 0 holds: the same text each time."""

    def text(**options: float) -> str | None:
        reply = client.chat.completions.create(
            model="sober",
            messages=[{"role": "user", "content": "Hi"}],
            max_tokens=20,
            extra_body=options,
        )
        return reply.choices[0].message.content

    assert text() == text() == text(temperature=0)
    assert text(temperature=2, seed=1) != text()


def test_unloading_gives_the_process_back(server: LiveServer) -> None:
    """The memory goes with the worker's process."""
    with server.client() as http:
        http.post("v1/chat/completions", json=chat("other", stream=False, max_tokens=1))
        assert http.get("models/other").json()["pid"] is not None
        reply = http.post("models/other/unload").json()
    assert (reply["state"], reply["pid"]) == ("unloaded", None)


def test_a_busy_model_is_unloaded_by_force_only(server: LiveServer) -> None:
    """Who streams is told, or is told why the stream ended."""
    with (
        server.client() as http,
        http.stream(
            "POST", "v1/chat/completions", json=chat("babble", max_tokens=20000)
        ) as reply,
    ):
        lines = stream_lines(reply)
        next(chunks(lines))
        with server.client() as other:
            refused = other.post("models/babble/unload")
            assert refused.status_code == 409
            assert refused.json()["error"]["code"] == "model_busy"
            assert other.post("models/babble/unload", json={"force": True}).is_success
        last = list(chunks(lines))[-1]
    assert last["error"]["code"] == "model_unloaded"
