"""OpenAI's dialect: what is understood, and what is sent."""

import json
from typing import Any

import msgspec
import pytest

from llm_ext import errors
from llm_ext.core.constraint import (
    AnyJSON,
    Choice,
    Constraint,
    Grammar,
    JSONSchema,
    Regex,
)
from llm_ext.core.events import (
    Accepted,
    Alternative,
    ChoiceEnded,
    Event,
    Failed,
    Finished,
    Loading,
    PromptProgress,
    Ready,
    TextDelta,
    TokenLogprob,
    Usage,
)
from llm_ext.core.sampling import SamplingOptions
from llm_ext.wire import native, progress, sse
from llm_ext.wire.openai import errors as wire_errors
from llm_ext.wire.openai.chat_reply import ChatReply
from llm_ext.wire.openai.chat_request import parse

HI = [{"role": "user", "content": "Hi"}]


def body(**fields: Any) -> bytes:  # noqa: ANN401  # any JSON
    return json.dumps({"model": "m", "messages": HI, **fields}).encode()


def test_the_smallest_call_leaves_sampling_to_the_model() -> None:
    call = parse(body())
    assert call.request.model == "m"
    assert call.request.messages[0].content == "Hi"
    assert call.request.sampling == SamplingOptions()
    assert not call.stream


def test_every_sampling_field_arrives() -> None:
    fields = {
        "temperature": 0,
        "top_p": 0.5,
        "top_k": 3,
        "min_p": 0.1,
        "repeat_penalty": 1.1,
        "frequency_penalty": 0.2,
        "presence_penalty": 0.3,
        "seed": 5,
        "min_tokens": 2,
        "ignore_eos": True,
        "repeat_last_n": 9,
        "dry_multiplier": 0.5,
        "dry_base": 2,
        "dry_allowed_length": 3,
        "dry_penalty_last_n": 4,
        "dry_sequence_breakers": ["\n"],
        "top_n_sigma": 1.5,
        "typical_p": 0.9,
        "xtc_probability": 0.4,
        "xtc_threshold": 0.2,
        "dynatemp_range": 0.3,
        "dynatemp_exponent": 1.2,
        "mirostat": 2,
        "mirostat_tau": 4,
        "mirostat_eta": 0.2,
        "n": 3,
        "min_keep": 2,
        "adaptive_target": 0.3,
        "adaptive_decay": 0.5,
        "post_sampling_probs": True,
        "samplers": ["top_k", "temperature", "adaptive_p"],
    }
    sampling = parse(body(**fields, max_tokens=7, stop="x")).request.sampling
    expected = {
        **fields,
        "dry_sequence_breakers": ("\n",),
        "samplers": ("top_k", "temperature", "adaptive_p"),
    }
    assert {name: getattr(sampling, name) for name in fields} == expected
    assert (sampling.max_tokens, sampling.stop) == (7, ("x",))
    translated = {"max_tokens", "stop", "logit_bias", "logprobs"}
    assert set(fields) | translated == set(SamplingOptions.__struct_fields__)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"5": 2.5, "7": -100}, ((5, 2.5), (7, -100.0))),
        ({"5": False}, ((5, float("-inf")),)),
        ([[5, 1], [7, False]], ((5, 1.0), (7, float("-inf")))),
        ({"Hello": 1.5}, (("Hello", 1.5),)),
        ([["Hello", False]], (("Hello", float("-inf")),)),
        ({}, ()),
    ],
)
def test_biases_come_in_openais_and_llama_servers_shape(
    given: object, expected: object
) -> None:
    assert parse(body(logit_bias=given)).request.sampling.logit_bias == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"response_format": {"type": "text"}}, None),
        ({"response_format": {"type": "json_object"}}, AnyJSON()),
        (
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "x", "strict": True, "schema": {"a": 1}},
                }
            },
            JSONSchema(schema='{"a":1}'),
        ),
        (
            {"response_format": {"type": "json_object", "schema": {"a": 1}}},
            JSONSchema(schema='{"a":1}'),
        ),
        ({"json_schema": {"a": 1}}, JSONSchema(schema='{"a":1}')),
        ({"grammar": 'root ::= "a"'}, Grammar(text='root ::= "a"', syntax="gbnf")),
        ({"structured_outputs": {"json": {"a": 1}}}, JSONSchema(schema='{"a":1}')),
        ({"structured_outputs": {"json": '{"a": 1}'}}, JSONSchema(schema='{"a": 1}')),
        ({"structured_outputs": {"json_object": True}}, AnyJSON()),
        ({"structured_outputs": {"regex": "a+"}}, Regex(pattern="a+")),
        ({"structured_outputs": {"choice": ["a", "b"]}}, Choice(options=("a", "b"))),
        (
            {"structured_outputs": {"grammar": 'start: "a"'}},
            Grammar(text='start: "a"', syntax="lark"),
        ),
        (
            {"structured_outputs": {"grammar": 'root ::= "a"'}},
            Grammar(text='root ::= "a"', syntax="gbnf"),
        ),
    ],
)
def test_a_constraint_comes_in_openais_llama_servers_and_vllms_shape(
    fields: dict[str, Any], expected: Constraint | None
) -> None:
    """And knows which field it is of, for errors."""
    if expected is not None:
        (param,) = fields
        expected = msgspec.structs.replace(expected, param=param)
    assert parse(body(**fields)).request.constraint == expected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, None),
        ({"logprobs": False}, None),
        ({"logprobs": True}, 0),
        ({"logprobs": True, "top_logprobs": 5}, 5),
        ({"n_probs": 3}, 3),
        ({"n_probs": 0}, None),
    ],
)
def test_logprobs_are_a_switch_and_a_number(
    fields: dict[str, Any], expected: int | None
) -> None:
    assert parse(body(**fields)).request.sampling.logprobs == expected


