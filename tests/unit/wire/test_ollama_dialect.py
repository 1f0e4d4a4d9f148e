"""Ollama's dialect: what its clients send, and every sequence of what they get."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from llm_ext.core.constraint import AnyJSON, JSONSchema
from llm_ext.core.device import MemoryEstimate, MemoryUse
from llm_ext.core.download_status import DownloadState, DownloadStatus
from llm_ext.core.events import (
    Accepted,
    Alternative,
    ChoiceEnded,
    Event,
    Failed,
    Finished,
    FinishReason,
    Loading,
    PromptProgress,
    Queued,
    Ready,
    ReasoningDelta,
    TextDelta,
    Timings,
    TokenLogprob,
    ToolCallBroken,
    ToolCallDelta,
    ToolCallStarted,
    Usage,
)
from llm_ext.core.model_status import ModelStatus, Problem
from llm_ext.core.requests import ChatRequest, CompletionRequest
from llm_ext.errors import (
    HubUnreachableError,
    InsufficientMemoryError,
    InvalidRequestError,
    LLMError,
    ModelNotFoundError,
    NotSupportedError,
    QueueFullError,
    RateLimitedError,
    WorkerDiedError,
)
from llm_ext.pool.timing import Timing
from llm_ext.wire import ndjson
from llm_ext.wire.ollama import (
    chat_request,
    embed,
    errors,
    generate_request,
    models,
    names,
    pull,
    show,
)
from llm_ext.wire.ollama.call import Call
from llm_ext.wire.ollama.context import Turn, decode, encode
from llm_ext.wire.ollama.reply import Reply

GOLDEN = Path(__file__).parents[2] / "golden" / "ollama"
NOW = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=timezone.utc)
USAGE = Usage(prompt_tokens=7, completion_tokens=3)
HI = [{"role": "user", "content": "Hi"}]


def body(**fields: object) -> bytes:
    return json.dumps({"model": "m", **fields}).encode()


def chat(**fields: object) -> ChatRequest:
    request = chat_request.parse(body(messages=HI, **fields)).request
    assert isinstance(request, ChatRequest)
    return request


# What clients send.


def test_the_thinnest_calls_are_streamed() -> None:
    """A body without messages, or without a prompt, is there to load a model."""
    call = chat_request.parse(body(messages=HI))
    assert (call.model, call.stream, call.keep_alive) == ("m", True, None)
    assert chat_request.parse(body()).request is None
    assert chat_request.parse(body(messages=[])).request is None
    assert generate_request.parse(body()).request is None
    assert generate_request.parse(body(prompt="")).request is None
    assert generate_request.parse(body(prompt="a")).request is not None


@pytest.mark.parametrize(
    ("given", "seconds"),
    [(0, 0), (90, 90), ("5m", 300), ("1h30m", 5400), (-1, -1), ("-1s", -1)],
)
def test_keep_alive_has_all_its_forms(given: object, seconds: float) -> None:
    assert chat_request.parse(body(keep_alive=given)).keep_alive == seconds


def test_options_are_translated() -> None:
    """Ollama's numbers below 0 mean all, any or the whole."""
    sampling = chat(
        options={
            "num_predict": 5,
            "seed": 1,
            "stop": ["a", "b"],
            "top_k": 3,
            "temperature": 0.5,
            "repeat_last_n": 9,
            "mirostat": 2,
            "unheard_of": {},
        }
    ).sampling
    assert (sampling.max_tokens, sampling.seed, sampling.stop) == (5, 1, ("a", "b"))
    assert (sampling.top_k, sampling.temperature) == (3, 0.5)
    assert (sampling.repeat_last_n, sampling.mirostat) == (9, 2)
    free = chat(
        options={"num_predict": -2, "seed": -1, "top_k": -1, "repeat_last_n": -1}
    ).sampling
    assert (free.max_tokens, free.seed, free.top_k) == (None, None, 0)
    assert (free.repeat_last_n or 0) > 1000


