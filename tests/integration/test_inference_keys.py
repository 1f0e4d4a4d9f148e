"""Inference keys and access, with real clients."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from tests.live import LiveServer, live_server
from tests.models.hello import ANSWER
from tests.waiting import eventually

HI: Any = [{"role": "user", "content": "Hi"}]
CHAT = {"model": "hello", "messages": HI, "max_tokens": 2}


@pytest.fixture
def http(server: LiveServer) -> Iterator[httpx.Client]:
    with server.client() as client:
        yield client


def make_key(http: httpx.Client, **terms: Any) -> tuple[str, str]:  # noqa: ANN401  # any JSON
    reply = http.post("keys", json={"name": "test", **terms})
    assert reply.status_code == 201, reply.text
    made = reply.json()
    return made["id"], made["key"]


def with_key(server: LiveServer, secret: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=f"{server.url}llm/v1", api_key=secret, max_retries=0)


def stranger(server: LiveServer, **headers: str) -> httpx.Client:
    return httpx.Client(
        base_url=server.url,
        headers={name.replace("_", "-"): text for name, text in headers.items()},
        trust_env=False,
        timeout=60,
    )


def test_openais_client_uses_a_key_until_it_is_revoked(
    server: LiveServer, http: httpx.Client
) -> None:
    """It chats and lists; then it is refused as a wrong key is."""
    key_id, secret = make_key(http)
    with with_key(server, secret) as client:
        answer = client.chat.completions.create(model="hello", messages=HI)
        assert answer.choices[0].message.content == ANSWER
        assert "hello" in {model.id for model in client.models.list()}
        (shown,) = [k for k in http.get("keys").json()["keys"] if k["id"] == key_id]
        assert shown["last_used"] is not None
        assert "key" not in shown
        assert secret.startswith(shown["prefix"])
        assert http.delete(f"keys/{key_id}").status_code == 204
        with pytest.raises(openai.AuthenticationError, match="revoked"):
            client.chat.completions.create(model="hello", messages=HI)
    assert http.delete(f"keys/{key_id}").status_code == 404


@pytest.mark.parametrize("header", ["Authorization", "x-api-key"])
def test_a_key_opens_the_inference_routes_alone(
    server: LiveServer, http: httpx.Client, header: str
) -> None:
    """Not Jupyter's own routes, nor anything else of ours."""
    _, secret = make_key(http)
    given = f"Bearer {secret}" if header == "Authorization" else secret
    with stranger(server, **{header.replace("-", "_"): given}) as client:
        reply = client.post("llm/v1/chat/completions", json=CHAT)
        assert reply.status_code == 200, reply.text
        assert client.get("llm/v1/models").status_code == 200
        for route in (
            *("api/contents", "api/kernels", "api/sessions", "api/terminals"),
            *("api/status", "api/me", "files/x", "tree"),
            *("llm/keys", "llm/conversations", "llm/prompts", "llm/models"),
            *("llm/status", "llm/events", "llm/downloads", "llm/workers"),
        ):
            refused = client.get(route)
            assert refused.status_code in {302, 401, 403, 404}, route
        for route, body in (
            ("api/kernels", {}),
            ("api/contents", {"type": "file"}),
            ("llm/keys", {"name": "more"}),
            ("llm/conversations", {}),
            ("llm/models/hello/unload", {"force": True}),
            ("llm/downloads", {"model": "hf:a/b"}),
        ):
            refused = client.post(route, json=body)
            assert refused.status_code in {401, 403}, route
        assert client.cookies.get("username-127-0-0-1") is None


def test_jupyters_token_works_as_an_x_api_key(server: LiveServer) -> None:
    """On the inference routes, where Anthropic's clients send it."""
    with stranger(server, x_api_key=server.token) as client:
        assert client.post("llm/v1/chat/completions", json=CHAT).status_code == 200
    with stranger(server, x_api_key=server.token) as client:
        assert client.get("llm/models").status_code == 401
    with stranger(server, x_api_key="wrong") as client:
        refused = client.post("llm/v1/chat/completions", json=CHAT)
        assert refused.status_code in {401, 403}
        assert refused.json()["error"]["type"] in {
            "authentication_error",
            "permission_error",
        }


def test_a_wrong_key_is_a_401_in_openais_shape(server: LiveServer) -> None:
    """Whatever else would open the route."""
    with stranger(
        server, x_api_key="llmk-nonsense", Authorization=f"Bearer {server.token}"
    ) as client:
        refused = client.post("llm/v1/chat/completions", json=CHAT)
    assert refused.status_code == 401
    error = refused.json()["error"]
    assert (error["type"], error["code"]) == ("authentication_error", "invalid_api_key")
    assert refused.headers["WWW-Authenticate"] == "Bearer"


