"""Embeddings and reranking with OpenAI's client and over plain HTTP."""

import math
import threading
from collections.abc import Iterator, Sequence

import httpx
import openai
import pytest

from tests.live import LiveServer
from tests.models.wordpiece import tiny

WORDS = [token for token in tiny().tokens if token.isalpha()]
TEXTS = [" ".join(WORDS[at : at + 5]) for at in range(0, 30, 5)]


@pytest.fixture
def client(server: LiveServer) -> Iterator[openai.OpenAI]:
    """The unmodified OpenAI client; Jupyter's token is its key."""
    with openai.OpenAI(
        base_url=f"{server.url}llm/v1", api_key=server.token, max_retries=0
    ) as made:
        yield made


@pytest.fixture
def http(server: LiveServer) -> Iterator[httpx.Client]:
    with server.client() as made:
        yield made


def near(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the cosine of two vectors of length 1."""
    return sum(a * b for a, b in zip(first, second, strict=True))


def test_openais_client_gets_vectors_of_length_one(client: openai.OpenAI) -> None:
    """It asks for base64 by itself; one vector for each text, in order."""
    reply = client.embeddings.create(model="encoder", input=TEXTS)
    assert [item.index for item in reply.data] == list(range(len(TEXTS)))
    assert all(
        math.isclose(near(v.embedding, v.embedding), 1, abs_tol=1e-5)
        for v in reply.data
    )
    assert reply.usage.prompt_tokens == reply.usage.total_tokens > 5 * len(TEXTS)
    (alone,) = client.embeddings.create(model="encoder", input=TEXTS[2]).data
    assert near(alone.embedding, reply.data[2].embedding) > 0.9999
    assert near(alone.embedding, reply.data[3].embedding) < 0.999


def test_vectors_come_as_numbers_where_asked(client: openai.OpenAI) -> None:
    as_base64 = client.embeddings.create(model="encoder", input=TEXTS[0])
    as_numbers = client.embeddings.create(
        model="encoder", input=TEXTS[0], encoding_format="float"
    )
    assert as_numbers.data[0].embedding == as_base64.data[0].embedding


def test_fewer_dimensions_are_the_first_ones_made_long_again(
    client: openai.OpenAI,
) -> None:
    whole = client.embeddings.create(model="encoder", input=TEXTS[0]).data[0].embedding
    cut = client.embeddings.create(model="encoder", input=TEXTS[0], dimensions=8).data[
        0
    ]
    length = math.sqrt(sum(value**2 for value in whole[:8]))
    assert cut.embedding == pytest.approx([v / length for v in whole[:8]], abs=1e-5)


def test_tokens_are_an_input_too(client: openai.OpenAI) -> None:
    tokens = [5, 6, 7, 8]
    one = client.embeddings.create(model="encoder", input=tokens)
    two = client.embeddings.create(model="encoder", input=[tokens, [9, 10]])
    assert len(one.data) == 1
    assert near(one.data[0].embedding, two.data[0].embedding) > 0.9999


def test_a_chat_model_embeds_while_it_chats(
    server: LiveServer, client: openai.OpenAI
) -> None:
    """The stream goes on, and the embedding does not wait for its end."""
    stream = client.chat.completions.create(
        model="babble",
        messages=[{"role": "user", "content": "Hi"}],
        max_tokens=20_000,
        stream=True,
    )
    with stream:
        next(iter(stream))
        vectors = client.embeddings.create(model="babble", input=["one", "two"]).data
        assert len(vectors) == 2
        assert server.model("babble")["slots"]["busy"] == 1
        assert next(iter(stream)).choices


@pytest.mark.parametrize(
    ("model", "fields", "code", "param"),
    [
        ("encoder", {"input": []}, "invalid_request", "input"),
        ("encoder", {"input": [[]]}, "invalid_request", "input"),
        ("encoder", {"input": [1, "a"]}, "invalid_request", "input"),
        ("encoder", {"input": 5}, "invalid_request", "input"),
        ("encoder", {"input": [10**6]}, "invalid_request", "input"),
        ("encoder", {"input": "a", "dimensions": 0}, "invalid_request", "dimensions"),
        ("encoder", {"input": "a", "dimensions": 99}, "invalid_request", "dimensions"),
        ("encoder", {"input": [[5] * 5000]}, "input_too_long", "input"),
        ("ranker", {"input": "a"}, "not_supported", None),
    ],
)
def test_what_cannot_be_embedded_is_refused_in_words(
    http: httpx.Client,
    model: str,
    fields: dict[str, object],
    code: str,
    param: str | None,
) -> None:
    reply = http.post("v1/embeddings", json={"model": model, **fields})
    assert reply.status_code == 400
    error = reply.json()["error"]
    assert (error["code"], error["param"]) == (code, param)
    again = http.post("v1/embeddings", json={"model": "encoder", "input": "a"})
    assert again.is_success


def test_documents_are_ranked(http: httpx.Client) -> None:
    """The best first; each as if it had been asked for alone."""
    body = {"model": "ranker", "query": TEXTS[0], "documents": TEXTS[1:]}
    reply = http.post("v1/rerank", json=body).json()
    results = reply["results"]
    scores = [result["relevance_score"] for result in results]
    assert sorted(result["index"] for result in results) == list(range(len(TEXTS) - 1))
    assert scores == sorted(scores, reverse=True)
    assert "document" not in results[0]
    best = results[0]["index"]
    alone = http.post(
        "v1/rerank", json={**body, "documents": [{"text": TEXTS[1 + best]}]}
    ).json()["results"][0]["relevance_score"]
    assert alone == pytest.approx(scores[0], abs=3e-3)
    top = http.post(
        "v1/rerank", json={**body, "top_n": 2, "return_documents": True}
    ).json()["results"]
    assert [result["index"] for result in top] == [r["index"] for r in results[:2]]
    assert top[0]["document"] == {"text": TEXTS[1 + best]}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"documents": []}, "invalid_request"),
        ({"documents": ["a"], "top_n": 0}, "invalid_request"),
        ({"documents": ["a"], "model": "babble"}, "not_supported"),
        ({"documents": "a"}, "invalid_request"),
    ],
)
def test_what_cannot_be_ranked_is_refused_in_words(
    http: httpx.Client, fields: dict[str, object], code: str
) -> None:
    reply = http.post("v1/rerank", json={"model": "ranker", "query": "a", **fields})
    assert reply.status_code == 400
    assert reply.json()["error"]["code"] == code


def test_a_client_that_goes_away_ends_its_job(
    server: LiveServer, http: httpx.Client
) -> None:
    """Its other inputs are not computed: who comes next does not wait for them."""
    long = [[5 + n % 20 for n in range(1000)]] * 2000
    body = {"model": "encoder", "input": long}

    def give_up() -> None:
        with server.client() as impatient, pytest.raises(httpx.ReadTimeout):
            impatient.post("v1/embeddings", json=body, timeout=0.5)

    giving_up = threading.Thread(target=give_up)
    giving_up.start()
    giving_up.join()
    reply = http.post(
        "v1/embeddings", json={"model": "encoder", "input": "a"}, timeout=5
    )
    assert reply.is_success
    assert server.model("encoder")["requests"] == 0