def test_what_a_load_needs_is_told_apart() -> None:
    options = {"num_ctx": 4096, "num_gpu": -1, "num_thread": 2, "use_mmap": False}
    call = chat_request.parse(body(options={**options, "temperature": 1}))
    assert call.load == {
        "context_length": 4096,
        "gpu_layers": "auto",
        "threads": 2,
        "mmap": False,
    }
    assert chat_request.parse(body(options={"temperature": 1})).load == {}
    best = {"num_ctx": -1, "num_gpu": -2, "num_thread": -1}
    automatic = {"context_length": 0, "gpu_layers": "auto", "threads": 0}
    assert chat_request.parse(body(options=best)).load == automatic
    assert embed.parse(body(input="a", options={"num_ctx": 64})).load == {
        "context_length": 64
    }


def test_a_whole_number_may_have_a_point() -> None:
    """As JavaScript's and R's clients write it."""
    given = {"num_predict": 5.0, "seed": 1.0, "top_k": 3.0, "num_ctx": 4096.0}
    call = chat_request.parse(body(messages=HI, options=given))
    assert call.request is not None
    sampling = call.request.sampling
    assert (sampling.max_tokens, sampling.seed, sampling.top_k) == (5, 1, 3)
    assert call.load == {"context_length": 4096}
    assert {type(n) for n in (sampling.max_tokens, sampling.seed)} == {int}


def test_a_format_is_a_constraint() -> None:
    assert chat(format="").constraint is None
    assert chat(format="json").constraint == AnyJSON(param="format")
    wanted = chat(format={"type": "integer"}).constraint
    assert wanted == JSONSchema(schema='{"type":"integer"}', param="format")


@pytest.mark.parametrize(
    ("think", "told"),
    [
        (None, {}),
        (True, {"enable_thinking": True}),
        (False, {"enable_thinking": False}),
        ("high", {"enable_thinking": True, "reasoning_effort": "high"}),
    ],
)
def test_the_template_is_told_of_thinking(think: object, told: dict[str, Any]) -> None:
    assert chat(think=think).template_options == told
    assert chat_request.parse(body(messages=HI, think=think)).thinks == bool(think)


def test_results_find_their_calls_without_ids() -> None:
    """By the tool's name, else in order; ids that are given stay."""

    def call(name: str, **fields: str) -> dict[str, Any]:
        return {**fields, "function": {"name": name, "arguments": {"a": 1}}}

    messages = [
        {"role": "user", "content": "Hi"},
        {
            "role": "assistant",
            "thinking": "Hm.",
            "tool_calls": [call("x"), call("y"), call("z", id="mine")],
        },
        {"role": "tool", "content": "of y", "tool_name": "y"},
        {"role": "tool", "content": "of z", "tool_call_id": "mine"},
        {"role": "tool", "content": "of x"},
        {"role": "tool", "content": "of nothing"},
    ]
    request = chat_request.parse(body(messages=messages)).request
    assert isinstance(request, ChatRequest)
    turns = request.messages
    assert [made.id for made in turns[1].tool_calls] == ["call_1", "call_2", "mine"]
    assert turns[1].tool_calls[0].arguments == '{"a":1}'
    assert turns[1].reasoning == "Hm."
    ids = [turn.tool_call_id for turn in turns[2:]]
    assert ids == ["call_2", "mine", "call_1", None]


def test_a_prompt_is_a_chat_a_raw_text_or_a_gap() -> None:
    plain = generate_request.parse(body(prompt="a", system="s"))
    assert isinstance(plain.request, ChatRequest)
    assert [turn.role for turn in plain.request.messages] == ["system", "user"]
    raw = generate_request.parse(body(prompt="a", raw=True)).request
    assert isinstance(raw, CompletionRequest)
    assert (raw.prompts, raw.suffix) == (("a",), None)
    gap = generate_request.parse(body(prompt="a", suffix="b")).request
    assert isinstance(gap, CompletionRequest)
    assert gap.suffix == "b"


