"""Anthropic's Messages API with its own client, unmodified."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import anthropic
import pytest

from tests.conftest import TOKEN_BY_TOKEN
from tests.live import LiveServer, live_server, stream_lines
from tests.models.builder import Shape, write_model
from tests.models.hello import ANSWER, write_hello
from tests.recorded import check
from tests.waiting import eventually

THINKS = "{{ messages[0].content }}{# <think> #}<think>{# </think> #}"
"""Every prompt ends within a thought."""

WEATHER: Any = {
    "name": "get_weather",
    "description": "The weather in a city.",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 12}},
        "required": ["city"],
        "additionalProperties": False,
    },
}
HI: Any = [{"role": "user", "content": "Hello!"}]
ASKED: Any = [{"role": "user", "content": "What is the weather in Paris?"}]
GREEDY: Any = {"temperature": 0}
"""The client knows no temperature any more; the API still does."""


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server with the model in the box, one that recites, and one that thinks."""
    folder = tmp_path_factory.mktemp("anthropic")
    models = folder / "models"
    models.mkdir()
    write_hello(models / "hello.gguf")
    long = Shape(context=32768)
    write_model(models / "thinks.gguf", shape=long, chat_template=THINKS)
    write_model(models / "plain.gguf", chat_template=None)
    (models / "broken.gguf").write_bytes(b"GGUF, or so it says")
    with live_server(folder, models, TOKEN_BY_TOKEN) as running:
        yield running
        assert "Traceback" not in running.log, running.log


@pytest.fixture
def client(live: LiveServer) -> Iterator[anthropic.Anthropic]:
    """The unmodified client; its key goes as ``x-api-key``."""
    with anthropic.Anthropic(
        base_url=f"{live.url}llm", api_key=live.token, max_retries=0
    ) as made:
        yield made


def ask(
    client: anthropic.Anthropic,
    messages: Any = ASKED,  # noqa: ANN401  # the client's
    **options: Any,  # noqa: ANN401  # the client's
) -> anthropic.types.Message:
    given = {"model": "guide", "max_tokens": 60, "extra_body": GREEDY, **options}
    message: anthropic.types.Message = client.messages.create(
        messages=messages, **given
    )
    return message


def as_recorded(name: str, events: Iterable[Any]) -> None:
    """Compare with the golden file what a client read, without ids and counts."""
    told = "\n".join(event.to_json(indent=None) for event in events) + "\n"
    told = re.sub(r"(msg|call)_[0-9a-f]+", r"\1_id", told)
    told = re.sub(r'"((cache_\w+_)?input_tokens)": ?\d+', r'"\1":0', told)
    check(f"anthropic/live_{name}.jsonl", told)


def test_a_message_is_answered(client: anthropic.Anthropic) -> None:
    message = ask(client, HI, model="hello", max_tokens=100)
    (block,) = message.content
    assert block.type == "text"
    assert block.text == ANSWER
    assert (message.role, message.model) == ("assistant", "hello")
    assert message.stop_reason == "end_turn"
    assert message.usage.output_tokens > 20


def test_the_system_prompt_is_heard(client: anthropic.Anthropic) -> None:
    """In both of its forms."""
    spanish = "Answer in Spanish."
    texts = {
        ask(client, HI, system=system).content[0].text  # type: ignore[union-attr]  # it is text
        for system in (spanish, [{"type": "text", "text": spanish}])
    }
    (text,) = texts
    assert text.startswith("¡Hola")


def test_an_answer_begun_is_gone_on_with(client: anthropic.Anthropic) -> None:
    begun = {"role": "assistant", "content": ANSWER[:20]}
    message = ask(client, [*HI, begun], model="hello", max_tokens=100)
    (block,) = message.content
    assert block.type == "text"
    assert block.text
    assert not block.text.startswith(ANSWER[:20])


def test_a_limit_and_a_stop_string_are_told_apart(
    client: anthropic.Anthropic,
) -> None:
    short = ask(client, HI, model="hello", max_tokens=3)
    assert (short.stop_reason, short.usage.output_tokens) == ("max_tokens", 3)
    cut = ask(client, HI, model="hello", stop_sequences=["never", " ships"])
    assert (cut.stop_reason, cut.stop_sequence) == ("stop_sequence", " ships")
    assert cut.content[0].text == ANSWER.partition(" ships")[0]  # type: ignore[union-attr]  # it is text


