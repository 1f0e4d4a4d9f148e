"""Ollama's own client against a real server: nothing but its host and a header."""

import json
import math
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import httpx
import ollama
import pytest
from gguf import PoolingType

from tests.conftest import TOKEN_BY_TOKEN
from tests.hub import Hub, running_hub
from tests.live import LiveServer, live_server
from tests.models import encoder
from tests.models.builder import Shape, write_model
from tests.models.coder import FILLING, write_coder
from tests.models.hello import ANSWER, write_hello
from tests.models.stores import model as small_model
from tests.waiting import eventually

HI = [{"role": "user", "content": "Hi"}]
REPO = "org/Tiny-GGUF"
FILE = "Tiny-Q4_K_M.gguf"
THINKS = "{{ messages[0].content }}{# <think> #}<think>{# </think> #}\n"
"""Every prompt ends within a thought."""

NANOSECOND = 1e-9


@pytest.fixture(scope="module")
def hub() -> Iterator[Hub]:
    """A hub with one small model."""
    with running_hub() as running:
        running.add(REPO, {FILE: small_model()})
        yield running


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory, hub: Hub) -> Iterator[LiveServer]:
    """A server with models of all kinds, and the hub for the Hugging Face hub."""
    folder = tmp_path_factory.mktemp("ollama")
    models = folder / "models"
    models.mkdir()
    write_hello(models / "hello.gguf")
    write_model(models / "babble.gguf", recommended={"temp": 0.5, "top_k": 20})
    write_model(models / "short.gguf", shape=Shape(context=64))
    write_model(models / "thinks.gguf", chat_template=THINKS)
    write_coder(models / "coder.gguf")
    write_model(models / "long.gguf", shape=Shape(context=32768))
    encoder.write_tiny(models / "encoder.gguf", pooling=PoolingType.MEAN)
    (models / "broken.gguf").write_bytes(b"<html>404 Not Found</html>" * 10)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_ENDPOINT", hub.url)
        patch.setenv("HF_HOME", str(folder / "hf"))
        for name in ("HF_TOKEN", "HF_HUB_OFFLINE", "OLLAMA_MODELS"):
            patch.delenv(name, raising=False)
        options = ("--LLMExt.max_waiting=1", "--LLMExt.context_length=30000")
        with live_server(folder, models, TOKEN_BY_TOKEN, *options) as running:
            yield running
            assert "Traceback" not in running.log, running.log


@pytest.fixture
def client(live: LiveServer) -> Iterator[ollama.Client]:
    """The unmodified client."""
    with ollama.Client(host=f"{live.url}llm", headers=live.headers) as made:
        yield made


def state(live: LiveServer, name: str) -> str:
    return str(live.model(name)["state"])


def unload(live: LiveServer, name: str) -> None:
    with live.client() as http:
        assert http.post(f"models/{name}/unload", json={"force": True}).is_success


# Chats and prompts.


def test_a_chat_is_answered_whole_and_in_pieces(client: ollama.Client) -> None:
    """The counts and the times are in the last piece, which says nothing else."""
    whole = client.chat("hello", HI)
    assert whole.message.content == ANSWER
    assert (whole.done, whole.done_reason) == (True, "stop")
    parts = list(client.chat("hello", HI, stream=True))
    assert "".join(part.message.content or "" for part in parts) == ANSWER
    assert [part.done for part in parts] == [False] * (len(parts) - 1) + [True]
    last = parts[-1]
    assert last.message.content == ""
    assert (last.eval_count or 0) >= len(parts) - 1 > 30
    assert last.prompt_eval_count == whole.prompt_eval_count
    assert (last.total_duration or 0) > (last.eval_duration or 0) > 0


def test_a_cold_model_answers_with_the_time_its_load_took(
    live: LiveServer, client: ollama.Client
) -> None:
    """The client sees no other line than answers, and the load in ``load_duration``."""
    unload(live, "hello")
    parts = list(client.chat("hello", HI, stream=True))
    assert "".join(part.message.content or "" for part in parts) == ANSWER
    load, total = parts[-1].load_duration or 0, parts[-1].total_duration or 0
    assert 0.01 < load * NANOSECOND < total * NANOSECOND
    assert client.chat("hello", HI).load_duration == 0