def test_a_key_for_one_model_shows_and_opens_no_other(
    server: LiveServer, http: httpx.Client
) -> None:
    """Models can be named as people write them."""
    _, secret = make_key(http, models=["Hello", "encoder"])
    with with_key(server, secret) as client:
        assert {model.id for model in client.models.list()} == {"encoder", "hello"}
        assert client.models.retrieve("hello").id == "hello"
        with pytest.raises(openai.NotFoundError):
            client.models.retrieve("babble")
        assert client.embeddings.create(model="encoder", input="Hi").data
        with pytest.raises(openai.PermissionDeniedError, match="encoder") as caught:
            client.chat.completions.create(model="babble", messages=HI)
        assert caught.value.code == "model_not_allowed"
    refused = http.post("keys", json={"name": "x", "models": ["nowhere"]})
    assert refused.status_code == 404


def test_a_key_has_its_own_rate(server: LiveServer, http: httpx.Client) -> None:
    """By requests and by tokens; whoever made it is not slowed down."""
    _, by_requests = make_key(http, requests_per_minute=2)
    with with_key(server, by_requests) as client:
        for _ in range(2):
            client.chat.completions.create(**CHAT)
        with pytest.raises(openai.RateLimitError) as caught:
            client.chat.completions.create(**CHAT)
        assert 0 < int(caught.value.response.headers["Retry-After"]) <= 60
    _, by_tokens = make_key(http, tokens_per_minute=5)
    with with_key(server, by_tokens) as client:
        client.chat.completions.create(**CHAT)
        with pytest.raises(openai.RateLimitError, match="tokens"):
            client.chat.completions.create(**CHAT)
    assert http.post("v1/chat/completions", json=CHAT).status_code == 200


def test_a_cancelled_stream_is_charged_too(
    server: LiveServer, http: httpx.Client
) -> None:
    """Else a limit on tokens could be gone round."""
    _, secret = make_key(http, tokens_per_minute=20)
    body = {"model": "babble", "messages": HI, "max_tokens": 20_000, "stream": True}
    with stranger(server, Authorization=f"Bearer {secret}") as client:
        with client.stream("POST", "llm/v1/chat/completions", json=body) as reply:
            lines = (line for line in reply.iter_lines() if '"content":"' in line)
            for _ in range(40):
                next(lines)

        def limited() -> bool:
            """The key has used up its tokens."""
            asked = client.post("llm/v1/chat/completions", json={**CHAT})
            return asked.status_code == 429

        eventually(limited)


def test_a_key_expires(server: LiveServer, http: httpx.Client) -> None:
    """At the time that was given, or after the time that was given."""
    soon = datetime.now(timezone.utc) + timedelta(seconds=0.5)
    _, secret = make_key(http, expires=soon.isoformat())
    _, later = make_key(http, expires_in="24h")
    with (
        stranger(server, x_api_key=secret) as client,
        stranger(server, x_api_key=later) as other,
    ):

        def refused() -> bool:
            """The key has expired."""
            return client.get("llm/v1/models").status_code == 401

        eventually(refused)
        assert other.get("llm/v1/models").status_code == 200


@pytest.mark.parametrize(
    ("terms", "param"),
    [
        ({"name": ""}, "name"),
        ({"name": "x", "model": ["hello"]}, None),
        ({"name": "x", "models": []}, "models"),
        ({"name": "x", "requests_per_minute": -1}, "requests_per_minute"),
        ({"name": "x", "expires": "2001-01-01T00:00:00Z"}, "expires"),
        ({"name": "x", "expires": "2101-01-01T00:00:00"}, "expires"),
        ({"name": "x", "expires_in": -5}, "expires"),
        ({"name": "x", "expires_in": "soon"}, "expires_in"),
    ],
)
def test_terms_that_make_no_sense_make_no_key(
    http: httpx.Client, terms: dict[str, Any], param: str | None
) -> None:
    before = http.get("keys").json()
    refused = http.post("keys", json=terms)
    assert refused.status_code == 400
    assert refused.json()["error"]["param"] == param
    assert http.get("keys").json() == before


def _tool(number: int, parameters: Any = None) -> dict[str, Any]:  # noqa: ANN401  # any JSON
    function = {"name": f"tool_{number}", "parameters": parameters or {}}
    return {"type": "function", "function": function}


def test_what_is_too_large_is_refused(server: LiveServer, http: httpx.Client) -> None:
    """A body, its nesting, its messages, choices and tools, and a schema's depth."""
    huge = b'{"model": "' + b"x" * (64 * 1024 * 1024) + b'"}'
    refused = http.post("v1/chat/completions", content=huge)
    assert (refused.status_code, refused.json()["error"]["code"]) == (
        413,
        "body_too_large",
    )
    deep = b'{"model": "hello", "messages": [], "tools": ' + b"[" * 100_000
    refused = http.post("v1/chat/completions", content=deep)
    assert refused.status_code == 400
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(40):
        schema = {"type": "object", "properties": {"a": schema}}
    for body, param in (
        ({"messages": HI * 10_001}, "messages"),
        ({"messages": HI, "json_schema": schema}, "json_schema"),
        ({"messages": HI, "n": 17}, "n"),
        ({"messages": HI, "tools": [_tool(n) for n in range(513)]}, "tools"),
        ({"messages": HI, "tools": [_tool(0, schema)]}, "tools"),
    ):
        refused = http.post("v1/chat/completions", json={"model": "hello", **body})
        assert refused.status_code == 400
        assert refused.json()["error"]["param"] == param
    assert "Traceback" not in server.log