def test_a_context_brings_the_conversation_back() -> None:
    """A new system prompt takes the old one's place."""
    turns = (Turn("system", "s"), Turn("user", "ä"), Turn("assistant", "b"))
    context = encode(turns)
    assert all(0 <= number < 256 for number in context)
    assert decode(context) == turns
    call = generate_request.parse(body(prompt="c", context=context, system="t"))
    assert call.turns == (Turn("system", "t"), *turns[1:], Turn("user", "c"))
    for foreign in ([1, 2], [70_000], [-1], encode(turns)[:-3]):
        with pytest.raises(InvalidRequestError) as caught:
            decode(foreign)
        assert caught.value.param == "context"


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": [{"role": "x"}]}, "messages[0].role"),
        ({"messages": [{**HI[0], "images": ["a"]}]}, "messages[0].images"),
        ({"messages": HI, "format": "yaml"}, "format"),
        ({"messages": HI, "think": "much"}, "think"),
        ({"keep_alive": "x"}, "keep_alive"),
        ({"options": {"top_p": 2}, "messages": HI}, "top_p"),
        ({"options": {"seed": "x"}}, "options.seed"),
        ({"options": {"num_ctx": 0.5}}, "options.num_ctx"),
        ({"options": {"seed": 0.5}, "messages": HI}, "options.seed"),
        ({"messages": 5}, "messages"),
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, Any], param: str) -> None:
    with pytest.raises((InvalidRequestError, NotSupportedError)) as caught:
        chat_request.parse(body(**fields))
    assert caught.value.param == param


def test_a_call_names_its_model_in_one_of_two_fields() -> None:
    assert show.parse(body()).wanted == "m"
    assert show.parse(b'{"name": "old"}').wanted == "old"
    for nameless in (show.parse(b"{}"), pull.parse(b"{}")):
        with pytest.raises(InvalidRequestError) as caught:
            _ = nameless.wanted
        assert caught.value.param == "model"


def test_developers_speak_for_the_system() -> None:
    told = chat_request.parse(body(messages=[{**HI[0], "role": "developer"}]))
    assert isinstance(told.request, ChatRequest)
    assert told.request.messages[0].role == "system"


def test_only_the_tag_that_clients_append_is_taken_off() -> None:
    assert names.without_latest("a:latest") == "a"
    assert names.without_latest("a:8b") is None
    assert names.without_latest(":latest") is None


# What they get.


def ended(reason: FinishReason = "stop") -> list[Event]:
    timings = Timings(prompt=0.25, answer=0.5)
    return [
        ChoiceEnded(choice=0, reason=reason),
        Finished(reason=reason, usage=USAGE, timings=timings),
    ]


BEGUN: list[Event] = [
    Loading(stage="reading", fraction=0.5),
    Ready(),
    Accepted(prompt_tokens=7),
    Queued(position=1),
    PromptProgress(done=3, total=7),
]
TOKEN = TokenLogprob(
    b"Hel", -0.5, (Alternative(b"Hel", -0.5), Alternative(b"\xe2", -2))
)
TURNS = (Turn("user", "Hi"),)
CALLS: list[Event] = [
    TextDelta(text="Well. "),
    ToolCallStarted(index=0, id="call_a", name="weather"),
    ToolCallDelta(index=0, arguments='{"city":'),
    ToolCallDelta(index=0, arguments='"Paris"}'),
    ToolCallStarted(index=1, id="call_b", name="broken"),
    ToolCallDelta(index=1, arguments='{"a'),
    ToolCallBroken(index=1),
    TextDelta(text="<call>a"),
    ToolCallStarted(index=1, id="call_c", name="time"),
    ToolCallDelta(index=1, arguments="{}"),
]
SEQUENCES: dict[str, tuple[bool, list[Event]]] = {
    "chat": (True, [*BEGUN, TextDelta(text="Hel"), TextDelta(text="lo"), *ended()]),
    "chat_length": (True, [TextDelta(text="Hel"), *ended("length")]),
    "chat_empty": (True, ended()),
    "chat_thinking": (
        True,
        [ReasoningDelta(text="Hm"), TextDelta(text="Hello"), *ended()],
    ),
    "chat_tools": (True, [*CALLS, *ended("tool_calls")]),
    "chat_logprobs": (True, [TextDelta(text="Hel", logprobs=(TOKEN,)), *ended()]),
    "chat_failed": (
        True,
        [TextDelta(text="Hel"), Failed.of(WorkerDiedError("The worker ended."))],
    ),
    "generate": (
        False,
        [
            ReasoningDelta(text="Hm"),
            TextDelta(text="Hel"),
            TextDelta(text="lo"),
            *ended(),
        ],
    ),
    "generate_cancelled": (False, [TextDelta(text="Hel"), *ended("cancelled")]),
}