def test_every_line_is_an_answer_and_nothing_else(live: LiveServer) -> None:
    """NDJSON without progress or heartbeats, also while the model loads."""
    unload(live, "hello")
    with live.client() as http:
        reply = http.post("api/chat", json={"model": "hello", "messages": HI})
    assert reply.headers["Content-Type"] == "application/x-ndjson"
    lines = [json.loads(line) for line in reply.text.splitlines()]
    assert all(
        {"model", "created_at", "message", "done"} <= set(line) for line in lines
    )
    assert lines[0]["created_at"].endswith("Z")
    assert reply.text.endswith("}\n")


def test_events_are_sent_to_who_accepts_them(live: LiveServer) -> None:
    """They say the same, and progress in comments, which no client reads as data."""
    unload(live, "hello")
    with live.client() as http:
        reply = http.post(
            "api/chat",
            json={"model": "hello", "messages": HI},
            headers={"Accept": "text/event-stream"},
        )
    assert reply.headers["Content-Type"] == "text/event-stream"
    lines = [line for line in reply.text.splitlines() if line]
    data = [json.loads(line[6:]) for line in lines if line.startswith("data: ")]
    assert "".join(part["message"]["content"] for part in data) == ANSWER
    assert data[-1]["done"] is True
    comments = [line for line in lines if line.startswith(":")]
    assert any("loading" in line for line in comments)
    assert len(data) + len(comments) == len(lines)


def test_a_prompt_is_answered_and_its_conversation_goes_on(
    client: ollama.Client,
) -> None:
    """By what the answer gave back as its context, with the system prompt in it."""
    first = client.generate("hello", "Hi", system="Be brief.")
    assert first.response == ANSWER
    alone = client.generate("hello", "Again")
    second = client.generate("hello", "Again", context=first.context)
    assert second.response == ANSWER
    assert first.prompt_eval_count is not None
    before = first.prompt_eval_count + (first.eval_count or 0)
    assert (second.prompt_eval_count or 0) > before > (alone.prompt_eval_count or 0)
    assert second.context is not None
    assert len(second.context) > len(first.context or ())
    streamed = list(client.generate("hello", "Hi", system="Be brief.", stream=True))
    assert "".join(part.response or "" for part in streamed) == ANSWER
    assert streamed[-1].context == first.context


def test_a_raw_prompt_has_no_template_around_it(client: ollama.Client) -> None:
    """The model goes on where it ends."""
    start = "Hello! I am the tiny model that"
    reply = client.generate("hello", start, raw=True)
    assert start + (reply.response or "") == ANSWER
    assert reply.context is None


def test_a_gap_is_filled(client: ollama.Client) -> None:
    reply = client.generate("coder", "def f(x):", suffix="return y")
    assert reply.response == FILLING


def test_options_are_obeyed(client: ollama.Client) -> None:
    """Length, seed, stop; -1 is no limit, and what is unknown is ignored."""

    def babble(**options: Any) -> str:  # noqa: ANN401  # any option
        return client.generate("babble", "Hi", options=options).response or ""

    limited = client.generate("babble", "Hi", options={"num_predict": 5})
    assert (limited.eval_count, limited.done_reason) == (5, "length")
    assert babble(num_predict=9, seed=1) == babble(num_predict=9, seed=1, made_up=3)
    assert babble(num_predict=9, seed=1) != babble(num_predict=9, seed=2)
    stopped = client.generate("hello", "Hi", options={"stop": ["tiny"], "top_k": -1})
    assert stopped.response == ANSWER.partition("tiny")[0]
    free = client.generate("hello", "Hi", options={"num_predict": -1, "num_keep": 4})
    assert free.response == ANSWER


def test_log_probabilities_are_told(client: ollama.Client) -> None:
    """One for each token, with the likeliest beside it."""
    reply = client.chat(
        "hello", HI, logprobs=True, top_logprobs=2, options={"num_predict": 3}
    )
    assert reply.logprobs is not None
    assert "".join(told.token for told in reply.logprobs) == reply.message.content
    for told in reply.logprobs:
        assert told.top_logprobs is not None
        assert told.top_logprobs[0].token == told.token
        assert len(told.top_logprobs) == 2