DEEP = "deep"
CALL = {"function": {"name": "f", "arguments": DEEP}}


@pytest.mark.parametrize("depth", [60, 500, 900, 980, 1100])
@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("v1/chat/completions", {**CHAT, "chat_template_kwargs": DEEP}),
        ("v1/chat/completions", {**CHAT, "json_schema": DEEP}),
        ("v1/chat/completions", {**CHAT, "tools": [_tool(0, DEEP)]}),
        (
            "v1/chat/completions",
            {**CHAT, "messages": [{"role": "assistant", "tool_calls": [CALL]}, *HI]},
        ),
        ("apply-template", {**CHAT, "chat_template_kwargs": DEEP}),
        ("api/chat", {**CHAT, "format": DEEP}),
        ("conversations", {"options": {"chat_template_kwargs": DEEP}}),
        ("prompts", {"name": "deep", "template": "x", "options": DEEP}),
        ("preflight", {"model": "hello", "options": DEEP}),
    ],
)
def test_too_deep_a_nesting_is_no_error_of_the_servers(
    http: httpx.Client, path: str, body: dict[str, Any], depth: int
) -> None:
    """What is carried as it is may be deep, or else is refused."""
    nested = '{"x":' * depth + str(10**18) + "}" * depth
    text = json.dumps(body).replace(f'"{DEEP}"', nested)
    reply = http.post(path, content=text.encode())
    assert reply.status_code < 500, reply.text


@pytest.fixture(scope="module")
def open_server(
    tmp_path_factory: pytest.TempPathFactory, models: Path
) -> Iterator[LiveServer]:
    """A server without a token."""
    folder = tmp_path_factory.mktemp("open")
    with live_server(folder, models, token="") as running:
        yield running


def test_on_a_server_without_a_token_programs_need_nothing(
    open_server: LiveServer,
) -> None:
    """Real clients send no XSRF token, but keep cookies; OpenAI's wants some key."""
    with with_key(open_server, "anything") as client:
        for _ in range(2):
            answer = client.chat.completions.create(model="hello", messages=HI)
            assert answer.choices[0].message.content == ANSWER
    with stranger(open_server) as client:
        assert client.post("llm/v1/chat/completions", json=CHAT).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null", "Authorization": "Bearer x"},
        {"Referer": "https://evil.example/page"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
def test_on_a_server_without_a_token_pages_of_others_are_refused(
    open_server: LiveServer, headers: dict[str, str]
) -> None:
    """A browser sends at least one of these; then Jupyter's own check holds."""
    with stranger(open_server) as client:
        for content_type in ("text/plain", "application/json"):
            refused = client.post(
                "llm/v1/chat/completions",
                content=json.dumps(CHAT),
                headers={**headers, "Content-Type": content_type},
            )
            assert refused.status_code in {403, 404}
            assert "error" in refused.json()


def test_a_browser_has_a_cookie(server: LiveServer, open_server: LiveServer) -> None:
    """With it, and the token that goes with it, a page of our own may post."""
    for running, query in ((server, {"token": server.token}), (open_server, {})):
        with stranger(running) as browser:
            browser.get("llm/health/ready", params=query)
            browser.get("llm/health/ready")
            headers = {"Origin": running.url.rstrip("/")}
            refused = browser.post(
                "llm/v1/chat/completions", json=CHAT, headers=headers
            )
            assert refused.status_code == 403
            headers["X-XSRFToken"] = browser.cookies["_xsrf"]
            for route, body in (
                ("llm/v1/chat/completions", CHAT),
                ("llm/conversations", {}),
            ):
                reply = browser.post(route, json=body, headers=headers)
                assert reply.is_success, reply.text


def test_whoever_has_the_token_is_one_user(server: LiveServer) -> None:
    """A kernel, a page, and a page in a second browser see the same conversations."""
    with server.client() as kernel:
        made = kernel.post("conversations", json={"title": "shared"}).json()["id"]
    for _ in range(2):
        with stranger(server) as browser:
            browser.get("llm/health/ready", params={"token": server.token})
            assert browser.get(f"llm/conversations/{made}").status_code == 200


def test_what_is_remembered_outlives_the_server(tmp_path: Path, models: Path) -> None:
    """Conversations, prompts and keys are there after a restart."""
    with live_server(tmp_path, models) as first, first.client() as http:
        where = http.post("conversations", json={"title": "kept"}).json()["id"]
        prompt = {"name": "p", "template": "{{x}}"}
        assert http.post("prompts", json=prompt).status_code == 201
        _, secret = make_key(http)
    with live_server(tmp_path, models) as second, second.client() as http:
        assert http.get(f"conversations/{where}").json()["title"] == "kept"
        assert [p["name"] for p in http.get("prompts").json()["prompts"]] == ["p"]
        with with_key(second, secret) as client:
            assert list(client.models.list())
    stored = next(tmp_path.rglob("llm_ext.sqlite3"))
    assert secret.encode() not in stored.read_bytes()
    assert secret not in (tmp_path / "server.log").read_text()
