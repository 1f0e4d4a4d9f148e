"""Tools with OpenAI's client: offered, demanded, forbidden, and their results."""

import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from tests.conftest import TOKEN_BY_TOKEN
from tests.live import LiveServer, live_server
from tests.models.builder import write_model

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
VOLUME: Any = {
    "type": "function",
    "function": {
        "name": "set_volume",
        "description": "Sets the volume.",
        "parameters": {
            "type": "object",
            "properties": {
                "level": {"type": "integer", "minimum": 0, "maximum": 99},
                "mode": {"enum": ["soft", "loud"]},
            },
            "required": ["level", "mode"],
            "additionalProperties": False,
        },
    },
}
ASKED: list[Any] = [{"role": "user", "content": "What is the weather in Paris?"}]
DEEP = (
    "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}"
    "{% if messages[0].content == 'for ever' %}{{ f(60) }}{% endif %}x"
)
"""It takes for ever, without a loop and without any output."""

THINKS = "{{ messages[0].content }}{# <think> #}<think>{# </think> #}"
"""Every prompt ends within a thought."""


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server with the model in the box, and models with templates of their own."""
    folder = tmp_path_factory.mktemp("tools")
    models = folder / "models"
    models.mkdir()
    write_model(models / "deep.gguf", chat_template=DEEP)
    write_model(models / "thinks.gguf", chat_template=THINKS)
    write_model(models / "babble.gguf")
    with live_server(folder, models, TOKEN_BY_TOKEN) as running:
        yield running
        assert "Traceback" not in running.log, running.log


@pytest.fixture
def client(live: LiveServer) -> Iterator[openai.OpenAI]:
    """The unmodified OpenAI client."""
    with openai.OpenAI(
        base_url=f"{live.url}llm/v1", api_key=live.token, max_retries=0
    ) as made:
        yield made


def ask(
    client: openai.OpenAI,
    messages: list[Any] = ASKED,
    **options: Any,  # noqa: ANN401  # the client's
) -> Any:  # noqa: ANN401  # a choice
    options.setdefault("model", "guide")
    options.setdefault("tools", [WEATHER])
    options.setdefault("temperature", 0)
    reply = client.chat.completions.create(messages=messages, **options)
    return reply.choices[0]


def test_the_model_calls_a_tool_that_fits(client: openai.OpenAI) -> None:
    choice = ask(client)
    assert choice.finish_reason == "tool_calls"
    assert choice.message.content is None
    (call,) = choice.message.tool_calls
    assert call.type == "function"
    assert call.function.name == "get_weather"
    assert json.loads(call.function.arguments) == {"city": "Paris"}


def test_the_result_is_answered_from(client: openai.OpenAI) -> None:
    message = ask(client).message
    result = json.dumps({"temperature": 21, "sky": "sunny"})
    (call,) = message.tool_calls
    turns = [
        *ASKED,
        message,
        {"role": "tool", "tool_call_id": call.id, "content": result},
    ]
    choice = ask(client, turns)
    assert choice.finish_reason == "stop"
    assert not choice.message.tool_calls
    assert "sunny" in choice.message.content
    assert "21" in choice.message.content


def test_no_tool_is_called_where_none_is_needed_or_allowed(
    client: openai.OpenAI,
) -> None:
    free = ask(client, [{"role": "user", "content": "What is 2+2?"}])
    assert (free.finish_reason, free.message.tool_calls) == ("stop", None)
    assert "4" in free.message.content
    forbidden = ask(client, tool_choice="none")
    assert (forbidden.finish_reason, forbidden.message.tool_calls) == ("stop", None)
    assert forbidden.message.content


@pytest.mark.parametrize("model", ["guide", "babble"])
@pytest.mark.parametrize("temperature", [0, 2])
def test_a_demanded_call_is_valid_whatever_the_model_would_say(
    client: openai.OpenAI, model: str, temperature: float
) -> None:
    """Guide has been asked nothing that fits; the other knows nothing at all."""
    choice = ask(
        client,
        [{"role": "user", "content": "Hello!"}],
        model=model,
        tools=[VOLUME],
        tool_choice="required",
        parallel_tool_calls=False,
        temperature=temperature,
        seed=1,
    )
    assert choice.finish_reason == "tool_calls"
    (call,) = choice.message.tool_calls
    arguments = json.loads(call.function.arguments)
    assert call.function.name == "set_volume"
    assert set(arguments) == {"level", "mode"}
    assert 0 <= arguments["level"] <= 99
    assert arguments["mode"] in {"soft", "loud"}


def test_a_named_tool_is_called_and_openai_calls_that_a_stop(
    client: openai.OpenAI,
) -> None:
    named = {"type": "function", "function": {"name": "set_volume"}}
    choice = ask(client, tools=[WEATHER, VOLUME], tool_choice=named)
    (call,) = choice.message.tool_calls
    assert call.function.name == "set_volume"
    assert choice.finish_reason == "stop"


def test_a_call_streams_in_parts_that_join(client: openai.OpenAI) -> None:
    """As OpenAI's own helper joins them."""
    with client.chat.completions.stream(
        model="guide", messages=ASKED, tools=[WEATHER], temperature=0
    ) as stream:
        parts = [e.chunk.choices[0] for e in stream if e.type == "chunk"]
        final = stream.get_final_completion().choices[0]
    (call,) = final.message.tool_calls or []
    assert json.loads(call.function.arguments) == {"city": "Paris"}
    assert [part.finish_reason for part in parts if part.finish_reason] == [
        "tool_calls"
    ]
    deltas = [call for part in parts for call in part.delta.tool_calls or []]
    assert len(deltas) > 3, "the arguments came in one piece"
    assert {delta.index for delta in deltas} == {0}
    assert [delta.id for delta in deltas if delta.id] == [call.id]
    assert not any(part.delta.content for part in parts)


