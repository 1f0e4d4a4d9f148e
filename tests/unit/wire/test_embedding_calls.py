"""Embeddings and rankings: what clients send, and what they get."""

import base64
import json
import struct

import pytest

from llm_ext.core.events import Finished, Scores, Usage, Vectors
from llm_ext.errors import InvalidRequestError
from llm_ext.wire.openai import embeddings, rerank

END = Finished(reason="stop", usage=Usage(prompt_tokens=7, completion_tokens=0))


def body(**fields: object) -> bytes:
    return json.dumps({"model": "m", **fields}).encode()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("a", ("a",)),
        (["a", "b"], ("a", "b")),
        ([1, 2], ((1, 2),)),
        ([[1, 2], [3]], ((1, 2), (3,))),
        (["a", [3]], ("a", (3,))),
    ],
)
def test_an_input_comes_in_openais_four_shapes(given: object, expected: object) -> None:
    assert embeddings.parse(body(input=given)).request.inputs == expected


@pytest.mark.parametrize(
    "given", [[], [1, "a"], [1, [2]], None, {}, 5, ["a"] * 2049, [None]]
)
def test_another_input_is_refused_by_name(given: object) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        embeddings.parse(body(input=given))
    assert (caught.value.param or "").startswith("input")


def test_vectors_are_written_as_asked() -> None:
    vectors = Vectors(vectors=(struct.pack("<2f", 0.5, -1.0),))
    for asked, expected in (
        (None, [0.5, -1.0]),
        ("float", [0.5, -1.0]),
        ("base64", base64.b64encode(struct.pack("<2f", 0.5, -1.0)).decode()),
    ):
        call = embeddings.parse(body(input="a", encoding_format=asked))
        reply = json.loads(embeddings.reply(call, vectors, END, model="m"))
        assert reply == {
            "object": "list",
            "data": [{"object": "embedding", "index": 0, "embedding": expected}],
            "model": "m",
            "usage": {"prompt_tokens": 7, "total_tokens": 7},
        }


def test_documents_are_texts_or_objects_and_come_back_in_order() -> None:
    documents = ["a", {"text": "b"}, "c"]
    call = rerank.parse(
        body(query="q", documents=documents, top_n=2, return_documents=True)
    )
    assert call.request.documents == ("a", "b", "c")
    scores = Scores(scores=(0.5, 2.0, 0.5))
    assert json.loads(rerank.reply(call, scores, END, model="m")) == {
        "object": "list",
        "model": "m",
        "results": [
            {"index": 1, "relevance_score": 2.0, "document": {"text": "b"}},
            {"index": 0, "relevance_score": 0.5, "document": {"text": "a"}},
        ],
        "usage": {"prompt_tokens": 7, "total_tokens": 7},
    }