def test_null_is_the_same_as_absent_and_unknown_fields_are_ignored() -> None:
    call = parse(body(temperature=None, stop=None, stream=None, user="me", n=None))
    assert call == parse(body())


@pytest.mark.parametrize(
    ("fields", "most"),
    [
        ({"max_tokens": 1, "max_completion_tokens": 2}, 2),
        ({"n_predict": 3, "max_tokens": 1}, 1),
        ({"n_predict": 3}, 3),
        ({"max_tokens": -1}, None),
        ({"max_completion_tokens": -1, "max_tokens": 1}, None),
    ],
)
def test_a_limit_has_three_names_and_minus_one_is_none(
    fields: dict[str, int], most: int | None
) -> None:
    """OpenAI's new name wins over its old one, and that over llama-server's."""
    assert parse(body(**fields)).request.sampling.max_tokens == most


def test_content_parts_are_joined_and_developer_is_system() -> None:
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    messages = [{"role": "developer", "content": parts}, *HI]
    first = parse(body(messages=messages)).request.messages[0]
    assert (first.role, first.content) == ("system", "ab")


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role"),
        ({"messages": [{"content": "x"}]}, "messages[0]"),
        ({"model": 5}, "model"),
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": -1}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": -2}, "max_tokens"),
        ({"stop": [1]}, "stop[0]"),
        ({"n": 0}, "n"),
        ({"samplers": ["sorcery"]}, "samplers[0]"),
        ({"adaptive_decay": 1}, "adaptive_decay"),
        ({"n": 17}, "n"),
        ({"top_logprobs": 2}, "top_logprobs"),
        ({"logprobs": True, "top_logprobs": 21}, "logprobs"),
        ({"logit_bias": {"5": "much"}}, "logit_bias[...]"),
        ({"mirostat": 3}, "mirostat"),
        ({"min_tokens": -1}, "min_tokens"),
        ({"tools": [{}]}, "tools[0].type"),
        ({"response_format": {"type": "xml"}}, "response_format.type"),
        (
            {"response_format": {"type": "json_schema"}},
            "response_format.json_schema.schema",
        ),
        ({"response_format": {"type": 1}}, "response_format.type"),
        ({"structured_outputs": {"choice": []}}, "structured_outputs.choice"),
        ({"structured_outputs": {"choice": ["a", ""]}}, "structured_outputs.choice"),
        (
            {"structured_outputs": {"regex": "a", "json_object": True}},
            "structured_outputs",
        ),
        ({"structured_outputs": {"json": "{bad"}}, "structured_outputs"),
        ({"structured_outputs": {"json": "[1]"}}, "structured_outputs"),
        ({"structured_outputs": {"json": "[" * 5000}}, "structured_outputs"),
        ({"grammar": "root ::= 'a'", "json_schema": {}}, "grammar"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
            "messages[0].content[0]",
        ),
    ],
)
def test_a_wrong_field_is_refused_by_name(fields: dict[str, Any], param: str) -> None:
    with pytest.raises(errors.InvalidRequestError) as caught:
        parse(body(**fields))
    assert caught.value.param == param