def test_an_answer_has_the_format_that_is_asked_for(client: ollama.Client) -> None:
    """Any JSON, or what a schema says; both from a model that knows nothing."""
    schema: Any = {
        "type": "object",
        "properties": {"age": {"type": "integer", "maximum": 9}},
        "required": ["age"],
        "additionalProperties": False,
    }
    strict = client.chat("babble", HI, format=schema)
    assert set(json.loads(strict.message.content or "")) == {"age"}
    free = client.generate("babble", "Hi", format="json", options={"num_predict": 9})
    assert (free.response or "").lstrip().startswith("{")


def test_thoughts_are_told_apart(client: ollama.Client) -> None:
    """They have a field of their own, and a model that has none refuses the wish."""
    options = {"num_predict": 12}
    reply = client.chat("thinks", HI, think=True, options=options)
    assert reply.message.thinking
    assert not reply.message.content
    parts = list(client.chat("thinks", HI, think="high", options=options, stream=True))
    assert "".join(part.message.thinking or "" for part in parts)
    generated = client.generate("thinks", "Hi", options=options)
    assert generated.thinking
    assert client.chat("hello", HI, think=False).message.content == ANSWER
    with pytest.raises(ollama.ResponseError) as caught:
        client.chat("hello", HI, think=True)
    assert caught.value.status_code == 400
    assert "does not support thinking" in caught.value.error


# Tools.


def get_weather(city: str) -> str:
    """The weather in a city.

    Args:
        city: The city.
    """
    return json.dumps({"temperature": 21, "sky": "sunny", "city": city})


TOOL: Any = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "maxLength": 12}},
            "required": ["city"],
        },
    },
}
ASKED = {"role": "user", "content": "What is the weather in Paris?"}


@pytest.mark.parametrize("stream", [False, True])
def test_a_tool_is_called_and_its_result_read(
    client: ollama.Client, *, stream: bool
) -> None:
    """A call comes in one piece, with arguments that are an object and no text."""
    cold = {"temperature": 0}
    if stream:
        parts = list(
            client.chat("guide", [ASKED], tools=[TOOL], options=cold, stream=True)
        )
        messages = [part.message for part in parts if part.message.tool_calls]
        assert parts[-1].done_reason == "stop"
    else:
        messages = [client.chat("guide", [ASKED], tools=[TOOL], options=cold).message]
    (message,) = messages
    (call,) = message.tool_calls or ()
    assert call.function.name == "get_weather"
    assert call.function.arguments == {"city": "Paris"}
    result = {
        "role": "tool",
        "tool_name": "get_weather",
        "content": get_weather("Paris"),
    }
    answer = client.chat("guide", [ASKED, message, result], tools=[TOOL], options=cold)
    assert not answer.message.tool_calls
    assert "sunny" in (answer.message.content or "")


def test_a_python_function_can_be_offered(client: ollama.Client) -> None:
    """The client makes a tool of it, in its own way of writing schemas."""
    reply = client.chat(
        "guide", [ASKED], tools=[get_weather], options={"temperature": 0}
    )
    (call,) = reply.message.tool_calls or ()
    assert call.function.name == "get_weather"
    assert call.function.arguments == {"city": "Paris"}


# Vectors.


def test_texts_become_vectors(client: ollama.Client) -> None:
    """Of length 1, one for each text, cut where asked."""
    both = client.embed("encoder", ["one", "two"])
    assert len(both.embeddings) == 2
    assert all(math.isclose(math.hypot(*v), 1, rel_tol=1e-4) for v in both.embeddings)
    assert (both.prompt_eval_count or 0) > 2
    assert both.total_duration
    assert list(client.embed("encoder", "one").embeddings[0]) == pytest.approx(
        list(both.embeddings[0]), abs=1e-4
    )
    assert len(client.embed("encoder", "one", dimensions=8).embeddings[0]) == 8
    assert client.embed("encoder", []).embeddings == []
    old = client.embeddings("encoder", "one")
    assert list(old.embedding) == pytest.approx(list(both.embeddings[0]), abs=1e-4)


def test_a_text_too_long_to_embed_is_cut_unless_forbidden(
    client: ollama.Client,
) -> None:
    long = "one two " * 3000
    assert len(client.embed("encoder", long).embeddings) == 1
    with pytest.raises(ollama.ResponseError) as caught:
        client.embed("encoder", long, truncate=False)
    assert caught.value.status_code == 400