def test_calls_have_no_log_probabilities(client: openai.OpenAI) -> None:
    """They are of content alone."""
    called = ask(client, logprobs=True)
    assert called.message.tool_calls
    assert called.logprobs.content == []
    said = ask(client, tool_choice="none", logprobs=True)
    joined = "".join(token.token for token in said.logprobs.content)
    assert joined == said.message.content


def test_answers_are_timed(client: openai.OpenAI) -> None:
    """As llama-server tells it, whole and beside the counts of a stream."""
    options: Any = {"model": "guide", "messages": ASKED}
    whole = client.chat.completions.create(**options)
    (*_, last) = client.chat.completions.create(
        **options, stream=True, stream_options={"include_usage": True}
    )
    for reply in (whole, last):
        timings = reply.model_extra["timings"]
        assert timings["cache_n"] + timings["prompt_n"] == reply.usage.prompt_tokens
        assert timings["predicted_n"] == reply.usage.completion_tokens
        assert timings["prompt_ms"] > 0
        assert timings["predicted_per_second"] > 0


def test_the_last_message_can_be_continued(client: openai.OpenAI) -> None:
    turns = [*ASKED, {"role": "assistant", "content": "I cannot see"}]
    choice = ask(client, turns, extra_body={"continue_final_message": True})
    assert choice.message.content.startswith(" ")
    whole = ask(client, tool_choice="none").message.content
    assert whole.startswith("I cannot see")
    assert choice.message.content.split()[0] in whole


def test_thoughts_are_told_apart_and_counted(client: openai.OpenAI) -> None:
    options: dict[str, Any] = {"model": "thinks", "max_tokens": 12, "messages": ASKED}
    reply = client.chat.completions.create(**options)
    message = reply.choices[0].message
    assert not message.content
    assert getattr(message, "reasoning_content", "")
    assert reply.usage is not None
    assert reply.usage.completion_tokens_details is not None
    assert reply.usage.completion_tokens_details.reasoning_tokens
    plain = client.chat.completions.create(
        **options, extra_body={"reasoning_format": "none"}
    )
    assert plain.choices[0].message.content
    assert not hasattr(plain.choices[0].message, "reasoning_content")


@pytest.mark.parametrize("stream", [False, True])
def test_parameters_that_cannot_be_demanded_are_refused(
    client: openai.OpenAI,
    stream: bool,  # noqa: FBT001  # a parameter
) -> None:
    bad: Any = {"name": "x", "parameters": {"properties": {"a": {"type": "banana"}}}}
    with pytest.raises(openai.BadRequestError, match="banana") as caught:
        client.chat.completions.create(
            model="guide",
            messages=ASKED,
            tools=[{"type": "function", "function": bad}],
            tool_choice="required",
            stream=stream,
        )
    assert caught.value.param == "tools"


def test_a_template_that_takes_for_ever_ends_its_worker_with_the_reason(
    client: openai.OpenAI, live: LiveServer
) -> None:
    """And nobody else's: the model answers again when it is asked something else."""
    asked: list[Any] = [{"role": "user", "content": "Hi"}]
    endless: list[Any] = [{"role": "user", "content": "for ever"}]
    ask(client, asked, model="deep", tools=[], max_tokens=1)
    pid = live.model("deep")["pid"]
    with pytest.raises(openai.BadRequestError, match="chat template") as caught:
        ask(client, endless, model="deep", tools=[], max_tokens=1)
    assert caught.value.code == "chat_template_timeout"
    assert ask(client, max_tokens=2).message
    ask(client, asked, model="deep", tools=[], max_tokens=1)
    assert live.model("deep")["pid"] != pid