def test_a_missing_field_is_refused_by_name() -> None:
    with pytest.raises(errors.InvalidRequestError) as caught:
        parse(b'{"messages": []}')
    assert caught.value.param == "model"


@pytest.mark.parametrize("data", [b"", b"{", b"\xff"])
def test_what_is_not_json_is_refused(data: bytes) -> None:
    with pytest.raises(errors.InvalidRequestError, match="not JSON"):
        parse(data)


COUNTS = Usage(prompt_tokens=3, completion_tokens=2, cached_tokens=1)
ANSWER: list[Event] = [
    Accepted(prompt_tokens=3),
    TextDelta(text="He"),
    TextDelta(text="y"),
    ChoiceEnded(choice=0, reason="stop"),
    Finished(reason="stop", usage=COUNTS),
]


def streamed(events: list[Event], **options: bool) -> list[str]:
    call = parse(body(stream=True, stream_options=options or None))
    reply = ChatReply(call, reply_id="1", model="m", now=9)
    return [part.decode() for event in events for part in reply.stream(event)]


def chunks(parts: list[str]) -> list[Any]:
    lines = [part.strip() for part in parts if part.startswith("data: {")]
    return [json.loads(line.removeprefix("data: ")) for line in lines]


def test_a_stream_has_role_text_reason_and_an_end() -> None:
    parts = streamed(ANSWER)
    deltas = [chunk["choices"][0] for chunk in chunks(parts)]

    assert [d["delta"] for d in deltas] == [
        {"role": "assistant", "content": None},
        {"content": "He"},
        {"content": "y"},
        {},
    ]
    assert [d["finish_reason"] for d in deltas] == [None, None, None, "stop"]
    assert parts[-1] == "data: [DONE]\n\n"
    assert {(c["id"], c["created"], c["model"]) for c in chunks(parts)} == {
        ("chatcmpl-1", 9, "m")
    }
    assert all("usage" not in chunk for chunk in chunks(parts))


def test_usage_comes_last_where_it_is_asked_for_and_is_null_before() -> None:
    found = chunks(streamed(ANSWER, include_usage=True))
    assert [chunk["usage"] for chunk in found[:-1]] == [None] * 4
    assert found[-1]["choices"] == []
    assert found[-1]["usage"] == {
        "prompt_tokens": 3,
        "completion_tokens": 2,
        "total_tokens": 5,
        "prompt_tokens_details": {"cached_tokens": 1},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }


def test_an_empty_answer_still_has_its_role() -> None:
    end = ChoiceEnded(choice=0, reason="length")
    found = chunks(streamed([end]))
    assert found[0]["choices"][0]["delta"]["role"] == "assistant"
    assert found[-1]["choices"][0]["finish_reason"] == "length"


PROGRESS: list[Event] = [
    Loading(stage="reading", fraction=0.42),
    Ready(),
    Accepted(prompt_tokens=3),
    PromptProgress(done=1, total=3),
]


def test_progress_is_comments_that_every_client_skips() -> None:
    assert streamed(PROGRESS) == [
        ": loading 42% (reading)\n\n",
        ": loaded\n\n",
        ": queued, 3 prompt tokens\n\n",
        ": reading the prompt 1/3\n\n",
    ]


def test_progress_is_events_where_the_client_asks() -> None:
    parts = streamed(PROGRESS, include_progress=True)
    assert all(part.startswith("event: status\ndata: ") for part in parts)
    data = [json.loads(part.split("data: ")[1]) for part in parts]
    assert data == [
        {"status": "loading", "stage": "reading", "fraction": 0.42},
        {"status": "ready"},
        {"status": "queued", "prompt_tokens": 3},
        {"status": "prompt", "done": 1, "total": 3},
    ]


def test_text_is_no_progress() -> None:
    with pytest.raises(ValueError, match="TextDelta"):
        progress.status(TextDelta(text="x"))


def test_a_late_failure_is_an_error_event() -> None:
    (part,) = streamed([Failed(code="worker_died", message="Why.")])
    assert json.loads(part.removeprefix("data: "))["error"] == {
        "message": "Why.",
        "type": "unavailable_error",
        "code": "worker_died",
        "param": None,
    }