def reply_for(events: Iterable[Event], *, is_chat: bool) -> Reply:
    timing = Timing(0.0)
    for number, event in enumerate(events, start=1):
        timing.note(event, number / 8)
    call = Call(model="m:latest", request=None, turns=None if is_chat else TURNS)
    return Reply(call, chat=is_chat, timing=timing, now=lambda: NOW)


@pytest.mark.parametrize("name", SEQUENCES)
def test_streams_are_these_lines(name: str) -> None:
    """Every line, to the letter; progress has none."""
    is_chat, events = SEQUENCES[name]
    reply = reply_for(events, is_chat=is_chat)
    lines = [ndjson.line(part) for event in events for part in reply.stream(event)]
    assert b"".join(lines) == (GOLDEN / f"{name}.ndjson").read_bytes()


WHOLE = [name for name in SEQUENCES if name != "chat_failed"]


@pytest.mark.parametrize("name", WHOLE)
def test_a_whole_answer_says_what_its_stream_does(name: str) -> None:
    """Pieces that are put together, with the end of the last one."""
    is_chat, events = SEQUENCES[name]
    streamed = reply_for(events, is_chat=is_chat)
    parts = [json.loads(d) for event in events for d in streamed.stream(event)]
    whole = json.loads(reply_for(events, is_chat=is_chat).whole(events))
    said = _joined(parts, is_chat=is_chat)
    assert {field: _said(whole, is_chat=is_chat)[field] for field in said} == said
    ends = ("done_reason", "eval_count", "prompt_eval_count", "context", "done")
    for field in (*ends, "total_duration", "load_duration", "eval_duration"):
        assert whole.get(field) == parts[-1].get(field)


def _said(part: dict[str, Any], *, is_chat: bool) -> dict[str, Any]:
    holder = part["message"] if is_chat else part
    return {
        "content": holder["content"] if is_chat else holder["response"],
        "thinking": holder.get("thinking", ""),
        "tool_calls": holder.get("tool_calls", []),
        "logprobs": part.get("logprobs", []),
    }


def _joined(parts: Sequence[dict[str, Any]], *, is_chat: bool) -> dict[str, Any]:
    said = [_said(part, is_chat=is_chat) for part in parts]
    return {
        "content": "".join(part["content"] for part in said),
        "thinking": "".join(part["thinking"] for part in said),
        "tool_calls": [call for part in said for call in part["tool_calls"]],
        "logprobs": [told for part in said for told in part["logprobs"]],
    }


def test_a_load_is_one_document() -> None:
    """In the shape of the route; the client reads it as the last piece."""
    loaded = json.loads(reply_for([], is_chat=True).loaded("load"))
    assert loaded["message"] == {"role": "assistant", "content": ""}
    assert (loaded["done"], loaded["done_reason"]) == (True, "load")
    unloaded = json.loads(reply_for([], is_chat=False).loaded("unload"))
    assert (unloaded["response"], unloaded["done_reason"]) == ("", "unload")
    assert "context" not in unloaded


def test_durations_are_nanoseconds() -> None:
    events = [*BEGUN, TextDelta(text="a"), *ended()]
    reply = reply_for(events, is_chat=True)
    told = json.loads([part for event in events for part in reply.stream(event)][-1])
    assert told["total_duration"] == 1_000_000_000
    assert told["load_duration"] == 250_000_000
    assert told["prompt_eval_duration"] == 250_000_000
    assert told["eval_duration"] == 500_000_000
    assert (told["prompt_eval_count"], told["eval_count"]) == (7, 3)


# Models.


def status(**fields: Any) -> ModelStatus:  # noqa: ANN401  # any field
    given = {
        "id": "m",
        "name": "M",
        "path": "/models/M.gguf",
        "size": 5,
        "modified": NOW,
        "state": "ready",
        "architecture": "llama",
        "parameters": 1_235_814_432,
        "quantization": "Q4_K_M",
        "capabilities": ("chat", "completion", "infill", "rerank"),
        **fields,
    }
    return ModelStatus(**given)