def test_a_text_streams(client: anthropic.Anthropic) -> None:
    """As the client's own helper joins it, and event by event as recorded."""
    options: Any = {"model": "hello", "messages": HI, "extra_body": GREEDY}
    with client.messages.stream(max_tokens=100, **options) as stream:
        assert "".join(stream.text_stream) == ANSWER
        assert stream.get_final_message().stop_reason == "end_turn"
        assert stream.request_id
    events = client.messages.create(max_tokens=5, stream=True, **options)
    as_recorded("text", events)


def test_a_tool_is_called_and_its_result_answered_from(
    client: anthropic.Anthropic,
) -> None:
    message = ask(client, tools=[WEATHER])
    assert message.stop_reason == "tool_use"
    (call,) = message.content
    assert call.type == "tool_use"
    assert (call.name, call.input) == ("get_weather", {"city": "Paris"})
    result = {
        "type": "tool_result",
        "tool_use_id": call.id,
        "content": json.dumps({"temperature": 21, "sky": "sunny"}),
    }
    turns = [
        *ASKED,
        {"role": "assistant", "content": message.content},
        {"role": "user", "content": [result]},
    ]
    answer = ask(client, turns, tools=[WEATHER])
    assert answer.stop_reason == "end_turn"
    (block,) = answer.content
    assert block.type == "text"
    assert "sunny" in block.text
    assert "21" in block.text


def test_a_call_streams(client: anthropic.Anthropic) -> None:
    options: Any = {"model": "guide", "max_tokens": 60, "extra_body": GREEDY}
    options |= {"messages": ASKED, "tools": [WEATHER]}
    with client.messages.stream(**options) as stream:
        parts = [event for event in stream if event.type == "input_json"]
        (call,) = stream.get_final_message().content
    assert len(parts) > 2, "the input came in one piece"
    assert call.type == "tool_use"
    assert call.input == {"city": "Paris"}
    as_recorded("call", client.messages.create(stream=True, **options))


def test_a_choice_of_tools_is_kept_to(client: anthropic.Anthropic) -> None:
    demanded = ask(client, HI, tools=[WEATHER], tool_choice={"type": "any"})
    assert demanded.stop_reason == "tool_use"
    named = {"type": "tool", "name": "get_weather"}
    (call,) = ask(client, HI, tools=[WEATHER], tool_choice=named).content
    assert call.type == "tool_use"
    forbidden = ask(client, tools=[WEATHER], tool_choice={"type": "none"})
    assert {block.type for block in forbidden.content} == {"text"}


def test_an_answer_is_in_the_format_that_was_asked_for(
    client: anthropic.Anthropic,
) -> None:
    schema = {
        "type": "object",
        "properties": {"ok": {"enum": [True]}},
        "required": ["ok"],
        "additionalProperties": False,
    }
    config = {"format": {"type": "json_schema", "schema": schema}}
    (block,) = ask(client, HI, output_config=config).content
    assert block.type == "text"
    assert json.loads(block.text) == {"ok": True}


def test_thoughts_are_shown_to_those_who_ask(client: anthropic.Anthropic) -> None:
    """Others see nothing of them, but that something is counted."""
    options: Any = {"model": "thinks", "max_tokens": 6, "messages": HI}
    thinking: Any = {"type": "enabled", "budget_tokens": 1024}
    (block,) = client.messages.create(thinking=thinking, **options).content
    assert block.type == "thinking"
    assert block.thinking
    assert block.signature
    hidden = client.messages.create(**options)
    assert hidden.content == []
    assert hidden.usage.output_tokens == 6
    options["extra_body"] = {"temperature": 0}
    events = client.messages.create(thinking=thinking, stream=True, **options)
    kinds = [
        event.delta.type for event in events if event.type == "content_block_delta"
    ]
    assert kinds == ["thinking_delta"] * (len(kinds) - 1) + ["signature_delta"]


