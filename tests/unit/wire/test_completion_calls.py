"""``v1/completions``: what clients send, and what they get."""

import json
from typing import Any

import pytest

from llm_ext.core.constraint import Choice
from llm_ext.core.events import (
    Accepted,
    Alternative,
    ChoiceEnded,
    Event,
    Failed,
    Finished,
    TextDelta,
    TokenLogprob,
    Usage,
)
from llm_ext.errors import EngineError, InvalidRequestError
from llm_ext.wire.openai.completion_reply import CompletionReply
from llm_ext.wire.openai.completions import MAX_PROMPTS, parse
from llm_ext.wire.openai.legacy_logprobs import LogprobWriter

END = Finished(reason="stop", usage=Usage(prompt_tokens=3, completion_tokens=2))


def body(**fields: object) -> bytes:
    return json.dumps({"model": "m", "prompt": "a", **fields}).encode()


def told(piece: bytes, *top: tuple[bytes, float]) -> TokenLogprob:
    alternatives = tuple(Alternative(other, value) for other, value in top)
    return TokenLogprob(piece, -0.5, alternatives)


def reply(**fields: object) -> CompletionReply:
    return CompletionReply(parse(body(**fields)), reply_id="1", model="m", now=5)


def test_a_call_is_read() -> None:
    call = parse(
        body(
            prompt=[[1, 2], [3]],
            echo=True,
            n=2,
            max_tokens=5,
            stop="x",
            seed=1,
            best_of=2,
            stream=True,
            stream_options={"include_usage": True},
            structured_outputs={"choice": ["a"]},
            unheard_of=1,
        )
    )
    request = call.request
    assert (call.stream, call.include_usage) == (True, True)
    assert request.prompts == ((1, 2), (3,))
    assert (request.echo, request.suffix) == (True, None)
    assert request.constraint == Choice(options=("a",), param="structured_outputs")
    sampling = request.sampling
    assert (sampling.n, sampling.max_tokens, sampling.stop) == (2, 5, ("x",))
    assert parse(body(suffix="b")).request.suffix == "b"
    assert parse(body(suffix="")).request.suffix is None


@pytest.mark.parametrize(("given", "asked"), [(None, None), (0, 0), (5, 5)])
def test_log_probabilities_are_a_number(given: int | None, asked: int | None) -> None:
    """Of alternatives; 0 tells the drawn token's own alone."""
    assert parse(body(logprobs=given)).request.sampling.logprobs == asked


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"prompt": []}, "prompt"),
        ({"prompt": ["a"] * (MAX_PROMPTS + 1)}, "prompt"),
        ({"prompt": [1, "a"]}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"best_of": 2}, "best_of"),
        ({"echo": True, "logprobs": 0}, "logprobs"),
        ({"echo": True, "suffix": "b"}, "echo"),
        ({"logprobs": True}, "logprobs"),
        ({"logprobs": 21}, "logprobs"),
        ({"temperature": "hot"}, "temperature"),
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse(body(**fields))
    assert caught.value.param == param


def test_offsets_go_on_from_delta_to_delta() -> None:
    """Also past text of tokens that a grammar forced, which are not told."""
    writer = LogprobWriter(alternatives=False)
    first = writer.write([TextDelta(text="ab", logprobs=(told(b"a"), told(b"b")))])
    second = writer.write([TextDelta(text="{ä", logprobs=(told("ä".encode()),))])
    third = writer.write([TextDelta(text="c", logprobs=(told(b"c"),))])
    assert [first.text_offset, second.text_offset, third.text_offset] == [
        [0, 1],
        [3],
        [4],
    ]
    assert first.top_logprobs is None
    assert second.tokens == ["ä"]


def test_a_part_of_a_character_is_told_as_bytes() -> None:
    """Two parts would otherwise look the same, and share a key."""
    writer = LogprobWriter(alternatives=True)
    pieces = told(b"\xc3", (b"\xc3", -0.5), (b"\xe2", -1.0), (b"x", -2.0))
    written = writer.write([TextDelta(text="ä", logprobs=(pieces, told(b"\xa4")))])
    assert written.tokens == ["bytes:\\xc3", "bytes:\\xa4"]
    assert written.top_logprobs == [
        {"bytes:\\xc3": -0.5, "bytes:\\xe2": -1.0, "x": -2.0},
        {},
    ]
    assert len(written.text_offset) == 2


def test_choices_are_put_in_order() -> None:
    events: list[Event] = [
        Accepted(prompt_tokens=3),
        TextDelta(text="two", choice=1),
        ChoiceEnded(choice=1, reason="length"),
        TextDelta(text="one", choice=0),
        ChoiceEnded(choice=0, reason="stop"),
        END,
    ]
    whole = json.loads(reply(n=2).whole(events))
    assert [choice["text"] for choice in whole["choices"]] == ["one", "two"]
    assert [choice["finish_reason"] for choice in whole["choices"]] == [
        "stop",
        "length",
    ]
    assert (whole["id"], whole["created"]) == ("cmpl-1", 5)
    assert whole["usage"]["total_tokens"] == 5


@pytest.mark.parametrize("counted", [False, True])
def test_a_stream_has_these_events(*, counted: bool) -> None:
    """Counts are null before the last event where they are asked for, else absent."""
    writer = reply(stream_options={"include_usage": counted})
    events: list[Event] = [
        Accepted(prompt_tokens=3),
        TextDelta(text="a"),
        ChoiceEnded(choice=0, reason="stop"),
        END,
    ]
    sent = b"".join(part for event in events for part in writer.stream(event)).decode()
    lines = [line for line in sent.splitlines() if line]
    assert lines[0] == ": queued, 3 prompt tokens"
    assert lines[-1] == "data: [DONE]"
    parts = [json.loads(line.removeprefix("data: ")) for line in lines[1:-1]]
    assert [[c["text"] for c in part["choices"]] for part in parts] == (
        [["a"], [""], []] if counted else [["a"], [""]]
    )
    usages = [part.get("usage", "absent") for part in parts]
    if counted:
        assert usages[:-1] == [None, None]
        assert usages[-1]["prompt_tokens"] == 3
    else:
        assert usages == ["absent", "absent"]


def test_progress_is_events_where_the_client_asks() -> None:
    told = reply(stream_options={"include_progress": True})
    (sent,) = told.stream(Accepted(prompt_tokens=3))
    assert sent == b'event: status\ndata: {"status":"queued","prompt_tokens":3}\n\n'


@pytest.mark.parametrize(
    ("fields", "most"),
    [
        ({"n_predict": 5}, 5),
        ({"max_tokens": 4, "n_predict": 5}, 4),
        ({"max_tokens": -1}, None),
        ({"n_predict": -1}, None),
    ],
)
def test_a_limit_has_llama_servers_name_too_and_may_be_none(
    fields: dict[str, int], most: int | None
) -> None:
    assert parse(body(**fields)).request.sampling.max_tokens == most


def test_an_error_in_a_stream_is_openais() -> None:
    (sent,) = reply().stream(Failed.of(EngineError("It failed.")))
    error = json.loads(sent.decode().removeprefix("data: "))["error"]
    assert (error["code"], error["message"]) == ("engine_error", "It failed.")
