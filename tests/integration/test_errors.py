"""What goes wrong, over HTTP: the right status, the right words, nobody else harmed."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.live import LiveServer, chunks, stream_lines


@pytest.fixture
def http(server: LiveServer) -> Iterator[httpx.Client]:
    """A client; whatever a test did, the server and another model still answer."""
    with server.client() as client:
        yield client
        assert ask(client, "hello", max_tokens=1).is_success
        assert server.process.poll() is None


def ask(http: httpx.Client, model: str, **fields: Any) -> httpx.Response:  # noqa: ANN401  # any JSON
    messages = [{"role": "user", "content": "Hi"}]
    return http.post(
        "v1/chat/completions", json={"model": model, "messages": messages, **fields}
    )


def warm(http: httpx.Client, model: str) -> None:
    assert ask(http, model, max_tokens=1).is_success


LONG = [{"role": "user", "content": "word " * 500}]


def test_a_missing_model_is_404_and_names_near_ones(http: httpx.Client) -> None:
    reply = ask(http, "helo")
    assert reply.status_code == 404
    error = reply.json()["error"]
    assert (error["code"], error["param"]) == ("model_not_found", "model")
    assert "'hello'" in error["message"]
    for path in ("v1/models/helo", "models/helo", "v1/models/a/b:c"):
        assert http.get(path).json()["error"]["code"] == "model_not_found"


@pytest.mark.parametrize("stream", [False, True])
def test_a_file_that_is_no_model_is_422(http: httpx.Client, *, stream: bool) -> None:
    """A cold stream has opened already: there the error is in it."""
    reply = ask(http, "broken", stream=stream)
    if stream:
        (last,) = chunks(iter(reply.text.splitlines()))
        error = last["error"]
    else:
        assert reply.status_code == 422
        assert reply.headers["x-should-retry"] == "false"
        error = reply.json()["error"]
    assert error["code"] == "model_unreadable"
    assert "broken.gguf is not a GGUF file" in error["message"]


def test_a_file_that_is_no_model_is_listed_with_its_problem(http: httpx.Client) -> None:
    listed = {model["id"]: model for model in http.get("models").json()["models"]}
    assert listed["broken"]["error"]["code"] == "model_unreadable"
    assert listed["hello"]["error"] is None


@pytest.mark.parametrize(("model", "why"), [("cut", "cut.gguf"), ("unknown", "abacus")])
def test_a_model_that_llama_refuses_says_why(
    http: httpx.Client, model: str, why: str
) -> None:
    reply = ask(http, model)
    assert reply.status_code == 500
    assert reply.headers["x-should-retry"] == "false"
    error = reply.json()["error"]
    assert error["code"] == "model_load_failed"
    assert why in error["message"]
    assert http.get(f"models/{model}").json()["state"] == "failed"


def test_a_prompt_longer_than_the_context_is_400(http: httpx.Client) -> None:
    warm(http, "short")
    for stream in (False, True):
        reply = http.post(
            "v1/chat/completions",
            json={"model": "short", "messages": LONG, "stream": stream},
        )
        assert reply.status_code == 400
        error = reply.json()["error"]
        assert error["code"] == "context_length_exceeded"
        assert "a context of 64 tokens" in error["message"]


def test_a_prompt_longer_than_the_context_of_a_cold_model_is_told_in_the_stream(
    http: httpx.Client,
) -> None:
    http.post("models/short/unload", json={"force": True})
    body = {"model": "short", "messages": LONG, "stream": True}
    with http.stream("POST", "v1/chat/completions", json=body) as reply:
        assert reply.status_code == 200
        (last,) = chunks(stream_lines(reply))
    assert last["error"]["code"] == "context_length_exceeded"


def test_a_model_without_a_chat_template_is_400_and_says_what_to_do(
    http: httpx.Client,
) -> None:
    reply = ask(http, "plain")
    assert reply.status_code == 400
    assert "chat template" in reply.json()["error"]["message"]


def test_a_template_that_refuses_is_400_in_its_words(http: httpx.Client) -> None:
    reply = ask(http, "strict")
    assert reply.status_code == 400
    assert "no system messages, please" in reply.json()["error"]["message"]


def test_a_bias_for_a_token_that_is_not_there_is_400(http: httpx.Client) -> None:
    warm(http, "babble")
    reply = ask(http, "babble", logit_bias={"100000": 1})
    assert reply.status_code == 400
    error = reply.json()["error"]
    assert error["param"] == "logit_bias"
    assert "tokens are 0 to" in error["message"]


def test_wrong_json_and_wrong_routes_have_the_same_shape(http: httpx.Client) -> None:
    wrong = [
        http.post("v1/chat/completions", content=b"{"),
        http.post("v1/chat/completions", json={"model": "hello", "messages": 5}),
        http.get("v1/chat/completions"),
        http.post("models/hello/unload", json={"forse": True}),
    ]
    assert [reply.status_code for reply in wrong] == [400, 400, 405, 400]
    for reply in wrong:
        assert set(reply.json()["error"]) == {"message", "type", "code", "param"}


def test_without_the_token_only_liveness_answers(
    server: LiveServer, http: httpx.Client
) -> None:
    del http
    with httpx.Client(base_url=f"{server.url}llm/", trust_env=False) as stranger:
        live = stranger.get("health/live").json()
        assert (live["status"], live["api_version"]) == ("ok", "v1")
        refused = [
            stranger.get("models"),
            stranger.get("health/ready"),
            stranger.get("v1/models", headers={"Authorization": "Bearer wrong"}),
        ]
        for reply in refused:
            assert reply.status_code == 401
            assert reply.json()["error"]["code"] == "invalid_api_key"
        assert stranger.post("models/hello/load").status_code in {401, 403}
