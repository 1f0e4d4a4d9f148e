"""OpenAI's Responses API with its own client, unmodified."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

import openai
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
    "type": "function",
    "name": "get_weather",
    "description": "The weather in a city.",
    "strict": True,
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 12}},
        "required": ["city"],
        "additionalProperties": False,
    },
}
ASKED = "What is the weather in Paris?"


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server with the model in the box, one that recites, and one that thinks."""
    folder = tmp_path_factory.mktemp("responses")
    models = folder / "models"
    models.mkdir()
    write_hello(models / "hello.gguf")
    long = Shape(context=32768)
    write_model(models / "thinks.gguf", shape=long, chat_template=THINKS)
    (models / "broken.gguf").write_bytes(b"GGUF, or so it says")
    with live_server(folder, models, TOKEN_BY_TOKEN) as running:
        yield running
        assert "Traceback" not in running.log, running.log


@pytest.fixture
def client(live: LiveServer) -> Iterator[openai.OpenAI]:
    """The unmodified client."""
    with openai.OpenAI(
        base_url=f"{live.url}llm/v1", api_key=live.token, max_retries=0
    ) as made:
        yield made


def ask(
    client: openai.OpenAI,
    given: Any = ASKED,  # noqa: ANN401  # the client's
    **options: Any,  # noqa: ANN401  # the client's
) -> Any:  # noqa: ANN401  # a response; its items are of many types
    options = {"model": "guide", "temperature": 0, **options}
    return client.responses.create(input=given, **options)


def as_recorded(name: str, events: Iterable[Any]) -> None:
    """Compare with the golden file what a client read, without ids, times, counts."""
    told = "\n".join(event.to_json(indent=None) for event in events) + "\n"
    told = re.sub(r"(resp|msg|rs|fc|call)_[0-9a-f]+", r"\1_id", told)
    told = re.sub(r'"(created_at|completed_at)": ?[\d.]+', r'"\1":0', told)
    told = re.sub(r'"cached_tokens": ?\d+', '"cached_tokens":0', told)
    check(f"responses/live_{name}.jsonl", told)


def test_a_response_is_created(client: openai.OpenAI) -> None:
    response = ask(client, "Hello!", model="hello", instructions="Be brief.")
    assert response.output_text == ANSWER
    assert (response.status, response.model) == ("completed", "hello")
    assert response.instructions == "Be brief."
    assert response.usage.output_tokens > 20
    assert response.completed_at >= response.created_at
    short = ask(client, "Hello!", model="hello", max_output_tokens=3)
    assert short.status == "incomplete"
    assert short.incomplete_details.reason == "max_output_tokens"


def test_a_text_streams(client: openai.OpenAI) -> None:
    """As the client's own helper joins it, and event by event as recorded."""
    options: Any = {"model": "hello", "input": "Hello!", "temperature": 0}
    with client.responses.stream(**options) as stream:
        parts = [e.delta for e in stream if e.type == "response.output_text.delta"]
        assert stream.get_final_response().output_text == "".join(parts) == ANSWER
    events = client.responses.create(stream=True, max_output_tokens=5, **options)
    as_recorded("text", events)


def test_a_conversation_goes_on_by_its_last_response(client: openai.OpenAI) -> None:
    """Instructions do not; and what was said before need not be computed again."""
    first = ask(client, "My name is Ada.", instructions="Answer in Spanish.")
    second = ask(client, "What is my name?", previous_response_id=first.id)
    assert second.previous_response_id == first.id
    assert second.output_text == "Your name is Ada."
    third = ask(client, "Hello!", previous_response_id=second.id, stream=True)
    (last,) = [event.response for event in third if event.type.endswith("completed")]
    fourth = ask(client, "What is my name?", previous_response_id=last.id)
    assert "Ada" in fourth.output_text
    assert fourth.usage.input_tokens_details.cached_tokens > 20
    aside = ask(client, "What is my name?")
    assert "Ada" not in aside.output_text


def test_a_tool_is_called_and_its_result_answered_from(client: openai.OpenAI) -> None:
    """Going on from the response, or with all items sent again."""
    response = ask(client, tools=[WEATHER])
    (call,) = response.output
    assert (call.type, call.status, call.name) == (
        "function_call",
        "completed",
        "get_weather",
    )
    assert json.loads(call.arguments) == {"city": "Paris"}
    result = {
        "type": "function_call_output",
        "call_id": call.call_id,
        "output": json.dumps({"temperature": 21, "sky": "sunny"}),
    }
    later = ask(
        client, [result], tools=[WEATHER], previous_response_id=response.id
    ).output_text
    assert "sunny" in later
    assert "21" in later
    turns = [{"role": "user", "content": ASKED}, *response.output, result]
    assert ask(client, turns, tools=[WEATHER], store=False).output_text == later


