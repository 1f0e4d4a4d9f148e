"""Tokens, templates and gaps over HTTP; nothing is loaded but for the gaps."""

from collections.abc import Iterator

import httpx
import pytest

from tests.live import LiveServer, chunks, live_server
from tests.models.builder import write_model
from tests.models.coder import FILLING, write_coder
from tests.models.hello import write_hello

CHAT = [{"role": "user", "content": "Hi"}]
PROMPT = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server with a few models, of which one can fill gaps."""
    folder = tmp_path_factory.mktemp("helpers")
    models = folder / "models"
    models.mkdir()
    write_hello(models / "hello.gguf")
    write_model(models / "plain.gguf", chat_template=None)
    write_coder(models / "coder.gguf")
    with live_server(folder, models, "--LLMExt.default_model=hello") as running:
        yield running
        assert "Traceback" not in running.log, running.log


@pytest.fixture
def http(live: LiveServer) -> Iterator[httpx.Client]:
    """A client."""
    with live.client() as client:
        yield client


@pytest.fixture
def unloaded(live: LiveServer) -> Iterator[None]:
    """Proves that the test loads no model."""
    before = live.model("hello")["state"]
    yield
    assert before == live.model("hello")["state"] == "unloaded"


@pytest.mark.usefixtures("unloaded")
def test_a_text_becomes_tokens_and_these_the_text(http: httpx.Client) -> None:
    """Of a model that is not loaded, and stays so."""
    text = "Two and two is four. ¿Qué?"
    told = http.post("tokenize", json={"model": "hello", "content": text}).json()
    assert (told["model"], told["count"]) == ("hello", len(told["tokens"]))
    back = http.post("detokenize", json={"model": "hello", "tokens": told["tokens"]})
    assert back.json() == {"model": "hello", "content": text}
    body = {"model": "hello", "content": text, "count": True}
    assert http.post("tokenize", json=body).json() == {
        "model": "hello",
        "count": told["count"],
    }


@pytest.mark.usefixtures("unloaded")
def test_pieces_are_told_with_their_tokens(http: httpx.Client) -> None:
    """As text, or as bytes where a token is a part of a character."""
    text = "Hi 漢"
    body = {"model": "hello", "content": text, "with_pieces": True}
    pieces = http.post("tokenize", json=body).json()["tokens"]
    written = b"".join(
        p["piece"].encode() if isinstance(p["piece"], str) else bytes(p["piece"])
        for p in pieces
    )
    assert written == text.encode()
    assert any(isinstance(piece["piece"], list) for piece in pieces)


@pytest.mark.usefixtures("unloaded")
def test_special_tokens_are_recognised_unless_told_otherwise(
    http: httpx.Client,
) -> None:
    body = {"model": "hello", "content": "<|im_end|>"}
    assert http.post("tokenize", json=body).json()["count"] == 1
    plain = http.post("tokenize", json={**body, "parse_special": False}).json()
    assert plain["count"] > 1


@pytest.mark.usefixtures("unloaded")
def test_a_chat_becomes_its_prompt(http: httpx.Client) -> None:
    """Without a model's name the default one is meant, and the answer says which."""
    told = http.post("apply-template", json={"messages": CHAT}).json()
    count = http.post("tokenize", json={"content": PROMPT, "count": True}).json()
    assert told == {"model": "hello", "prompt": PROMPT, "tokens": count["count"]}
    open_ended = {"messages": CHAT, "add_generation_prompt": False}
    shorter = http.post("apply-template", json=open_ended).json()
    assert PROMPT.startswith(shorter["prompt"])
    assert shorter["prompt"] != PROMPT


def test_a_gap_is_filled(http: httpx.Client) -> None:
    """Whole and as a stream, with the other files counted in."""
    body = {"model": "coder", "input_prefix": "def f(x):", "input_suffix": "return y"}
    whole = http.post("infill", json=body).json()
    assert whole["content"] == FILLING
    assert (whole["stop"], whole["stop_type"]) == (True, "eos")
    extra = {**body, "input_extra": [{"filename": "a.py", "text": "import b"}]}
    more = http.post("infill", json=extra).json()
    assert more["content"] == FILLING
    assert more["tokens_evaluated"] > whole["tokens_evaluated"]
    limited = http.post("infill", json={**body, "n_predict": 2}).json()
    assert (limited["tokens_predicted"], limited["stop_type"]) == (2, "limit")
    stream = http.post("infill", json={**body, "stream": True})
    parts = list(chunks(iter(stream.text.splitlines())))
    assert "".join(part["content"] for part in parts) == FILLING
    assert [part["stop"] for part in parts] == [False] * (len(parts) - 1) + [True]


def test_a_gap_may_wait_for_what_is_loaded_anyway(
    live: LiveServer, http: httpx.Client
) -> None:
    body = {"model": "coder", "input_prefix": "def f(x):", "input_suffix": "return y"}
    http.post("models/coder/unload", json={"force": True}).raise_for_status()
    for no in ("false", "0"):
        reply = http.post("infill", json=body, params={"autoload": no})
        assert reply.status_code == 409
        assert reply.headers["x-should-retry"] == "false"
        told = reply.json()["error"]
        assert (told["type"], told["code"]) == ("conflict_error", "model_not_loaded")
        assert live.model("coder")["state"] == "unloaded"
    wrong = http.post("infill", json=body, params={"autoload": "maybe"})
    assert (wrong.status_code, wrong.json()["error"]["param"]) == (400, "autoload")
    assert http.post("models/coder/load", json={}).status_code == 202
    for _ in ("loading", "loaded"):
        reply = http.post("infill", json=body, params={"autoload": "false"})
        assert reply.json()["content"] == FILLING


@pytest.mark.parametrize(
    ("route", "body", "status"),
    [
        ("tokenize", {}, 400),
        ("tokenize", {"model": "nobody", "content": "a"}, 404),
        ("detokenize", {"model": "hello", "tokens": [999_999]}, 400),
        ("detokenize", {"model": "hello", "tokens": ["a"]}, 400),
        ("apply-template", {"model": "plain", "messages": CHAT}, 400),
        ("apply-template", {"model": "hello", "messages": []}, 400),
        ("infill", {"model": "hello", "input_prefix": "a"}, 400),
    ],
)
def test_what_cannot_be_done_is_said(
    http: httpx.Client, route: str, body: dict[str, object], status: int
) -> None:
    reply = http.post(route, json=body)
    assert reply.status_code == status, reply.text
    assert reply.json()["error"]["message"]