def test_a_whole_answer() -> None:
    reply = ChatReply(parse(body()), reply_id="1", model="m", now=9)
    whole = json.loads(reply.whole(ANSWER))
    assert whole["object"] == "chat.completion"
    assert whole["choices"][0]["message"]["content"] == "Hey"
    assert whole["choices"][0]["finish_reason"] == "stop"
    assert whole["usage"]["total_tokens"] == 5


TWO: list[Event] = [
    TextDelta(text="a", choice=1),
    TextDelta(text="b", choice=0),
    ChoiceEnded(choice=1, reason="stop"),
    TextDelta(text="c", choice=0),
    ChoiceEnded(choice=0, reason="length"),
    Finished(reason="length", usage=COUNTS),
]


def test_several_answers_are_told_apart_in_a_stream() -> None:
    found = [chunk["choices"][0] for chunk in chunks(streamed(TWO))]
    assert [(c["index"], c["delta"], c["finish_reason"]) for c in found] == [
        (1, {"role": "assistant", "content": None}, None),
        (1, {"content": "a"}, None),
        (0, {"role": "assistant", "content": None}, None),
        (0, {"content": "b"}, None),
        (1, {}, "stop"),
        (0, {"content": "c"}, None),
        (0, {}, "length"),
    ]


def test_several_answers_come_in_their_order() -> None:
    reply = ChatReply(parse(body(n=2)), reply_id="1", model="m", now=9)
    found = json.loads(reply.whole(TWO))["choices"]
    assert [
        (c["index"], c["message"]["content"], c["finish_reason"]) for c in found
    ] == [(0, "bc", "length"), (1, "a", "stop")]


def test_log_probabilities_carry_the_bytes_of_split_characters() -> None:
    half = TokenLogprob(b"\xc3", -0.5, (Alternative(b"\xc3", -0.5),))
    rest = TokenLogprob(b"\xa4", -0.25)
    events: list[Event] = [
        TextDelta(text="ä", logprobs=(half, rest)),
        ChoiceEnded(choice=0, reason="stop"),
        Finished(reason="stop", usage=COUNTS),
    ]
    call = parse(body(logprobs=True, top_logprobs=1))
    whole = json.loads(ChatReply(call, reply_id="1", model="m", now=9).whole(events))
    told = whole["choices"][0]["logprobs"]
    assert told["content"] == [
        {
            "token": "\ufffd",
            "logprob": -0.5,
            "bytes": [0xC3],
            "top_logprobs": [{"token": "\ufffd", "logprob": -0.5, "bytes": [0xC3]}],
        },
        {"token": "\ufffd", "logprob": -0.25, "bytes": [0xA4], "top_logprobs": []},
    ]
    reply = ChatReply(call, reply_id="1", model="m", now=9)
    parts = [part.decode() for event in events for part in reply.stream(event)]
    assert chunks(parts)[1]["choices"][0]["logprobs"] == told


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.InvalidRequestError("x"), 400),
        (errors.ContextLengthError(prompt_tokens=2, context_length=1), 400),
        (errors.ChatTemplateError("x"), 400),
        (errors.ModelNotFoundError("x"), 404),
        (errors.ModelBusyError("x", requests=1), 409),
        (errors.ModelNotLoadedError("x"), 409),
        (errors.DownloadElsewhereError(), 409),
        (errors.ModelUnreadableError("x"), 422),
        (errors.ModelLoadError("x"), 500),
        (errors.QueueFullError("x", waiting=1), 429),
        (errors.WorkerDiedError("x"), 503),
        (errors.LLMError("x"), 500),
    ],
)
def test_every_error_has_one_status_and_says_whether_a_retry_helps(
    error: errors.LLMError, status: int
) -> None:
    assert wire_errors.status(error) == status
    headers = wire_errors.headers(error)
    assert ("Retry-After" in headers) == error.retry
    assert (headers.get("x-should-retry") == "false") == (not error.retry)


def test_server_sent_events() -> None:
    assert sse.event("x", name="n") == b"event: n\ndata: x\n\n"
    assert sse.comment("a\nb") == b": a b\n\n"


def test_unload_takes_an_empty_body_and_refuses_nonsense() -> None:
    assert native.parse(b"", native.UnloadCall).force is False
    assert native.parse(b'{"force": true}', native.UnloadCall).force is True
    for wrong in (b'{"forse": true}', b'{"force": 1}', b"["):
        with pytest.raises(errors.InvalidRequestError):
            native.parse(wrong, native.UnloadCall)