# Loading and unloading.


def test_an_empty_request_loads_and_unloads(
    live: LiveServer, client: ollama.Client
) -> None:
    """Both routes do; an unload of what is not there loads nothing."""
    unload(live, "babble")
    loaded = client.generate("babble")
    assert (loaded.done_reason, loaded.response) == ("load", "")
    assert state(live, "babble") == "ready"
    gone = client.chat("babble", keep_alive=0)
    assert gone.done_reason == "unload"

    def is_unloaded() -> bool:
        """The model is unloaded."""
        return state(live, "babble") == "unloaded"

    eventually(is_unloaded)
    again = client.generate("babble", keep_alive="0s")
    assert again.done_reason == "unload"
    assert state(live, "babble") == "unloaded"
    with pytest.raises(ollama.ResponseError) as caught:
        client.generate("broken")
    assert caught.value.status_code == 500
    assert "is not a GGUF file" in caught.value.error


@pytest.mark.parametrize(
    ("keep_alive", "seconds"),
    [(90, 90), ("2m30s", 150), ("1h", 3600), ("45", 45), (-1, None), ("-1m", None)],
)
def test_a_model_stays_as_long_as_asked(
    client: ollama.Client, keep_alive: float | str, seconds: float | None
) -> None:
    """``ps`` tells until when; for ever is centuries from now."""
    client.generate("hello", "Hi", options={"num_predict": 1}, keep_alive=keep_alive)
    (running,) = [m for m in client.ps().models if m.model == "hello"]
    assert running.expires_at is not None
    left = running.expires_at - datetime.now(timezone.utc)
    if seconds is None:
        assert left > timedelta(days=365 * 100)
    else:
        assert left.total_seconds() == pytest.approx(seconds, abs=15)


def test_keep_alive_0_unloads_after_the_answer(
    live: LiveServer, client: ollama.Client
) -> None:
    reply = client.chat("hello", HI, keep_alive=0)
    assert reply.message.content == ANSWER

    def is_unloaded() -> bool:
        """The model is unloaded."""
        return state(live, "hello") == "unloaded"

    eventually(is_unloaded)


def test_a_model_is_loaded_as_its_first_request_says(
    live: LiveServer, client: ollama.Client
) -> None:
    """A loaded one stays as it is, but for an empty request, which is a wish."""

    def context() -> int | None:
        shown = [m for m in client.ps().models if m.model == "babble"]
        return shown[0].context_length

    unload(live, "babble")
    client.generate("babble", "Hi", options={"num_ctx": 512, "num_predict": 1})
    assert context() == 512
    client.generate("babble", "Hi", options={"num_ctx": 1024, "num_predict": 1})
    assert context() == 512
    client.generate("babble", options={"num_ctx": 1024})
    assert context() == 1024


def test_options_load_nothing_where_the_query_forbids_it(live: LiveServer) -> None:
    """A request with them would load the model as it wants it."""
    unload(live, "babble")
    body = {"model": "babble", "prompt": "Hi", "options": {"num_ctx": 512}}
    with live.client() as http:
        reply = http.post("api/generate", json=body, params={"autoload": "false"})
    assert reply.status_code == 409
    assert "'babble' is not loaded" in reply.json()["error"]
    assert state(live, "babble") == "unloaded"


def test_an_empty_text_loads_and_unloads_a_model_for_vectors(
    live: LiveServer, client: ollama.Client
) -> None:
    """As it does one that answers; the options of a request are its load's."""
    unload(live, "encoder")
    assert client.embed("encoder", "").embeddings == []
    assert state(live, "encoder") == "ready"
    assert client.embeddings("encoder", "", keep_alive=0).embedding == []

    def is_unloaded() -> bool:
        """The model is unloaded."""
        return state(live, "encoder") == "unloaded"

    eventually(is_unloaded)
    assert client.embed("encoder", [], keep_alive=0).embeddings == []
    assert state(live, "encoder") == "unloaded"
    client.embed("encoder", "one", options={"num_ctx": 64})
    assert live.model("encoder")["options"]["context_length"] == 64
    unload(live, "encoder")


