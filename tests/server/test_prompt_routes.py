"""``prompts`` inside a Jupyter server, answered by a real model."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from tornado.httpclient import HTTPResponse

from tests.models.hello import ANSWER

Fetch = Callable[..., Awaitable[HTTPResponse]]
Call = Callable[..., Awaitable[tuple[int, Any]]]

PROMPT = {
    "name": "sum",
    "template": "Sum up {{text}} in {{n}} lines.",
    "model": "hello",
    "options": {"max_tokens": 3},
}


@pytest.fixture
def call(jp_fetch: Fetch) -> Call:
    """Call a route with JSON; returns the status, and the JSON that came."""

    async def send(method: str, route: str, body: object = None) -> tuple[int, Any]:
        reply = await jp_fetch(
            *("llm", *route.split("/")),
            method=method,
            body=None if body is None else json.dumps(body),
            allow_nonstandard_methods=True,
            raise_error=False,
        )
        return reply.code, json.loads(reply.body) if reply.body else None

    return send


def events(reply: HTTPResponse) -> list[tuple[str, dict[str, Any]]]:
    found = []
    for block in reply.body.decode().split("\n\n"):
        if block.startswith("event: "):
            name, data = block.split("\n")
            event = json.loads(data.removeprefix("data: "))
            found.append((name.removeprefix("event: "), event))
    return found


async def test_a_prompt_is_kept_changed_and_deleted(call: Call) -> None:
    """Its variables are found in it, its version counts."""
    status, made = await call("POST", "prompts", PROMPT)
    assert status == 201
    assert made == {
        **PROMPT,
        "id": made["id"],
        "variables": ["text", "n"],
        "version": 1,
        "updated": made["updated"],
    }
    assert await call("GET", "prompts") == (200, {"prompts": [made]})
    where = f"prompts/{made['id']}"
    text = {"name": "sum", "template": "Sum up."}
    status, changed = await call("PUT", where, text)
    assert (status, changed["version"], changed["variables"]) == (200, 2, [])
    assert (changed["model"], changed["options"]) == (None, {})
    assert await call("GET", where) == (200, changed)
    status, refused = await call("POST", "prompts", PROMPT)
    assert (status, refused["error"]["code"]) == (409, "prompt_exists")
    for wrong, param in (
        ({"name": "x"}, "template"),
        ({"name": " ", "template": ""}, "name"),
        ({"name": "x", "template": "", "options": {"top_k": "x"}}, "top_k"),
        ({"name": "x", "template": "", "options": {"tools": [{}]}}, "tools"),
    ):
        status, refused = await call("PUT", where, wrong)
        assert (status, refused["error"]["param"]) == (400, param)
    assert await call("DELETE", where) == (204, None)
    status, refused = await call("GET", where)
    assert (status, refused["error"]["code"]) == (404, "prompt_not_found")


async def test_a_prompt_is_executed(call: Call) -> None:
    """With its own options where the caller gives no others; by name too."""
    _, made = await call("POST", "prompts", PROMPT)
    values = {"text": "{{n}}", "n": 2}
    status, whole = await call(
        "POST", f"prompts/{made['id']}/execute", {"variables": values}
    )
    assert status == 200
    assert (whole["text"], whole["model"]) == ("Hello! I", "hello")
    assert whole["finish_reason"] == "length"
    assert whole["usage"]["completion_tokens"] == 3
    assert whole["timings"]["predicted_per_second"] > 0
    body = {"variables": values, "max_tokens": 80, "seed": 1}
    _, whole = await call("POST", "prompts/sum/execute", body)
    assert (whole["text"], whole["finish_reason"]) == (ANSWER, "stop")


async def test_a_cold_model_is_not_waited_for_in_silence(
    jp_fetch: Fetch, call: Call
) -> None:
    """Start, the load with progress, content, done: in this order."""
    await call("POST", "prompts", PROMPT)
    reply = await jp_fetch(
        *("llm", "prompts", "sum", "execute", "stream"),
        method="POST",
        body=json.dumps({"variables": {"text": "", "n": ""}, "max_tokens": 80}),
    )
    told = events(reply)
    names = [name for name, _ in told]
    assert list(dict.fromkeys(names)) == ["start", "status", "content", "done"]
    assert told[0][1]["name"] == "sum"
    assert told[0][1]["model"] == "hello"
    states = [data for name, data in told if name == "status"]
    fractions = [s["fraction"] for s in states if s["status"] == "loading"]
    assert fractions
    assert fractions == sorted(fractions)
    text = "".join(data["text"] for name, data in told if name == "content")
    assert text == ANSWER
    assert told[-1][1]["finish_reason"] == "stop"
    assert told[-1][1]["usage"]["completion_tokens"] > 30
    assert told[-1][1]["timings"]["predicted_per_second"] > 0


async def test_what_goes_wrong_is_a_status_or_an_event(
    jp_fetch: Fetch, call: Call
) -> None:
    """A missing variable is named; a model that cannot be loaded says why."""
    await call("POST", "prompts", PROMPT)
    for route in ("execute", "execute/stream"):
        status, refused = await call(
            "POST", f"prompts/sum/{route}", {"variables": {"text": "x"}}
        )
        assert (status, refused["error"]["param"]) == (400, "variables.n")
        tools = [{"type": "function", "function": {"name": "look"}}]
        status, refused = await call("POST", f"prompts/sum/{route}", {"tools": tools})
        assert (status, refused["error"]["param"]) == (400, "tools")
    reply = await jp_fetch(
        *("llm", "prompts", "sum", "execute", "stream"),
        method="POST",
        body=json.dumps({"variables": {"text": "", "n": ""}, "model": "cut"}),
    )
    name, data = events(reply)[-1]
    assert name == "error"
    assert data["error"]["code"] in {"model_load_failed", "model_unreadable"}


async def test_a_named_stream_of_a_prompt_can_be_read_again(
    jp_fetch: Fetch, call: Call
) -> None:
    """To the byte."""
    await call("POST", "prompts", PROMPT)
    reply = await jp_fetch(
        *("llm", "prompts", "sum", "execute", "stream"),
        method="POST",
        body=json.dumps({"variables": {"text": "", "n": ""}}),
        headers={"X-Stream-Id": "page:7"},
    )
    again = await jp_fetch("llm", "streams", "page:7")
    assert again.body == reply.body
    assert events(again)[-1][0] == "done"
