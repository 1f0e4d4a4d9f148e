"""What OpenAI's client can ask of an answer, beyond its text."""

import json
import math
from collections.abc import Iterator
from datetime import datetime, timezone

import msgspec
import openai
import pytest

from tests.live import LiveServer

LONG = "Read this once. " * 20
SCHEMA = {
    "type": "object",
    "properties": {"answer": {"enum": ["yes", "no"]}, "sure": {"type": "boolean"}},
    "required": ["answer", "sure"],
    "additionalProperties": False,
}


@pytest.fixture
def client(server: LiveServer) -> Iterator[openai.OpenAI]:
    """The unmodified OpenAI client; Jupyter's token is its key."""
    with openai.OpenAI(
        base_url=f"{server.url}llm/v1", api_key=server.token, max_retries=0
    ) as made:
        yield made


def test_several_answers_differ_and_the_prompt_is_counted_once(
    client: openai.OpenAI,
) -> None:
    """Each with its own seed; the same seed gives the same answers."""
    fingerprints: set[str | None] = set()

    def ask() -> tuple[list[str], int]:
        reply = client.chat.completions.create(
            model="babble",
            messages=[{"role": "user", "content": "Hi"}],
            n=3,
            seed=5,
            temperature=1.5,
            max_tokens=8,
        )
        assert [choice.index for choice in reply.choices] == [0, 1, 2]
        assert reply.usage is not None
        assert reply.usage.completion_tokens == 24
        fingerprints.add(reply.system_fingerprint)
        texts = [choice.message.content or "" for choice in reply.choices]
        return texts, reply.usage.prompt_tokens

    texts, prompt_tokens = ask()
    assert len(set(texts)) == 3
    assert ask() == (texts, prompt_tokens)
    assert prompt_tokens < 30
    assert len(fingerprints) == 1
    assert None not in fingerprints


def test_several_answers_stream_side_by_side(client: openai.OpenAI) -> None:
    parts = list(
        client.chat.completions.create(
            model="babble",
            messages=[{"role": "user", "content": "Hi"}],
            n=2,
            max_tokens=8,
            stream=True,
        )
    )
    seen = [part.choices[0].index for part in parts]
    assert {0, 1} == set(seen)
    assert seen != sorted(seen), "one came after the other"
    assert {part.system_fingerprint is None for part in parts} == {False}
    ended = [part.choices[0] for part in parts if part.choices[0].finish_reason]
    assert sorted(choice.index for choice in ended) == [0, 1]


def test_log_probabilities_are_of_the_tokens_shown(client: openai.OpenAI) -> None:
    """Greedy takes the likeliest; all probabilities are at most one together."""
    reply = client.chat.completions.create(
        model="babble",
        messages=[{"role": "user", "content": "Hi"}],
        temperature=0,
        max_tokens=8,
        logprobs=True,
        top_logprobs=4,
    )
    choice = reply.choices[0]
    assert choice.logprobs is not None
    told = choice.logprobs.content or []
    assert len(told) == 8
    joined = b"".join(bytes(token.bytes or []) for token in told)
    assert joined.decode(errors="replace") == choice.message.content
    for token in told:
        assert len(token.top_logprobs) == 4
        assert token.top_logprobs[0].bytes == token.bytes
        assert token.top_logprobs[0].logprob == token.logprob
        likely = [top.logprob for top in token.top_logprobs]
        assert likely == sorted(likely, reverse=True)
        assert sum(math.exp(value) for value in likely) <= 1 + 1e-6


def test_log_probabilities_may_be_those_of_the_draw(client: openai.OpenAI) -> None:
    """Of what the samplers left, which together is certain."""
    reply = client.chat.completions.create(
        model="babble",
        messages=[{"role": "user", "content": "Hi"}],
        max_tokens=4,
        logprobs=True,
        top_logprobs=8,
        extra_body={"top_k": 3, "top_p": 1, "min_p": 0, "post_sampling_probs": True},
    )
    assert reply.choices[0].logprobs is not None
    told = reply.choices[0].logprobs.content or []
    assert len(told) == 4
    for token in told:
        likely = {tuple(top.bytes or ()): top.logprob for top in token.top_logprobs}
        assert len(token.top_logprobs) == 3
        assert sum(map(math.exp, likely.values())) == pytest.approx(1, abs=1e-5)
        assert token.logprob == likely[tuple(token.bytes or ())]


def test_a_schema_is_kept(client: openai.OpenAI) -> None:
    reply = client.chat.completions.create(
        model="babble",
        messages=[{"role": "user", "content": "Hi"}],
        response_format={
            "type": "json_schema",
            "json_schema": {"name": "reply", "strict": True, "schema": SCHEMA},
        },
    )
    found = json.loads(reply.choices[0].message.content or "")
    assert found["answer"] in {"yes", "no"}
    assert isinstance(found["sure"], bool)
    assert reply.choices[0].finish_reason == "stop"