@pytest.mark.parametrize(
    ("options", "context"),
    [
        ({"num_ctx": 512.0, "num_predict": 1.0, "seed": 3.0}, 512),
        ({"num_ctx": 0, "num_thread": 0, "num_gpu": 999}, 2048),
        ({"num_ctx": -1, "num_thread": -1, "num_gpu": -1}, 2048),
        ({"num_ctx": 4, "num_thread": 4096}, 256),
    ],
)
def test_odd_numbers_load_a_model(
    live: LiveServer,
    client: ollama.Client,
    options: dict[str, float],
    context: int,
) -> None:
    """As clients write them who have one kind of number, or mean "what is best"."""
    unload(live, "babble")
    assert client.generate("babble", options=options).done_reason == "load"
    (running,) = [m for m in client.ps().models if m.model == "babble"]
    assert running.context_length == context
    unload(live, "babble")


# What there is.


def test_tags_ps_and_show_tell_what_the_files_say(client: ollama.Client) -> None:
    """Real metadata of every model, also of those that are not loaded."""
    listed = {model.model or "": model for model in client.list().models}
    assert {"hello", "babble", "encoder", "coder", "guide", "broken"} <= set(listed)
    for name, model in listed.items():
        assert model.size
        assert model.modified_at
        assert len(model.digest or "") == 64
        assert model.details is not None
        if name != "broken":
            assert model.details.format == "gguf"
            assert model.details.family
            assert model.details.parameter_size
            assert model.details.quantization_level
            shown = client.show(name)
            assert shown.details == model.details
            assert shown.capabilities
            assert shown.modelinfo is not None
            assert shown.modelinfo["general.architecture"] == model.details.family
            assert shown.modelinfo["general.parameter_count"] > 1000
    assert len({model.digest for model in listed.values()}) == len(listed)


def test_show_has_the_template_the_parameters_and_the_licence(
    live: LiveServer, client: ollama.Client
) -> None:
    """Arrays of the file only on demand."""
    shown = client.show("babble")
    assert "<|im_start|>" in (shown.template or "")
    assert shown.license == "BSD-3-Clause"
    assert (shown.parameters or "").split() == ["temperature", "0.5", "top_k", "20"]
    assert "PARAMETER temperature" in (shown.modelfile or "")
    assert shown.modelinfo is not None
    assert shown.modelinfo["llama.context_length"] == 2048
    assert shown.modelinfo["tokenizer.ggml.tokens"] is None
    assert "thinking" in (client.show("thinks").capabilities or ())
    assert "insert" in (client.show("coder").capabilities or ())
    assert client.show("encoder").capabilities == ["embedding"]
    with live.client() as http:
        body = {"model": "guide", "verbose": True}
        told = http.post("api/show", json=body).json()["model_info"]
    tokens, kinds = told["tokenizer.ggml.tokens"], told["tokenizer.ggml.token_type"]
    assert len(tokens) == len(kinds) > 1024
    assert "<|im_start|>" in tokens


def test_the_loaded_ones_are_told_with_their_memory(client: ollama.Client) -> None:
    """Those that stay longest first."""
    client.generate("hello", keep_alive="10m")
    client.generate("babble", keep_alive="20m")
    names = [model.model for model in client.ps().models]
    assert names.index("babble") < names.index("hello")
    (hello,) = [model for model in client.ps().models if model.model == "hello"]
    assert (hello.size or 0) > 0
    assert hello.size_vram is not None
    assert hello.context_length == 2048
    assert hello.details is not None
    assert hello.details.family == "llama"


@pytest.mark.parametrize("name", ["hello", "hello:latest", "Hello.gguf", "HELLO"])
def test_a_model_is_found_by_what_clients_write(
    client: ollama.Client, name: str
) -> None:
    """With the tag that they append; the answer carries the name that was asked."""
    reply = client.chat(name, HI, options={"num_predict": 1})
    assert reply.model == name
    assert client.show(name).details == client.show("hello").details


def test_the_version_is_told(live: LiveServer) -> None:
    with live.client() as http:
        version = http.get("api/version").json()["version"]
        assert version == http.get("health/live").json()["version"]
        for route in ("", "api/version", "api/tags"):
            assert http.head(route).status_code == 200
        assert http.get("").text == "Ollama is running"