@pytest.mark.parametrize("model", ["guide", "hello"])
def test_what_is_counted_is_what_is_read(
    client: anthropic.Anthropic, live: LiveServer, model: str
) -> None:
    """To the token, and without loading the model."""
    options: Any = {
        "model": model,
        "system": "Be brief.",
        "messages": [*HI, {"role": "assistant", "content": "Hi!"}, *ASKED],
        "tools": [WEATHER],
    }
    with live.client() as http:
        http.post(f"models/{model}/unload", json={})
    counted = client.messages.count_tokens(**options).input_tokens
    assert live.model(model)["state"] == "unloaded"
    usage = client.messages.create(max_tokens=1, **options).usage
    assert counted == usage.input_tokens + (usage.cache_read_input_tokens or 0)


@pytest.mark.parametrize(
    ("fields", "kind", "words"),
    [
        ({"model": "nobody"}, anthropic.NotFoundError, "nobody"),
        ({"model": "plain"}, anthropic.BadRequestError, "chat template"),
        ({"max_tokens": 0}, anthropic.BadRequestError, "max_tokens"),
        (
            {"messages": [{"role": "user", "content": []}]},
            anthropic.BadRequestError,
            "something in it",
        ),
        (
            {"messages": [{"role": "user", "content": "word " * 40_000}]},
            anthropic.BadRequestError,
            "prompt is too long: ",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "image"}]}]},
            anthropic.BadRequestError,
            "Images cannot be read",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "document"}]}]},
            anthropic.BadRequestError,
            "Documents cannot be read",
        ),
        ({"model": "broken"}, anthropic.UnprocessableEntityError, "broken"),
    ],
)
def test_errors_are_those_that_the_client_knows(
    client: anthropic.Anthropic,
    fields: dict[str, Any],
    kind: type[anthropic.APIStatusError],
    words: str,
) -> None:
    with pytest.raises(kind, match=words) as caught:
        ask(client, **{"messages": HI, **fields})
    told: Any = caught.value.body
    assert told["type"] == "error"
    assert words in told["error"]["message"]
    assert caught.value.request_id


def test_a_wrong_key_is_refused_in_words(live: LiveServer) -> None:
    with (
        anthropic.Anthropic(
            base_url=f"{live.url}llm", api_key="wrong", max_retries=0
        ) as stranger,
        pytest.raises(anthropic.AuthenticationError, match="token"),
    ):
        ask(stranger, HI)


def test_an_inference_key_opens_the_models_that_it_is_for(live: LiveServer) -> None:
    """To ask them, and to count for them."""
    with live.client() as http:
        made = http.post("keys", json={"name": "one", "models": ["hello"]})
    with anthropic.Anthropic(
        base_url=f"{live.url}llm", api_key=made.json()["key"], max_retries=0
    ) as holder:
        assert ask(holder, HI, model="hello", max_tokens=3).content
        counted = holder.messages.count_tokens(model="hello", messages=HI)
        assert counted.input_tokens
        with pytest.raises(anthropic.PermissionDeniedError, match="guide"):
            ask(holder, HI)
        with pytest.raises(anthropic.PermissionDeniedError, match="guide"):
            holder.messages.count_tokens(model="guide", messages=HI)


def test_a_load_is_told_by_pings_and_its_failure_by_an_error(
    client: anthropic.Anthropic, live: LiveServer
) -> None:
    """Pings keep clients patient, who see no other event before the first."""
    body = {"model": "hello", "max_tokens": 3, "messages": HI, "stream": True}
    with live.client() as http:
        http.post("models/hello/unload", json={})
        with http.stream("POST", "v1/messages", json=body) as reply:
            lines = list(stream_lines(reply))
    first = lines.index("event: message_start")
    assert "event: ping" in lines[:first]
    assert any(line.startswith(": loading ") for line in lines[:first])
    assert {line for line in lines[:first] if line.startswith("event: ")} == {
        "event: ping"
    }
    with pytest.raises(anthropic.APIStatusError, match="broken"):
        list(
            client.messages.create(
                model="broken", max_tokens=3, messages=HI, stream=True
            )
        )


def test_who_leaves_in_mid_answer_is_answered_no_more(live: LiveServer) -> None:
    body = {"model": "thinks", "max_tokens": 100_000, "messages": HI, "stream": True}
    with live.client() as http:
        http.post("models/thinks/load", json={})
        before = live.model("thinks")["engine"]["cancelled"]
        with http.stream("POST", "v1/messages", json=body) as reply:
            next(stream_lines(reply))

    def cancelled() -> bool:
        """The engine has ended the request."""
        return bool(live.model("thinks")["engine"]["cancelled"] > before)

    eventually(cancelled)