@pytest.mark.parametrize("stream", [False, True])
def test_a_schema_that_cannot_be_used_is_refused(
    client: openai.OpenAI,
    stream: bool,  # noqa: FBT001  # a parameter
) -> None:
    """With a status, before anything is computed."""
    client.chat.completions.create(
        model="babble", messages=[{"role": "user", "content": "Hi"}], max_tokens=1
    )
    with pytest.raises(openai.BadRequestError, match="banana") as caught:
        client.chat.completions.create(
            model="babble",
            messages=[{"role": "user", "content": "Hi"}],
            stream=stream,
            response_format={
                "type": "json_schema",
                "json_schema": {"name": "x", "schema": {"type": "banana"}},
            },
        )
    assert caught.value.param == "response_format"


@pytest.mark.parametrize(
    "asked",
    [
        {"json_schema": {"type": "banana"}},
        {"grammar": "root ::= nothing"},
        {"structured_outputs": {"regex": "("}},
    ],
)
def test_a_refusal_names_the_field(
    client: openai.OpenAI, asked: dict[str, object]
) -> None:
    """The one that the client wrote, whichever it was."""
    with pytest.raises(openai.BadRequestError, match="cannot be used") as caught:
        client.chat.completions.create(
            model="babble",
            messages=[{"role": "user", "content": "Hi"}],
            extra_body=asked,
        )
    assert caught.value.param == next(iter(asked))


def test_cached_tokens_are_reported(client: openai.OpenAI) -> None:
    """The second question on the same text computes only what is new."""

    def cached(question: str) -> tuple[int, int]:
        reply = client.chat.completions.create(
            model="babble",
            messages=[{"role": "user", "content": LONG + question}],
            max_tokens=2,
        )
        assert reply.usage is not None
        details = reply.usage.prompt_tokens_details
        assert details is not None
        return details.cached_tokens or 0, reply.usage.prompt_tokens

    cached("What?")
    again, total = cached("Who?")
    assert total - 20 < again < total


def test_a_bias_may_name_its_token_by_its_text(client: openai.OpenAI) -> None:
    def first(**options: dict[str, int]) -> str:
        reply = client.chat.completions.create(
            model="babble",
            messages=[{"role": "user", "content": "Hi"}],
            temperature=0,
            max_tokens=1,
            extra_body=options,
        )
        return reply.choices[0].message.content or ""

    likeliest = first()
    assert likeliest
    assert first(logit_bias={likeliest: -100}) != likeliest


def texts(model: str, **fields: object) -> dict[str, object]:
    return {"model": model, "messages": [{"role": "user", "content": "Hi"}], **fields}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("v1/chat/completions", texts("hello", max_tokens=1)),
        ("v1/chat/completions", texts("hello", max_tokens=1, stream=True)),
        ("v1/completions", {"model": "hello", "prompt": "Hi", "max_tokens": 1}),
        ("v1/embeddings", {"model": "encoder", "input": "Hi"}),
        ("v1/rerank", {"model": "ranker", "query": "Hi", "documents": ["Hi"]}),
        ("v1/messages", texts("hello", max_tokens=1)),
        ("v1/responses", {"model": "hello", "input": "Hi", "max_output_tokens": 1}),
    ],
)
def test_fields_that_mean_nothing_are_told(
    server: LiveServer, path: str, body: dict[str, object]
) -> None:
    """They are ignored, with a warning in a header; those that are known are not."""
    with server.client() as http:
        told = http.post(path, json={**body, "temprature": 0, "store_\r\nä": [1]})
        silent = http.post(path, json=body)
    assert told.is_success, told.text
    assert told.headers["X-Ignored-Fields"] == "temprature, store_%0D%0A%C3%A4"
    assert silent.is_success
    assert "X-Ignored-Fields" not in silent.headers


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("v1/chat/completions", texts("hello", max_tokens=1)),
        ("v1/chat/completions", texts("hello", max_tokens=1, stream=True)),
        ("v1/completions", {"model": "hello", "prompt": "Hi", "max_tokens": 1}),
        ("v1/embeddings", {"model": "encoder", "input": "Hi"}),
        ("v1/rerank", {"model": "ranker", "query": "Hi", "documents": ["Hi"]}),
    ],
)
def test_a_model_stays_as_long_as_a_request_asks(
    server: LiveServer, path: str, body: dict[str, object]
) -> None:
    """Ollama's word for it; without it a model stays as is configured."""
    model = str(body["model"])

    def stays() -> float:
        """Return the minutes for which the model stays."""
        expires = msgspec.convert(server.model(model)["expires_at"], datetime)
        return (expires - datetime.now(timezone.utc)).total_seconds() / 60

    with server.client() as http:
        assert http.post(path, json={**body, "keep_alive": "1h"}).is_success
        assert stays() == pytest.approx(60, abs=1)
        assert http.post(path, json=body).is_success
        assert stays() < 30
        refused = http.post(path, json={**body, "keep_alive": "soon"})
    assert refused.status_code == 400
    assert refused.json()["error"]["param"] == "keep_alive"


def test_a_header_has_room_for_any_number_of_ignored_fields(
    server: LiveServer,
) -> None:
    odd = {f"{'x' * 100}{number}": 1 for number in range(10_000)}
    with server.client() as http:
        reply = http.post(
            "v1/chat/completions", json=texts("hello", max_tokens=1, **odd)
        )
    assert reply.is_success
    assert reply.headers["X-Ignored-Fields"].endswith(", ...")