def test_a_call_streams(client: openai.OpenAI) -> None:
    options: Any = {"model": "guide", "temperature": 0, "tools": [WEATHER]}
    with client.responses.stream(input=ASKED, **options) as stream:
        kinds = [event.type for event in stream]
        (call,) = stream.get_final_response().output
    assert kinds.count("response.function_call_arguments.delta") > 2
    assert call.type == "function_call"
    assert call.parsed_arguments == {"city": "Paris"}
    as_recorded("call", client.responses.create(input=ASKED, stream=True, **options))


def test_a_choice_of_tools_is_kept_to(client: openai.OpenAI) -> None:
    demanded = ask(client, "Hello!", tools=[WEATHER], tool_choice="required")
    assert [item.type for item in demanded.output] == ["function_call"]
    named = {"type": "function", "name": "get_weather"}
    (call,) = ask(client, "Hello!", tools=[WEATHER], tool_choice=named).output
    assert call.type == "function_call"
    forbidden = ask(client, tools=[WEATHER], tool_choice="none")
    assert [item.type for item in forbidden.output] == ["message"]


def test_an_answer_is_in_the_format_that_was_asked_for(client: openai.OpenAI) -> None:
    schema = {
        "type": "object",
        "properties": {"ok": {"enum": [True]}},
        "required": ["ok"],
        "additionalProperties": False,
    }
    form = {"type": "json_schema", "name": "x", "schema": schema, "strict": True}
    response = ask(client, "Hello!", text={"format": form})
    assert json.loads(response.output_text) == {"ok": True}


def test_thoughts_are_items_of_their_own(client: openai.OpenAI) -> None:
    response = ask(client, "Hello!", model="thinks", max_output_tokens=6)
    (item,) = response.output
    assert item.type == "reasoning"
    assert item.content[0].text
    assert response.usage.output_tokens_details.reasoning_tokens == 6
    stream = ask(client, "Hi", model="thinks", max_output_tokens=6, stream=True)
    kinds = [event.type for event in stream]
    assert kinds.count("response.reasoning_text.delta") > 1
    assert "response.output_text.delta" not in kinds
    assert kinds[-1] == "response.incomplete"


def test_log_probabilities_join_to_the_text(client: openai.OpenAI) -> None:
    response = ask(client, "Hello!", top_logprobs=2)
    (content,) = response.output[0].content
    joined = b"".join(bytes(token.bytes) for token in content.logprobs)
    assert joined.decode() == content.text
    assert {len(token.top_logprobs) for token in content.logprobs} == {2}


