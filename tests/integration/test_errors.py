"""What goes wrong, over HTTP: the right status, the right words, nobody else harmed."""

from collections.abc import Iterator
from typing import Any

import httpx
import openai
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


def test_a_file_that_is_cut_is_known_before_it_is_loaded(http: httpx.Client) -> None:
    reply = ask(http, "cut")
    assert reply.status_code == 422
    assert "cut.gguf is incomplete" in reply.json()["error"]["message"]


def test_a_model_that_llama_refuses_says_why(http: httpx.Client) -> None:
    reply = ask(http, "unknown")
    assert reply.status_code == 500
    assert reply.headers["x-should-retry"] == "false"
    error = reply.json()["error"]
    assert error["code"] == "model_load_failed"
    assert "abacus" in error["message"]
    assert http.get("models/unknown").json()["state"] == "failed"


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


def test_a_model_without_a_chat_template_can_be_given_one(server: LiveServer) -> None:
    """The error names the remedy, and the remedy works."""
    chat = {
        "model": "plain",
        "messages": [{"role": "user", "content": "Hi"}],
        "max_tokens": 3,
    }
    template = "{% for m in messages %}{{ m.content }}{% endfor %}"
    with server.client() as http:
        refused = http.post("v1/chat/completions", json=chat)
        assert refused.status_code == 400
        assert "chat_template" in refused.json()["error"]["message"]
        load = {"options": {"chat_template": template}}
        assert http.post("models/plain/load", json=load).status_code == 202
        assert http.post("v1/chat/completions", json=chat).is_success
        http.post("models/plain/unload", json={"force": True})


HUGE = 10**25
"""What no message to a worker can carry."""

HI: Any = [{"role": "user", "content": "Hi"}]
CHAT = {"messages": HI}


@pytest.mark.parametrize(
    ("path", "fields", "param"),
    [
        ("v1/chat/completions", {**CHAT, "max_tokens": HUGE}, "max_tokens"),
        ("v1/chat/completions", {**CHAT, "seed": HUGE}, "seed"),
        ("v1/chat/completions", {**CHAT, "seed": -HUGE}, "seed"),
        ("v1/chat/completions", {**CHAT, "top_k": HUGE}, "top_k"),
        ("v1/chat/completions", {**CHAT, "logit_bias": {str(HUGE): 1}}, "logit_bias"),
        (
            "v1/chat/completions",
            {**CHAT, "logit_bias": [[HUGE, 1]]},
            "logit_bias[0][0]",
        ),
        (
            "v1/chat/completions",
            {**CHAT, "chat_template_kwargs": {"deep": [{"er": HUGE}]}},
            "chat_template_kwargs.deep[0].er",
        ),
        ("v1/completions", {"prompt": [HUGE]}, "prompt[0]"),
        ("v1/completions", {"prompt": "Hi", "logprobs": HUGE}, "logprobs"),
        ("v1/embeddings", {"input": [[1], [HUGE]]}, "input[1][0]"),
        ("v1/embeddings", {"input": "a", "dimensions": HUGE}, "dimensions"),
        ("v1/rerank", {"query": "a", "documents": ["b"], "top_n": HUGE}, "top_n"),
        ("v1/responses", {"input": "Hi", "max_output_tokens": HUGE}, None),
        ("detokenize", {"tokens": [HUGE]}, "tokens[0]"),
        ("infill", {"n_predict": HUGE}, "n_predict"),
        ("apply-template", {**CHAT, "seed": HUGE}, "seed"),
        (
            "preflight",
            {"options": {"context_length": HUGE}},
            "options.context_length",
        ),
        ("workers", {"options": {"threads": HUGE}}, "options.threads"),
        ("providers/execute", {**CHAT, "max_tokens": HUGE}, None),
    ],
)
def test_an_integer_beyond_64_bits_is_refused_by_its_name(
    http: httpx.Client, path: str, fields: dict[str, Any], param: str | None
) -> None:
    """Whether the model is loaded or not; nothing waits for ever."""
    reply = http.post(path, json={"model": "babble", **fields})
    assert reply.status_code == 400, reply.text
    error = reply.json()["error"]
    assert error["code"] == "invalid_request"
    if param is not None:
        assert error["param"] == param
    assert http.get("models/babble").json()["requests"] == 0


def test_such_integers_are_refused_in_every_dialect(http: httpx.Client) -> None:
    messages = {"model": "babble", **CHAT, "max_tokens": HUGE}
    error = http.post("v1/messages", json=messages).json()
    assert error["error"]["type"] == "invalid_request_error"
    assert "max_tokens" in error["error"]["message"]
    for path in ("api/chat", "api/generate", "api/embed"):
        asked = {"model": "babble", "options": {"num_ctx": HUGE}}
        reply = http.post(path, json=asked)
        assert reply.status_code == 400
        assert "options.num_ctx" in reply.json()["error"]


@pytest.mark.parametrize("number", [str(HUGE), "9" * 5000, "--5"])
def test_a_query_that_holds_no_number_is_refused(
    http: httpx.Client, number: str
) -> None:
    query = {"model": "babble", "context_length": number}
    assert http.get("preflight", params=query).status_code == 400
    headers = {"If-Match": number}
    assert http.delete("conversations/x", headers=headers).status_code in {400, 404}


def test_numbers_that_no_sampler_has_room_for_are_cut(http: httpx.Client) -> None:
    """llama.cpp would take memory for all the tokens that a penalty looks at."""
    most = 2**31 - 1
    for fields in (
        {"repeat_last_n": most, "repeat_penalty": 1.1, "dry_multiplier": 1},
        {"dry_penalty_last_n": most, "dry_allowed_length": 2**40, "dry_multiplier": 1},
        {"top_k": 2**32 + 1, "min_keep": 2**63, "min_tokens": 2**63, "seed": 2**64 - 1},
    ):
        reply = ask(http, "babble", max_tokens=2, **fields)
        assert reply.is_success, reply.text


@pytest.mark.parametrize(
    ("model", "status"), [("broken", 422), ("unknown", 500), ("helo", 404)]
)
def test_openais_client_asks_once_where_a_retry_cannot_help(
    server: LiveServer, model: str, status: int
) -> None:
    """Else a model that cannot be loaded would be loaded three times."""
    asked: list[object] = []
    hooks = {"request": [asked.append]}
    with (
        openai.DefaultHttpxClient(event_hooks=hooks, trust_env=False) as counted,
        openai.OpenAI(
            base_url=f"{server.url}llm/v1", api_key=server.token, http_client=counted
        ) as client,
        pytest.raises(openai.APIStatusError) as caught,
    ):
        client.chat.completions.create(model=model, messages=HI)
    assert caught.value.status_code == status
    assert len(asked) == 1


def test_openais_client_raises_what_a_cold_stream_finds(server: LiveServer) -> None:
    """The stream has opened by then, so that it is in the stream."""
    with (
        server.client() as http,
        openai.OpenAI(base_url=f"{server.url}llm/v1", api_key=server.token) as client,
    ):
        http.post("models/short/unload", json={"force": True}).raise_for_status()
        stream = client.chat.completions.create(
            model="short",
            messages=[{"role": "user", "content": "word " * 500}],
            stream=True,
        )
        with pytest.raises(openai.APIError, match="context") as caught:
            list(stream)
    assert caught.value.code == "context_length_exceeded"
