"""What other servers send, read as events."""

import base64
import json
import struct
from typing import Any

import pytest

from llm_ext.core.events import (
    ChoiceEnded,
    ReasoningDelta,
    TextDelta,
    ToolCallBroken,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
)
from llm_ext.core.messages import ChatMessage
from llm_ext.core.requests import (
    ChatRequest,
    CompletionRequest,
    EmbedRequest,
    RankRequest,
)
from llm_ext.core.sampling import SamplingOptions
from llm_ext.providers import remote_progress
from llm_ext.providers.incoming import Incoming, WrongAnswerError, scores, vectors
from llm_ext.providers.model_list import model_list
from llm_ext.providers.sse_reader import MAX_LINE, SSEReader


def incoming(n: int | None = None) -> Incoming:
    return Incoming(
        ChatRequest(
            model="m",
            messages=(ChatMessage(role="user", content="Hi"),),
            sampling=SamplingOptions(n=n),
        )
    )


def delta(index: int = 0, **fields: Any) -> dict[str, Any]:  # noqa: ANN401  # JSON
    return {"choices": [{"index": index, "delta": fields}]}


def ends(reason: str, index: int = 0) -> dict[str, Any]:
    return {"choices": [{"index": index, "delta": {}, "finish_reason": reason}]}


def call(index: int = 0, **fields: Any) -> dict[str, Any]:  # noqa: ANN401  # JSON
    given = {"index": index, **fields}
    return delta(tool_calls=[given])


def test_text_and_thoughts_are_told_apart() -> None:
    """By either of the names that servers have for thoughts."""
    reader = incoming()
    assert reader.read(delta(role="assistant", content=None)) == []
    assert reader.read(delta(reasoning_content="hm")) == [ReasoningDelta(text="hm")]
    assert reader.read(delta(reasoning="so")) == [ReasoningDelta(text="so")]
    assert reader.read(delta(content="Hi")) == [TextDelta(text="Hi")]
    assert reader.read(ends("length")) == [ChoiceEnded(choice=0, reason="length")]
    end = reader.finished()
    assert (end.reason, end.usage.completion_tokens) == ("length", 3)


