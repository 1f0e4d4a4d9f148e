"""Other servers as providers: a second one of this project, and one of another make."""

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import anthropic
import httpx
import ollama
import openai
import pytest
from gguf import PoolingType

from tests.live import LiveServer, chunks, free_port, live_server, stream_lines
from tests.models import encoder
from tests.models.builder import Shape, write_model
from tests.models.coder import FILLING, write_coder
from tests.models.hello import ANSWER, write_hello
from tests.provider import DONE, END, TOKEN, WAIT, Provider, Script, piece, provider
from tests.waiting import eventually

LLAMA_KEY = "llama-cpp-secret"
HELLO = [{"role": "user", "content": "Hello!"}]
ASKED = [{"role": "user", "content": "What is the weather in Paris?"}]
WEATHER: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "maxLength": 12}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
DOORS = [
    ("v1/chat/completions", {"messages": HELLO}),
    ("v1/completions", {"prompt": "Hello!"}),
    ("v1/responses", {"input": "Hello!"}),
    ("v1/messages", {"messages": HELLO, "max_tokens": 99}),
    ("api/chat", {"messages": HELLO}),
    ("api/generate", {"prompt": "Hello!"}),
]
"""Every route by which a model can be asked for text."""


@pytest.fixture(scope="module")
def far(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """The other server: a second one of this project."""
    folder = tmp_path_factory.mktemp("far")
    models = folder / "models"
    models.mkdir()
    write_hello(models / "hello.gguf")
    write_model(models / "babble.gguf", shape=Shape(context=32768))
    write_coder(models / "coder.gguf")
    encoder.write_tiny(models / "encoder.gguf", pooling=PoolingType.MEAN)
    encoder.write_tiny(
        models / "ranker.gguf",
        pooling=PoolingType.RANK,
        head=encoder.head_weights(),
    )
    with live_server(folder, models, token="far-token") as running:
        yield running
        assert "Traceback" not in running.log, running.log


@pytest.fixture(scope="module")
def llama(far: LiveServer) -> Iterator[str]:
    """Another make: llama-cpp-python's own server; its address."""
    port = free_port()
    model = far.folder / "models" / "hello.gguf"
    command = [
        *(sys.executable, "-m", "llama_cpp.server"),
        *("--model", str(model), "--model_alias", "org/hello:tiny"),
        *("--n_ctx", "4096", "--port", str(port), "--api_key", LLAMA_KEY),
        *("--interrupt_requests", "false"),
    ]
    url = f"http://127.0.0.1:{port}/v1"
    with (far.folder / "llama.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    try:

        def serves() -> bool:
            """It lists its models."""
            assert process.poll() is None, (far.folder / "llama.log").read_text()
            headers = {"Authorization": f"Bearer {LLAMA_KEY}"}
            try:
                return httpx.get(f"{url}/models", headers=headers).is_success
            except httpx.TransportError:
                return False

        eventually(serves, within=60)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture(scope="module")
def odd() -> Iterator[Provider]:
    """A server that does what a test tells it."""
    with provider() as running:
        yield running


@pytest.fixture(scope="module")
def near(
    tmp_path_factory: pytest.TempPathFactory,
    far: LiveServer,
    llama: str,
    odd: Provider,
) -> Iterator[LiveServer]:
    """The server that is asked, with all of them as its providers."""
    folder = tmp_path_factory.mktemp("near")
    models, config = folder / "models", folder / "config"
    models.mkdir()
    config.mkdir()
    write_hello(models / "mine.gguf")
    write_model(models / "busy.gguf", shape=Shape(context=32768))
    (models / "broken.gguf").write_bytes(b"GGUF, or so it says")
    secret = folder / "far.token"
    secret.write_text("far-token\n")
    url = f"{far.url}llm/v1/"
    providers = {
        "lab": {"url": url, "token_file": str(secret), "grammars": True},
        "cpp": {"url": llama, "token": LLAMA_KEY},
        "odd": {"url": odd.url, "token": TOKEN, "timeout": 0.5},
        "patient": {"url": odd.url, "rename": {"max_tokens": "most", "seed": ""}},
        "dead": {
            "url": f"http://127.0.0.1:{free_port()}/v1",
            "token": TOKEN,
            "models": ["gone"],
        },
        "wrong": {"url": url, "token": "not-the-token", "models": ["hello"]},
        "unset": {"url": url, "token_env": "NO_SUCH_VARIABLE", "models": ["hello"]},
    }
    options = {
        "providers": providers,
        "fallbacks": {"broken": "lab/hello", "Busy.gguf": "lab/hello"},
        "max_waiting": 4,
        "slots": 1,
    }
    (config / "jupyter_server_config.json").write_text(json.dumps({"LLMExt": options}))
    with live_server(folder, models) as running:
        yield running
        assert "Traceback" not in running.log, running.log
        for secret_text in (TOKEN, LLAMA_KEY, "far-token", "not-the-token"):
            assert secret_text not in running.log


@pytest.fixture
def http(near: LiveServer) -> Iterator[httpx.Client]:
    with near.client() as client:
        yield client


@pytest.fixture(autouse=True)
def fresh(odd: Provider) -> None:
    odd.scripts.clear()
    odd.release.clear()
    odd.gone.clear()


@pytest.fixture
def client(near: LiveServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        base_url=f"{near.url}llm/v1", api_key=near.token, max_retries=0
    ) as made:
        yield made


def ask(http: httpx.Client, model: str, **options: Any) -> httpx.Response:  # noqa: ANN401  # JSON
    body = {"model": model, "messages": HELLO, "temperature": 0, **options}
    return http.post("v1/chat/completions", json=body)


def error(reply: httpx.Response) -> tuple[int, str, str]:
    told = reply.json()["error"]
    return reply.status_code, told["code"], told["message"]


# Which models there are.


def test_models_are_listed_on_every_door(http: httpx.Client) -> None:
    remote = ["cpp/org/hello:tiny", "lab/babble", "lab/guide", "lab/hello", "odd/odd"]

    def seen() -> bool:
        """All providers were asked."""
        listed = [m["id"] for m in http.get("v1/models").json()["data"]]
        return set(remote) <= set(listed) and "mine" in listed

    eventually(seen)
    native = http.get("models").json()
    assert "lab/hello" not in [model["id"] for model in native["models"]]
    assert set(remote) <= {model["id"] for model in native["remote"]}
    tags = {m["model"]: m for m in http.get("api/tags").json()["models"]}
    assert tags["lab/hello"]["details"]["family"] == "lab"
    assert "cpp/org/hello:tiny" in tags


def test_a_model_is_shown_on_every_door(http: httpx.Client) -> None:
    listed = http.get("v1/models/lab/hello").json()
    assert (listed["id"], listed["owned_by"]) == ("lab/hello", "lab")
    assert http.get("models/lab/hello").json()["provider"] == "lab"
    assert http.get("models/cpp/org/hello:tiny").json()["name"] == "org/hello:tiny"
    shown = http.post("api/show", json={"model": "lab/hello"}).json()
    assert shown["details"]["parent_model"] == "hello"
    assert http.get("v1/models/local/mine").json()["id"] == "mine"
    for missing in ("lab/hallo", "nobody/hello"):
        reply = http.get(f"v1/models/{missing}")
        assert error(reply)[:2] == (404, "model_not_found")
    assert "lab/hello" in http.get("v1/models/lab/hallo").text


def test_openais_client_asks_for_ids_with_slashes_and_colons(
    client: openai.OpenAI,
) -> None:
    """It writes them as they may stand in a part of a path."""
    for name in ("lab/hello", "cpp/org/hello:tiny"):
        assert client.models.retrieve(name).id == name
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve("nobody/hello:tiny")
    assert caught.value.code == "model_not_found"


def test_watchers_hear_of_remote_models(near: LiveServer) -> None:
    with near.client() as http, http.stream("GET", "events") as reply:
        lines = stream_lines(reply)
        assert next(lines).startswith("id")
        assert next(lines) == "event: snapshot"
        snapshot = json.loads(next(lines).removeprefix("data: "))
    assert "lab/hello" in [model["id"] for model in snapshot["remote"]]


@pytest.mark.parametrize(
    "route",
    ["models/lab/hello/load", "models/lab/hello/unload", "tokenize", "preflight"],
)
def test_what_only_its_own_machine_can_do_is_refused(
    http: httpx.Client, route: str
) -> None:
    body = {"model": "lab/hello", "content": "x"} if "/" not in route else {}
    if route == "preflight":
        del body["content"]
    status, code, words = error(http.post(route, json=body))
    assert (status, code) == (400, "not_supported")
    assert "'lab'" in words


# Answers.


@pytest.mark.parametrize(("route", "body"), DOORS)
@pytest.mark.parametrize("streaming", [False, True])
def test_every_door_answers_as_the_other_server_does(
    near: LiveServer,
    far: LiveServer,
    route: str,
    body: dict[str, object],
    *,
    streaming: bool,
) -> None:
    """The same, but for ids, times and the name of the model."""
    options = {**body, "temperature": 0, "stream": streaming, "seed": 1}
    if "max_tokens" not in body:
        options["max_tokens"] = 8

    def told(server: LiveServer, model: str) -> str:
        with server.client() as http:
            reply = http.post(route, json={**options, "model": model})
        assert reply.is_success, reply.text
        provider = model.split("/", maxsplit=1)[0] if "/" in model else "local"
        assert reply.headers["X-LLM-Provider"] == provider
        text = "\n".join(line for line in reply.text.splitlines() if line[:1] != ":")
        return "".join(re.findall(r'"(?:text|content|delta|response)": ?"(.*?)"', text))

    assert told(near, "lab/hello") == told(far, "hello") != ""


def test_a_stream_ends_with_the_other_servers_counts(client: openai.OpenAI) -> None:
    options: Any = {"model": "lab/hello", "messages": HELLO, "stream": True}
    stream = client.chat.completions.create(
        **options, stream_options={"include_usage": True}
    )
    *parts, last = list(stream)
    assert "".join(p.choices[0].delta.content or "" for p in parts) == ANSWER
    assert {part.model for part in parts} == {"lab/hello"}
    assert last.usage is not None
    assert last.usage.prompt_tokens > 0
    assert last.usage.completion_tokens > 20


def test_tools_are_called_through(client: openai.OpenAI) -> None:
    """By OpenAI's client, whole and in parts, and answered from."""
    options: Any = {"model": "lab/guide", "messages": ASKED, "tools": [WEATHER]}
    whole = client.chat.completions.create(**options, temperature=0).choices[0]
    assert whole.finish_reason == "tool_calls"
    (call,) = whole.message.tool_calls or []
    assert call.type == "function"
    assert json.loads(call.function.arguments) == {"city": "Paris"}
    with client.chat.completions.stream(**options, temperature=0) as stream:
        final = stream.get_final_completion().choices[0]
    assert final.message.tool_calls is not None
    assert final.message.tool_calls[0].function.arguments == call.function.arguments
    turns = [
        *ASKED,
        whole.message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": call.id, "content": '{"sky": "sunny"}'},
    ]
    later: Any = {**options, "messages": turns}
    said = client.chat.completions.create(**later, temperature=0).choices[0].message
    assert "sunny" in (said.content or "")


def test_other_clients_ask_through_their_own_dialects(near: LiveServer) -> None:
    claude = anthropic.Anthropic(
        base_url=f"{near.url}llm", api_key=near.token, max_retries=0
    )
    message: Any = {"role": "user", "content": "Hello!"}
    with (
        claude,
        claude.messages.stream(
            model="lab/hello", max_tokens=99, messages=[message]
        ) as stream,
    ):
        told = stream.get_final_message()
    assert (told.model, told.content[0].text) == ("lab/hello", ANSWER)  # type: ignore[union-attr]  # it is text
    assert told.usage.input_tokens > 0
    with ollama.Client(host=f"{near.url}llm", headers=near.headers) as llamas:
        parts = list(llamas.chat("lab/hello", messages=HELLO, stream=True))
        assert "".join(part.message.content or "" for part in parts) == ANSWER
        assert parts[-1].eval_count
        called = llamas.chat("lab/guide", messages=ASKED, tools=[WEATHER])
        assert called.message.tool_calls
        assert called.message.tool_calls[0].function.arguments == {"city": "Paris"}
        vectors = llamas.embed("lab/encoder", input=["one", "two"]).embeddings
        assert [len(vector) for vector in vectors] == [len(vectors[0])] * 2


def test_vectors_are_the_other_servers(client: openai.OpenAI, far: LiveServer) -> None:
    inputs = ["hello", "a longer text"]
    here = client.embeddings.create(model="lab/encoder", input=inputs)
    with openai.OpenAI(base_url=f"{far.url}llm/v1", api_key="far-token") as other:
        there = other.embeddings.create(model="encoder", input=inputs)
    for mine, theirs in zip(here.data, there.data, strict=True):
        assert mine.embedding == pytest.approx(theirs.embedding, abs=1e-6)
    assert here.usage.prompt_tokens == there.usage.prompt_tokens > 0
    short = client.embeddings.create(model="lab/encoder", input="hi", dimensions=4)
    assert len(short.data[0].embedding) == 4


def test_a_gap_is_filled_there(http: httpx.Client) -> None:
    body = {"model": "lab/coder", "input_prefix": "def f():", "input_suffix": "# end"}
    filled = http.post("infill", json={**body, "temperature": 0, "n_predict": 6}).json()
    assert filled["content"]
    assert FILLING.startswith(filled["content"].strip())
    extra = [{"filename": "a.py", "text": "x = 1"}]
    reply = http.post("infill", json={**body, "input_extra": extra})
    assert error(reply)[:2] == (400, "not_supported")


def test_a_constraint_holds_there(http: httpx.Client) -> None:
    """Where the provider obeys them; others never see such a request."""
    outputs = {"choice": ["red", "green"]}
    reply = ask(http, "lab/hello", structured_outputs=outputs)
    assert reply.json()["choices"][0]["message"]["content"] in outputs["choice"]
    status, code, words = error(ask(http, "odd/odd", structured_outputs=outputs))
    assert (status, code) == (400, "not_supported")
    assert "grammars" in words
    bad = ask(http, "odd/odd", structured_outputs={"json": "{bad"})
    assert error(bad)[:2] == (400, "invalid_request")


def test_the_load_there_is_seen_here(near: LiveServer, far: LiveServer) -> None:
    with far.client() as http:
        http.post("models/hello/unload", json={"force": True})
    body = {"model": "lab/hello", "messages": HELLO, "stream": True}
    with near.client() as http:
        text = http.post("v1/chat/completions", json=body).text
    assert ": loading" in text
    assert ": loaded" in text


def test_a_conversation_and_a_lost_stream_go_on(near: LiveServer) -> None:
    """What is built on streams does not care who answers."""
    with near.client() as http:
        made = http.post("conversations", json={"model": "lab/hello"}).json()
        path = f"conversations/{made['id']}"
        http.post(f"{path}/reply", json={"content": "Hello!"})
        _, answer = http.get(path).json()["messages"]
        assert (answer["content"], answer["model"]) == (ANSWER, "lab/hello")
        body = {"model": "lab/hello", "messages": HELLO, "stream": True}
        first = http.post(
            "v1/chat/completions", json=body, headers={"X-Stream-Id": "s1"}
        ).text
        assert http.get("streams/s1").text == first


def test_a_key_is_for_the_remote_models_it_names(near: LiveServer) -> None:
    with near.client() as http:
        terms = {"name": "lab only", "models": ["lab/hello"]}
        key = http.post("keys", json=terms).json()["key"]
    headers = {"Authorization": f"Bearer {key}"}
    with near.client(headers=headers) as http:
        assert [m["id"] for m in http.get("v1/models").json()["data"]] == ["lab/hello"]
        assert ask(http, "lab/hello", max_tokens=2).is_success
        assert error(ask(http, "lab/guide"))[:2] == (403, "model_not_allowed")
        assert error(ask(http, "mine"))[:2] == (403, "model_not_allowed")


def test_what_remote_models_do_is_counted(near: LiveServer) -> None:
    with near.client() as http:
        ask(http, "lab/hello", max_tokens=2)
    with near.http() as http:
        text = http.get("metrics").text
    assert re.search(r'llm_ext:request_success_total\{.*model="lab/hello".*\} \d', text)


# Streams and their end.


def test_pieces_come_as_they_are_sent(near: LiveServer, odd: Provider) -> None:
    """The first is read while the second has not been sent."""
    odd.stream(piece("one"), WAIT, piece(" two\u2028three"), END, DONE)
    body = {"model": "patient/odd", "messages": HELLO, "stream": True}
    with (
        near.client() as http,
        http.stream("POST", "v1/chat/completions", json=body) as reply,
    ):
        told = (c["choices"][0]["delta"] for c in chunks(stream_lines(reply)))
        assert next(delta["content"] for delta in told if delta.get("content")) == "one"
        assert not odd.release.is_set()
        odd.release.set()
        rest = [delta["content"] for delta in told if delta.get("content")]
    assert rest == [" two\u2028three"]


@pytest.mark.parametrize("streaming", [True, False])
def test_a_cancel_reaches_the_other_engine(
    near: LiveServer, far: LiveServer, *, streaming: bool
) -> None:
    """It stops there, by its own count, and nothing of it runs on."""
    with far.client() as http:
        http.post("models/babble/load")
        eventually(lambda: far.model("babble")["state"] == "ready")
    before = far.model("babble")["engine"]["cancelled"]
    body = {"model": "lab/babble", "messages": HELLO, "stream": streaming}
    body |= {"max_tokens": 30000, "temperature": 1}
    with near.client() as http:
        request = http.build_request("POST", "v1/chat/completions", json=body)
        if streaming:
            reply = http.send(request, stream=True)
            lines = stream_lines(reply)
            next(line for line in lines if '"content":"' in line)
            reply.close()
        else:
            request.extensions["timeout"]["read"] = 1.0
            with pytest.raises(httpx.ReadTimeout):
                http.send(request)

    def stopped() -> bool:
        """The other engine has cancelled it."""
        model = far.model("babble")
        return model["engine"]["cancelled"] == before + 1 and not model["requests"]

    eventually(stopped)


def test_whoever_gives_up_early_is_not_waited_for(
    near: LiveServer, odd: Provider
) -> None:
    """The connection to a provider that has said nothing yet is closed, too."""
    odd.scripts.append(Script(parts=(WAIT,)))
    with near.client(timeout=0.5) as http, pytest.raises(httpx.ReadTimeout):
        ask(http, "patient/odd", stream=True)
    assert odd.gone.wait(10)


# What goes wrong.


def test_a_dead_provider_is_told_apart(http: httpx.Client) -> None:
    status, code, words = error(ask(http, "dead/gone"))
    assert (status, code) == (502, "provider_unreachable")
    assert "'dead'" in words
    assert "providers" in words


@pytest.mark.parametrize("name", ["wrong", "unset"])
def test_a_wrong_key_is_the_administrators_to_mend(
    http: httpx.Client, name: str
) -> None:
    """The caller's own key is right: the status must not say otherwise."""
    reply = ask(http, f"{name}/hello")
    status, code, words = error(reply)
    assert (status, code) == (502, "provider_access_denied")
    assert reply.headers["x-should-retry"] == "false"
    assert "credential" in words
    assert "not-the-token" not in reply.text


def test_a_silent_provider_is_given_up(http: httpx.Client, odd: Provider) -> None:
    odd.stream(WAIT)
    began = time.monotonic()
    status, code, words = error(ask(http, "odd/odd"))
    assert (status, code) == (504, "provider_timeout")
    assert "0.5 s" in words
    assert time.monotonic() - began < 10
    assert odd.gone.wait(10)


def test_a_stream_that_breaks_says_so(http: httpx.Client, odd: Provider) -> None:
    odd.stream(piece("half an ans"))
    text = ask(http, "odd/odd", stream=True).text
    assert "half an ans" in text
    assert '"code":"provider_answer_wrong"' in text
    assert "[DONE]" not in text
    odd.scripts.append(Script(parts=(b'{"choices": [',), missing=40))
    assert error(ask(http, "odd/odd"))[:2] == (502, "provider_answer_wrong")
    odd.stream(piece("half"), WAIT)
    assert '"code":"provider_timeout"' in ask(http, "odd/odd", stream=True).text


def test_refusals_are_told_in_the_providers_words(
    http: httpx.Client, odd: Provider
) -> None:
    odd.reply({"error": {"message": f"no such field for {TOKEN}"}}, 422)
    status, code, words = error(ask(http, "odd/odd"))
    assert (status, code) == (400, "provider_refused")
    assert "status 422" in words
    assert "no such field for ***" in words
    odd.reply({"detail": "overloaded"}, 429, **{"Retry-After": "7"})
    reply = ask(http, "odd/odd")
    assert error(reply)[:2] == (503, "provider_busy")
    assert reply.headers["Retry-After"] == "7"
    odd.reply({"error": "kaput"}, 500)
    assert error(ask(http, "odd/odd"))[:2] == (502, "provider_failed")
    odd.reply({}, 307, Location="http://elsewhere.example/v1")
    assert error(ask(http, "odd/odd"))[:2] == (502, "provider_answer_wrong")
    odd.stream({"error": {"message": "out of memory", "code": 500}})
    text = ask(http, "odd/odd", stream=True).text
    assert '"code":"provider_failed"' in text
    assert "out of memory" in text
    long = {"error": {"message": "too many", "code": "context_length_exceeded"}}
    odd.reply(long, 400)
    assert error(ask(http, "odd/odd"))[:2] == (400, "context_length_exceeded")


def test_fields_go_by_other_names_where_a_server_wants_it(
    http: httpx.Client, odd: Provider
) -> None:
    odd.stream(piece("ok"), END, DONE)
    assert ask(http, "patient/odd", max_tokens=5, seed=3, top_k=7).is_success
    body = odd.last.body
    assert (body["model"], body["most"], body["top_k"]) == ("odd", 5, 7)
    assert not {"max_tokens", "seed"} & body.keys()
    assert odd.last.authorization is None
    odd.stream(piece("ok"), END, DONE)
    ask(http, "odd/odd")
    assert odd.last.authorization == f"Bearer {TOKEN}"


# Another make.


def test_llama_cpp_server_answers(client: openai.OpenAI) -> None:
    model = "cpp/org/hello:tiny"
    options: Any = {"model": model, "messages": HELLO, "temperature": 0}
    whole = client.chat.completions.create(**options, max_tokens=99)
    assert (whole.choices[0].message.content or "").strip() == ANSWER
    assert whole.model == model
    parts = client.chat.completions.create(**options, max_tokens=5, stream=True)
    *_, last = list(parts)
    assert last.choices[0].finish_reason == "length"
    text = client.completions.create(
        model=model, prompt="Hello", max_tokens=3, temperature=0, logprobs=None
    )
    assert text.choices[0].text
    forced = client.chat.completions.create(
        **options,
        max_tokens=60,
        response_format={"type": "json_object"},
    )
    assert (forced.choices[0].message.content or "").lstrip().startswith("{")


def test_llama_cpp_server_is_cancelled(near: LiveServer, llama: str) -> None:
    """It answers one at a time, so that the next one waits for whatever runs on."""
    body = {"model": "cpp/org/hello:tiny", "messages": HELLO, "stream": True}
    with near.client() as http:
        for _ in range(3):
            with http.stream("POST", "v1/chat/completions", json=body) as reply:
                next(line for line in stream_lines(reply) if '"content":"' in line)
        assert ask(http, "cpp/org/hello:tiny", max_tokens=2).is_success
    assert llama


# In the place of a model that cannot answer.


@pytest.mark.parametrize(("route", "body"), DOORS)
@pytest.mark.parametrize("streaming", [False, True])
def test_a_model_that_cannot_answer_gives_way_and_the_answer_says_so(
    near: LiveServer, route: str, body: dict[str, object], *, streaming: bool
) -> None:
    with near.client() as http:
        reply = http.post(
            route,
            json={**body, "model": "broken", "stream": streaming, "temperature": 0},
        )
    assert reply.is_success, reply.text
    assert '"model":"lab/hello"' in reply.text.replace('": "', '":"')
    if not streaming:  # else the headers went before it was known
        assert reply.headers["X-LLM-Provider"] == "lab"


@pytest.mark.parametrize(("route", "body"), DOORS)
def test_a_model_that_must_not_be_loaded_does_not_give_way(
    near: LiveServer, route: str, body: dict[str, object]
) -> None:
    """The other would not be loaded, but was not asked either, unless it is named."""
    told = {**body, "temperature": 0}
    with near.client(params={"autoload": "false"}) as http:
        refused = http.post(route, json={**told, "model": "broken"})
        named = http.post(route, json={**told, "model": "lab/hello"})
    assert refused.status_code == 409
    assert "'autoload'" in refused.text
    assert named.is_success, named.text
    assert named.headers["X-LLM-Provider"] == "lab"


def test_a_model_that_is_busy_gives_way(near: LiveServer) -> None:
    """One runs, four wait: the next one need not."""
    body = {"model": "busy", "messages": HELLO, "stream": True, "max_tokens": 30000}
    with near.client() as http, ExitStack() as running:
        for _ in range(5):
            request = http.stream("POST", "v1/chat/completions", json=body)
            running.enter_context(request)
        eventually(lambda: near.model("busy")["requests"] == 5)
        reply = ask(http, "busy")
        terms = {"name": "this machine only", "models": ["busy", "broken"]}
        key = http.post("keys", json=terms).json()["key"]
        with near.client(headers={"Authorization": f"Bearer {key}"}) as restricted:
            refused = ask(restricted, "busy")
            broken = ask(restricted, "broken")
    assert error(refused)[:2] == (429, "queue_full"), "its key is not for the other"
    assert error(broken)[1] == "model_unreadable"
    assert reply.headers["X-LLM-Provider"] == "lab"
    assert reply.json()["model"] == "lab/hello"
    assert reply.json()["choices"][0]["message"]["content"] == ANSWER


def test_others_do_not_give_way(http: httpx.Client) -> None:
    """Unknown models, and those for which the administrator said nothing."""
    assert error(ask(http, "nothing"))[:2] == (404, "model_not_found")
    reply = ask(http, "mine", max_tokens=2)
    assert reply.headers["X-LLM-Provider"] == "local"
    assert reply.json()["model"] == "mine"


# The project's own routes.


def test_providers_are_listed_as_they_are(http: httpx.Client) -> None:
    reply = http.get("providers")
    found = {p["name"]: p for p in reply.json()["providers"]}
    assert next(iter(found)) == "local"
    states = {name: p["state"] for name, p in found.items()}
    assert states == {
        "local": "ready",
        "lab": "ready",
        "cpp": "ready",
        "odd": "ready",
        "patient": "ready",
        "dead": "failed",
        "wrong": "failed",
        "unset": "failed",
    }
    assert found["lab"]["models"] == 6
    assert found["lab"]["latency"] > 0
    assert found["dead"]["error"]["code"] == "provider_unreachable"
    assert found["wrong"]["error"]["code"] == "provider_access_denied"
    for secret in (TOKEN, LLAMA_KEY, "far-token", "not-the-token", "far.token"):
        assert secret not in reply.text


@pytest.mark.parametrize(
    ("name", "model"),
    [("local", "mine"), ("lab", "hello"), ("cpp", "org/hello:tiny")],
)
@pytest.mark.parametrize("streaming", [False, True])
def test_all_providers_answer_in_one_shape(
    near: LiveServer, name: str, model: str, *, streaming: bool
) -> None:
    params = {"model": model, "messages": HELLO, "temperature": 0, "max_tokens": 5}
    call = {"provider": name, "operation": "chat", "params": params}
    with near.client() as http:
        reply = http.post("providers/execute", json={**call, "stream": streaming})
    assert reply.is_success, reply.text
    if streaming:
        *_, name_line, last = stream_lines(reply)
        assert name_line == "event: done"
        answer = json.loads(last.removeprefix("data: "))
        assert "event: content" in reply.text
    else:
        answer = reply.json()
    assert set(answer) == {
        *("provider", "model", "content", "usage", "finish_reason", "metadata")
    }
    full = model if name == "local" else f"{name}/{model}"
    assert (answer["provider"], answer["model"]) == (name, full)
    assert ANSWER.startswith(answer["content"].strip())
    assert answer["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] in {4, 5}
    assert answer["metadata"]["operation"] == "chat"


def test_every_operation_has_that_shape(http: httpx.Client) -> None:
    def run(operation: str, **params: Any) -> Any:  # noqa: ANN401  # JSON
        call = {"provider": "lab", "operation": operation, "params": params}
        return http.post("providers/execute", json=call).json()

    text = run("completion", model="hello", prompt="Hello", max_tokens=3)
    assert isinstance(text["content"], str)
    vectors = run("embedding", model="encoder", input=["a", "b"])["content"]
    assert len(vectors) == 2
    documents = ["a", "b", "c"]
    scores = run("rerank", model="ranker", query="a", documents=documents)["content"]
    assert len(scores) == 3
    ranked = http.post(
        "v1/rerank",
        json={"model": "lab/ranker", "query": "a", "documents": documents},
    ).json()["results"]
    by_place = {one["index"]: one["relevance_score"] for one in ranked}
    assert [by_place[place] for place in range(3)] == pytest.approx(scores, abs=1e-6)
    calls = run("chat", model="guide", messages=ASKED, tools=[WEATHER], temperature=0)
    assert calls["finish_reason"] == "tool_calls"
    (call,) = calls["metadata"]["tool_calls"]
    assert json.loads(call["arguments"]) == {"city": "Paris"}


def test_a_wrong_call_says_what_is_wrong(http: httpx.Client) -> None:
    def run(**call: Any) -> tuple[int, str, str | None]:  # noqa: ANN401  # JSON
        given = {"provider": "lab", "operation": "chat", "params": {}, **call}
        reply = http.post("providers/execute", json=given)
        told = reply.json()["error"]
        return reply.status_code, told["code"], told["param"]

    messages = {"model": "hello", "messages": HELLO}
    assert run(provider="nobody") == (404, "provider_not_found", "provider")
    assert run() == (400, "invalid_request", "params.model")
    assert run(params={**messages, "n": 2}) == (400, "invalid_request", "params.n")
    assert run(operation="sing")[:2] == (400, "invalid_request")
    assert run(params={"model": "hello"})[:2] == (400, "invalid_request")


def test_the_local_provider_wants_no_key_and_no_name(http: httpx.Client) -> None:
    call = {
        "provider": "local",
        "operation": "chat",
        "params": {"messages": HELLO, "max_tokens": 2},
    }
    answer = http.post("providers/execute", json=call).json()
    assert answer["provider"] == "local"
    assert answer["model"] in {"mine", "busy"}


def test_secrets_are_in_no_answer(near: LiveServer, far: LiveServer) -> None:
    """Neither in the log, which the fixture looks at."""
    assert Path(near.folder / "far.token").exists()
    with near.client() as http:
        for route in ("providers", "status", "models", "openapi.json"):
            text = http.get(route).text
            for secret in (TOKEN, LLAMA_KEY, far.token):
                assert secret not in text