def test_a_stored_response_can_be_shown_and_forgotten(client: openai.OpenAI) -> None:
    response = ask(client, "Hello!")
    assert client.responses.retrieve(response.id) == response
    client.responses.delete(response.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.retrieve(response.id)
    with pytest.raises(openai.NotFoundError):
        client.responses.delete(response.id)
    unkept = ask(client, "Hello!", store=False)
    with pytest.raises(openai.BadRequestError) as caught:
        ask(client, "And now?", previous_response_id=unkept.id)
    assert caught.value.code == "previous_response_not_found"
    assert caught.value.param == "previous_response_id"


def test_a_key_has_responses_of_its_own(
    live: LiveServer, client: openai.OpenAI
) -> None:
    """Neither another key of its user, nor the user, can go on from them."""
    with live.client() as http:
        keys = [http.post("keys", json={"name": n}).json()["key"] for n in "ab"]
    mine, other = (client.with_options(api_key=key) for key in keys)
    response = ask(mine, "Hello!")
    assert mine.responses.retrieve(response.id) == response
    for stranger in (other, client):
        with pytest.raises(openai.NotFoundError):
            stranger.responses.retrieve(response.id)
        with pytest.raises(openai.NotFoundError):
            stranger.responses.delete(response.id)
        with pytest.raises(openai.BadRequestError, match=response.id):
            ask(stranger, "And now?", previous_response_id=response.id)
    assert ask(mine, "And now?", previous_response_id=response.id).output_text


def test_items_of_a_stored_response_can_be_referred_to(client: openai.OpenAI) -> None:
    """As clients do that send no item twice; the call's result alone is new."""
    response = ask(client, tools=[WEATHER])
    (call,) = response.output
    result = {
        "type": "function_call_output",
        "call_id": call.call_id,
        "output": json.dumps({"temperature": 21, "sky": "sunny"}),
    }
    asked = {"role": "user", "content": ASKED}
    referred = {"type": "item_reference", "id": call.id}
    given = ask(client, [asked, referred, result], tools=[WEATHER])
    whole = ask(client, [asked, call, result], tools=[WEATHER])
    assert "sunny" in given.output_text
    assert given.output_text == whole.output_text
    assert given.usage.input_tokens == whole.usage.input_tokens
    client.responses.delete(response.id)
    with pytest.raises(openai.BadRequestError, match=call.id):
        ask(client, [asked, referred, result], tools=[WEATHER])


def test_tools_that_nobody_runs_here_are_left_out(client: openai.OpenAI) -> None:
    """Agents offer them wherever they are; the answer says that they are not there."""
    search: Any = {"type": "web_search", "external_web_access": False}
    reply = client.responses.with_raw_response.create(
        model="guide", input=ASKED, temperature=0, tools=[search, WEATHER]
    )
    assert reply.headers["X-Ignored-Fields"] == "tools.web_search"
    response = reply.parse()
    assert [tool.type for tool in response.tools] == ["function"]
    assert [item.type for item in response.output] == ["function_call"]


def test_what_is_counted_is_what_is_read(
    client: openai.OpenAI, live: LiveServer
) -> None:
    """To the token, what was said before included, and without loading the model."""
    first = ask(client, "My name is Ada.")
    options: Any = {
        "model": "guide",
        "input": ASKED,
        "instructions": "Be brief.",
        "tools": [WEATHER],
        "previous_response_id": first.id,
    }
    with live.client() as http:
        http.post("models/guide/unload", json={})
    counted = client.responses.input_tokens.count(**options).input_tokens
    assert live.model("guide")["state"] == "unloaded"
    usage = client.responses.create(max_output_tokens=1, **options).usage
    assert usage is not None
    assert counted == usage.input_tokens


@pytest.mark.parametrize(
    ("fields", "kind", "words"),
    [
        ({"model": "nobody"}, openai.NotFoundError, "nobody"),
        ({"max_output_tokens": 0}, openai.BadRequestError, "max_output_tokens"),
        (
            {"input": [{"role": "user", "content": [{"type": "input_image"}]}]},
            openai.BadRequestError,
            "Images cannot be read",
        ),
        (
            {"tools": [{"type": "web_search"}], "tool_choice": "required"},
            openai.BadRequestError,
            "offers none",
        ),
        (
            {"input": [{"type": "item_reference", "id": "msg_1"}]},
            openai.BadRequestError,
            "no item 'msg_1'",
        ),
        ({"background": True}, openai.BadRequestError, "background"),
        ({"model": "broken"}, openai.UnprocessableEntityError, "broken"),
    ],
)
def test_errors_are_those_that_the_client_knows(
    client: openai.OpenAI,
    fields: dict[str, Any],
    kind: type[openai.APIStatusError],
    words: str,
) -> None:
    given = {"model": "guide", "input": "Hello!", **fields}
    with pytest.raises(kind, match=words):
        client.responses.create(**given)


def test_a_wrong_key_is_refused_in_words(live: LiveServer) -> None:
    with (
        openai.OpenAI(
            base_url=f"{live.url}llm/v1", api_key="wrong", max_retries=0
        ) as stranger,
        pytest.raises(openai.AuthenticationError, match="token"),
    ):
        ask(stranger, "Hello!")


def test_a_load_is_told_by_comments_and_its_failure_by_the_last_event(
    client: openai.OpenAI, live: LiveServer
) -> None:
    body = {"model": "hello", "max_output_tokens": 3, "input": "Hi", "stream": True}
    with live.client() as http:
        http.post("models/hello/unload", json={})
        with http.stream("POST", "v1/responses", json=body) as reply:
            lines = list(stream_lines(reply))
    created = lines.index("event: response.created")
    working = lines.index("event: response.in_progress")
    assert any(line.startswith(": loading ") for line in lines[created:working])
    first, last = ask(client, "Hi", model="broken", stream=True)
    assert (first.type, last.type) == ("response.created", "response.failed")
    assert last.response.error.code == "model_unreadable"
    assert "broken" in last.response.error.message


def test_who_leaves_in_mid_answer_is_answered_no_more(live: LiveServer) -> None:
    body = {"model": "thinks", "input": "Hi", "stream": True}
    with live.client() as http:
        http.post("models/thinks/load", json={})
        before = live.model("thinks")["engine"]["cancelled"]
        with http.stream("POST", "v1/responses", json=body) as reply:
            next(stream_lines(reply))

    def cancelled() -> bool:
        """The engine has ended the request."""
        return bool(live.model("thinks")["engine"]["cancelled"] > before)

    eventually(cancelled)