# Pull and delete.


def test_a_model_is_pulled_used_and_deleted(
    live: LiveServer, client: ollama.Client
) -> None:
    """The steps are those that clients draw, and the name finds the model at once."""
    name = f"hf.co/{REPO}:Q4_K_M"
    steps = list(client.pull(name, stream=True))
    words = [step.status or "" for step in steps]
    assert words[0] == "pulling manifest"
    assert words[-1] == "success"
    bars = [step for step in steps if step.digest]
    for bar in bars:
        assert bar.digest is not None
        assert bar.digest.startswith("sha256:" + (bar.status or "").split()[-1])
    assert client.pull(name).status == "success"
    assert client.show(name).details is not None
    (path,) = Path(live.folder).rglob(FILE)
    assert client.delete(name).status == "success"
    assert not path.exists()
    with pytest.raises(ollama.ResponseError) as caught:
        client.show(name)
    assert caught.value.status_code == 404


def test_a_pull_that_fails_says_why(live: LiveServer, client: ollama.Client) -> None:
    """In a line of the stream, or as a status to who waits."""
    with pytest.raises(ollama.ResponseError) as caught:
        list(client.pull("hf.co/org/nothing:Q4_K_M", stream=True))
    assert "org/nothing" in caught.value.error
    with pytest.raises(ollama.ResponseError) as caught:
        client.pull("hf.co/org/nothing:Q4_K_M")
    assert caught.value.status_code == 502
    with pytest.raises(ollama.ResponseError) as caught:
        client.pull("no/registry/knows/this")
    assert caught.value.status_code == 400
    assert refusal(live, "pull").status_code == 400


def test_a_loaded_model_is_unloaded_to_be_deleted(
    live: LiveServer, client: ollama.Client
) -> None:
    """What belongs to this package is not deleted."""
    path = live.folder / "models" / "spare.gguf"
    write_model(path)

    def is_there() -> bool:
        """The catalog has the model."""
        return any(model.model == "spare" for model in client.list().models)

    eventually(is_there)
    client.generate("spare")
    client.delete("spare")
    assert not path.exists()
    for name, status in (("spare", 404), ("guide", 400)):
        with pytest.raises(ollama.ResponseError) as caught:
            client.delete(name)
        assert caught.value.status_code == status


# What goes wrong.


def refusal(live: LiveServer, route: str, **body: Any) -> httpx.Response:  # noqa: ANN401  # any JSON
    with live.client() as http:
        reply = http.post(f"api/{route}", json=body)
    assert list(reply.json()) == ["error"], reply.text
    assert isinstance(reply.json()["error"], str)
    return reply


@pytest.mark.parametrize(
    ("route", "body", "words"),
    [
        ("chat", {"messages": HI}, "model"),
        ("chat", {"model": "hello", "messages": "Hi"}, "messages"),
        ("chat", {"model": "hello", "messages": [{"role": "boss"}]}, "no role"),
        ("chat", {"model": "hello", "messages": HI, "format": "xml"}, "format"),
        ("chat", {"model": "hello", "messages": HI, "think": "hard"}, "think"),
        ("chat", {"model": "hello", "keep_alive": "soon"}, "duration"),
        ("chat", {"model": "hello", "messages": HI, "options": {"seed": "x"}}, "seed"),
        (
            "chat",
            {"model": "hello", "messages": [{**HI[0], "images": ["aGk="]}]},
            "Images",
        ),
        ("generate", {"model": "hello", "prompt": "a", "images": ["aGk="]}, "Images"),
        ("generate", {"model": "hello", "prompt": "a", "template": "x"}, "template"),
        (
            "generate",
            {"model": "hello", "prompt": "a", "raw": True, "system": "b"},
            "raw",
        ),
        ("generate", {"model": "hello", "prompt": "a", "context": [1, 2]}, "context"),
        ("generate", {"model": "hello", "prompt": "a", "suffix": "b"}, "gaps"),
        ("generate", {"model": "short", "prompt": "word " * 500}, "context"),
        ("show", {}, "Say which model"),
        ("embed", {"model": "hello", "input": 5}, "input"),
        ("embed", {"model": "encoder", "input": "a", "dimensions": 0}, "dimensions"),
    ],
)
def test_what_cannot_be_done_is_400(
    live: LiveServer, route: str, body: dict[str, Any], words: str
) -> None:
    reply = refusal(live, route, **body)
    assert reply.status_code == 400
    assert words in reply.json()["error"]