@pytest.mark.parametrize(
    ("parameters", "written"),
    [
        (7_000_000_000, "7B"),
        (1_235_814_432, "1.2B"),
        (137_000_000, "137M"),
        (268_098_176, "268.10M"),
        (47_360, "47K"),
        (999, "999"),
        (None, ""),
    ],
)
def test_sizes_are_written_as_ollama_does(parameters: int | None, written: str) -> None:
    assert models.details(status(parameters=parameters)).parameter_size == written


def test_capabilities_are_in_ollamas_words() -> None:
    assert models.capabilities(status()) == ["completion", "insert"]


def test_a_digest_tells_versions_apart() -> None:
    """That of a file of Ollama's is the real one."""
    digest = "ab" * 32
    assert models.digest(status(path=f"/blobs/sha256-{digest}")) == digest
    first, second = models.digest(status()), models.digest(status(size=6))
    assert len(first) == len(second) == 64
    assert first != second
    assert first == models.digest(status())


def test_ps_lists_the_loaded_ones_the_longest_first() -> None:
    """One that stays for ever goes centuries from now; GPUs are counted apart."""
    uses = {"CPU": MemoryUse(weights=10), "CUDA0": MemoryUse(weights=20, cache=3)}
    memory = MemoryEstimate(devices=uses, context_length=64)
    soon = NOW + timedelta(seconds=5)
    told = models.processes(
        [
            status(id="a", expires_at=soon),
            status(id="b", state="unloaded"),
            status(id="c", memory=memory, context_length=64, state="busy"),
        ],
        now=NOW,
    ).models
    assert [model.name for model in told] == ["c", "a"]
    assert (told[0].size, told[0].size_vram, told[0].context_length) == (33, 23, 64)
    assert told[0].expires_at.year > 2300
    assert told[1].expires_at == soon


# Downloads.


def download(state: DownloadState, **fields: Any) -> DownloadStatus:  # noqa: ANN401  # any field
    return DownloadStatus(
        id="d", reference="hf:a/b:Q4_K_M", state=state, created=NOW, **fields
    )


PULLS: dict[str, list[DownloadStatus]] = {
    "pull": [
        download("waiting"),
        download("resolving"),
        download("downloading", done=0, total=10),
        download("downloading", done=4, total=10, rate=1.0),
        download("downloading", done=4, total=10, rate=2.0),
        download("paused", done=4, total=10),
        download("downloading", done=10, total=10),
        download("verifying", done=5, total=10),
        download("verifying", done=10, total=10),
        download("done", done=10, total=10, model="b"),
    ],
    "pull_failed": [
        download("resolving"),
        download(
            "failed",
            error=Problem(
                code=HubUnreachableError.code, message="The hub cannot be reached."
            ),
        ),
    ],
    "pull_cancelled": [download("waiting"), download("cancelled")],
}


@pytest.mark.parametrize("name", PULLS)
def test_pulls_are_these_lines(name: str) -> None:
    """What did not change is not said again."""
    reply = pull.PullReply()
    lines = [ndjson.line(part) for one in PULLS[name] for part in reply.tell(one)]
    assert b"".join(lines) == (GOLDEN / f"{name}.ndjson").read_bytes()


def test_a_pull_fails_with_the_error_of_its_download() -> None:
    error = pull.failure(PULLS["pull_failed"][-1])
    assert isinstance(error, HubUnreachableError)
    assert pull.failure(PULLS["pull"][-1]) is None


# Errors.


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InvalidRequestError("no"), 400),
        (NotSupportedError("no"), 400),
        (ModelNotFoundError("x"), 404),
        (QueueFullError("x", waiting=1), 503),
        (RateLimitedError("tokens", limit=1, retry_after=2), 429),
        (InsufficientMemoryError("no"), 500),
        (LLMError("no"), 500),
    ],
)
def test_errors_have_ollamas_statuses(error: LLMError, code: int) -> None:
    """And one field, of text."""
    assert errors.status(error) == code
    assert str(error) in errors.reply(error).error
    assert ("Retry-After" in errors.headers(error)) == error.retry