def test_a_content_of_parts_is_read_part_by_part() -> None:
    """Thoughts are a text or parts themselves; anything else is no answer."""
    reader = incoming()
    thinks = {"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}
    says = {"type": "text", "text": "Hi"}
    assert reader.read(delta(content=[thinks, says])) == [
        ReasoningDelta(text="hm"),
        TextDelta(text="Hi"),
    ]
    thinks = {"type": "thinking", "thinking": "so"}
    assert reader.read(delta(content=[thinks])) == [ReasoningDelta(text="so")]
    assert reader.read(delta(content=[])) == []
    for wrong in ([{"type": "image_url"}], ["Hi"], {"text": "Hi"}, 5):
        with pytest.raises(WrongAnswerError):
            reader.read(delta(content=wrong))


def test_a_completion_is_nothing_but_text() -> None:
    """Whatever else a server tells has no place in its answer."""
    reader = Incoming(
        CompletionRequest(model="m", prompts=("Hi",), sampling=SamplingOptions())
    )
    told: dict[str, Any] = {
        "reasoning": "hm",
        "content": "Hi",
        "tool_calls": [{"function": {}}],
    }
    assert reader.read(delta(**told)) == [TextDelta(text="Hi")]
    assert reader.read(ends("tool_calls")) == [ChoiceEnded(choice=0, reason="stop")]


def test_counts_are_the_servers_where_it_tells_them() -> None:
    reader = incoming()
    reader.read(delta(content="Hi"))
    reader.read(ends("stop"))
    details = {"cached_tokens": 4}
    counts = {"prompt_tokens": 9, "completion_tokens": 5}
    reader.read({"choices": [], "usage": {**counts, "prompt_tokens_details": details}})
    usage = reader.finished().usage
    assert (usage.prompt_tokens, usage.completion_tokens) == (9, 5)
    assert usage.cached_tokens == 4


@pytest.mark.parametrize("usage", [[1], {"prompt_tokens_details": [1]}, "many"])
def test_counts_in_another_shape_are_none(usage: object) -> None:
    """An answer is worth more than its counts."""
    reader = incoming()
    reader.read({**delta(content="Hi"), "usage": usage})
    assert reader.usage == Usage(prompt_tokens=0, completion_tokens=0)
    request = EmbedRequest(model="m", inputs=("a",))
    _, counts = vectors(request, {"data": [{"embedding": [1]}], "usage": usage})
    assert counts == reader.usage


def test_a_call_comes_in_parts() -> None:
    reader = incoming()
    begun = reader.read(call(id="a", function={"name": "f", "arguments": ""}))
    assert begun == [ToolCallStarted(index=0, id="a", name="f")]
    more = reader.read(call(function={"arguments": '{"x":'}))
    more += reader.read(call(id="a", function={"arguments": "1}"}))
    assert [e.arguments for e in more if isinstance(e, ToolCallDelta)] == [
        '{"x":',
        "1}",
    ]
    assert reader.read(ends("stop")) == [ChoiceEnded(choice=0, reason="tool_calls")]


def test_whole_calls_without_ids_or_indices_of_their_own() -> None:
    """Some servers send each call whole, all as number 0; some with an object."""
    reader = incoming()
    told = reader.read(call(id="a", function={"name": "f", "arguments": "{}"}))
    told += reader.read(call(id="b", function={"name": "g", "arguments": {"x": 1}}))
    told += reader.read(call(1, function={"name": "h"}))
    told += reader.read(ends("tool_calls"))
    started = [event for event in told if isinstance(event, ToolCallStarted)]
    assert [(event.index, event.name) for event in started] == [
        (0, "f"),
        (1, "g"),
        (2, "h"),
    ]
    assert started[2].id
    assert [e.arguments for e in told if isinstance(e, ToolCallDelta)] == [
        "{}",
        '{"x":1}',
        "{}",
    ]


@pytest.mark.parametrize("arguments", ['{"x": ', "[1]", "oops"])
def test_a_call_that_is_no_json_is_text(arguments: str) -> None:
    reader = incoming()
    reader.read(call(id="a", function={"name": "f", "arguments": arguments}))
    assert reader.read(ends("stop")) == [
        ToolCallBroken(index=0),
        TextDelta(text=arguments),
        ChoiceEnded(choice=0, reason="stop"),
    ]


def test_an_answer_is_complete_when_all_of_it_is() -> None:
    reader = incoming(n=2)
    reader.read(delta(1, content="b"))
    reader.read(ends("stop", 1))
    with pytest.raises(WrongAnswerError, match="breaks off"):
        reader.finished()
    reader.read(ends("length", 0))
    assert reader.finished().reason == "length"
    assert reader.read(ends("stop", 0)) == []


@pytest.mark.parametrize(
    "chunk",
    [
        {"choices": ["x"]},
        {"choices": 5},
        call(function={}),
        {"choices": [{"index": "one"}]},
        {"choices": [{"delta": {"content": "a"}, "logprobs": {"content": [{}]}}]},
    ],
)
def test_nonsense_is_no_answer(chunk: dict[str, Any]) -> None:
    with pytest.raises(WrongAnswerError):
        incoming().read(chunk)


def test_log_probabilities_are_read_in_both_shapes() -> None:
    item = {"token": "é", "logprob": -0.5, "bytes": [195, 169], "top_logprobs": []}
    choice = {"delta": {"content": "é"}, "logprobs": {"content": [item]}}
    (event,) = incoming().read({"choices": [choice]})
    assert isinstance(event, TextDelta)
    assert [(t.piece, t.logprob) for t in event.logprobs] == [("é".encode(), -0.5)]
    legacy = {"tokens": ["a"], "token_logprobs": [-1], "top_logprobs": [{"b": -2}]}
    (event,) = incoming().read({"choices": [{"text": "a", "logprobs": legacy}]})
    assert isinstance(event, TextDelta)
    assert event.logprobs[0].top[0].piece == b"b"


def test_vectors_have_length_one_whatever_was_sent() -> None:
    packed = base64.b64encode(struct.pack("<2f", 0, 2)).decode()
    body = {
        "data": [{"index": 1, "embedding": packed}, {"index": 0, "embedding": [3, 4]}],
        "usage": {"total_tokens": 7},
    }
    told, usage = vectors(EmbedRequest(model="m", inputs=("a", "b")), body)
    assert [struct.unpack("<2f", v) for v in told.vectors] == [
        pytest.approx((0.6, 0.8)),
        (0.0, 1.0),
    ]
    assert usage.prompt_tokens == 7
    with pytest.raises(WrongAnswerError):
        vectors(EmbedRequest(model="m", inputs=("a", "b", "c")), body)


def test_scores_are_put_in_order() -> None:
    body = {
        "results": [
            {"index": 1, "relevance_score": 2},
            {"index": 0, "relevance_score": 1.5},
        ]
    }
    request = RankRequest(model="m", query="q", documents=("a", "b"))
    assert scores(request, body)[0].scores == (1.5, 2.0)
    with pytest.raises(WrongAnswerError):
        scores(request, {"results": []})


def test_events_are_put_together_wherever_they_are_cut() -> None:
    """Also byte by byte; what only Python takes for a line's end is none."""
    text = ': hi\r\n\r\ndata: {"a": "x\u2028y"}\n\nevent: e\ndata:b\ndata: c\n\ndata: z'
    reader = SSEReader()
    found = [e for byte in text.encode() for e in reader.feed(bytes([byte]))]
    found += reader.end()
    assert [(event.comment, event.data.decode()) for event in found] == [
        (True, "hi"),
        (False, '{"a": "x\u2028y"}'),
        (False, "b\nc"),
        (False, "z"),
    ]


def test_a_line_without_end_is_given_up() -> None:
    reader = SSEReader()
    with pytest.raises(ValueError, match="bytes"):
        reader.feed(b"x" * (MAX_LINE + 1))


@pytest.mark.parametrize(
    ("comment", "expected"),
    [
        ("loading 42% (reading)", "Loading"),
        ("waiting for memory", "Loading"),
        ("loaded", "Ready"),
        ("reading the prompt 3/7", "PromptProgress"),
        ("queued behind 2", "Queued"),
        ("loading 42% (dreaming)", "NoneType"),
        ("ping", "NoneType"),
    ],
)
def test_progress_there_is_progress_here(comment: str, expected: str) -> None:
    assert type(remote_progress.event(comment)).__name__ == expected


def test_lists_of_models_are_taken_as_they_come() -> None:
    body = {
        "data": [
            {"id": "b", "created": 5, "max_model_len": 4096},
            {"id": "a", "created": "soon", "meta": {"context_length": 8}},
            {"id": ""},
            {"id": "tab\tbed"},
            {"name": "nameless"},
            "x",
        ]
    }
    found = model_list("lab", (), body)
    assert [(m.id, m.context_length) for m in found.values()] == [
        ("lab/a", 8),
        ("lab/b", 4096),
    ]
    assert list(model_list("lab", ["b", "c"], body)) == ["b", "c"]
    for wrong in ({}, {"data": "x"}, json.loads('{"data": null}')):
        with pytest.raises(WrongAnswerError):
            model_list("lab", (), wrong)