def test_a_model_that_is_not_there_is_404(client: ollama.Client) -> None:
    """In words that clients look for, and with names that may be meant."""
    for call in (
        lambda: client.chat("helo", HI),
        lambda: list(client.generate("helo", "Hi", stream=True)),
        lambda: client.show("helo:latest"),
        lambda: client.delete("helo"),
        lambda: client.embed("helo", "Hi"),
    ):
        with pytest.raises(ollama.ResponseError) as caught:
            call()
        assert caught.value.status_code == 404
        assert "not found, try pulling it first" in caught.value.error
        assert "'hello'" in caught.value.error


@pytest.mark.parametrize("stream", [False, True])
def test_a_load_that_fails_is_a_status(live: LiveServer, *, stream: bool) -> None:
    """Nothing was sent before, so that the status can still say it."""
    reply = refusal(live, "chat", model="broken", messages=HI, stream=stream)
    assert reply.status_code == 500
    assert "is not a GGUF file" in reply.json()["error"]


def test_strangers_and_unknown_routes_are_refused_in_ollamas_shape(
    live: LiveServer,
) -> None:
    with httpx.Client(base_url=f"{live.url}llm/", trust_env=False) as http:
        strange = http.get("api/tags")
    assert strange.status_code == 401
    assert "token" in strange.json()["error"]
    missing = refusal(live, "create", model="x")
    assert missing.status_code == 404
    assert "api/create" in missing.json()["error"]


def test_an_inference_key_opens_its_models_alone(live: LiveServer) -> None:
    """To ask and to look at, and nothing that changes what is there."""
    with live.client() as http:
        terms = {"name": "k", "models": ["hello"]}
        key = http.post("keys", json=terms).json()["key"]
    headers = {"Authorization": f"Bearer {key}"}
    with ollama.Client(host=f"{live.url}llm", headers=headers) as client:
        assert client.chat("hello", HI).message.content == ANSWER
        assert [model.model for model in client.list().models] == ["hello"]
        assert client.generate("hello").done_reason == "load"
        calls: list[Callable[[], object]] = [
            lambda: client.chat("babble", HI),
            lambda: client.generate("babble"),
            lambda: client.show("babble"),
            lambda: client.delete("hello"),
            lambda: client.pull(f"hf.co/{REPO}:Q4_K_M"),
        ]
        for call in calls:
            with pytest.raises(ollama.ResponseError) as caught:
                call()
            assert caught.value.status_code in {401, 403}


def test_a_worker_that_dies_ends_the_stream_with_an_error(
    live: LiveServer, client: ollama.Client
) -> None:
    """As one more line, which the client raises."""
    parts = client.generate("long", "Hi", stream=True)
    next(parts)
    unload(live, "long")
    with pytest.raises(ollama.ResponseError) as caught:
        list(parts)
    assert "unloaded" in caught.value.error


def test_a_client_that_goes_away_ends_its_request(
    live: LiveServer, client: ollama.Client
) -> None:
    """Thirty thousand tokens are not computed for nobody."""
    client.generate("long")
    before = live.model("long")["engine"]["cancelled"]
    with live.client() as http:
        body = {"model": "long", "prompt": "Hi"}
        with http.stream("POST", "api/generate", json=body) as reply:
            next(reply.iter_lines())

    def is_free() -> bool:
        """The request is cancelled and the model has nothing to do."""
        model = live.model("long")
        cancelled = bool(model["engine"]["cancelled"] > before)
        return cancelled and model["state"] == "ready"

    eventually(is_free)


def test_a_full_queue_is_503(live: LiveServer) -> None:
    """Four run, one waits, and the next has to come again."""
    body = {"model": "long", "prompt": "Hi"}
    with live.client() as http, ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(http.stream("POST", "api/generate", json=body))
        reply = refusal(live, "generate", **body)
    assert reply.status_code == 503
    assert "server busy" in reply.json()["error"]
    assert int(reply.headers["Retry-After"]) >= 1
