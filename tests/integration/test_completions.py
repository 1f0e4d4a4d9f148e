"""Raw completions with OpenAI's client, a real server and real workers."""

from collections.abc import Iterator
from typing import Any

import openai
import pytest

from tests.conftest import TOKEN_BY_TOKEN
from tests.live import LiveServer, live_server
from tests.models.builder import write_model
from tests.models.coder import FILLING, MARKS, write_coder
from tests.models.hello import ANSWER, write_hello

START = "Hello! I am the tiny model that"
REST = ANSWER.removeprefix(START)


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server with one model that recites, one that babbles, one that fills gaps."""
    folder = tmp_path_factory.mktemp("completions")
    models = folder / "models"
    models.mkdir()
    write_hello(models / "hello.gguf")
    write_model(models / "babble.gguf")
    write_coder(models / "coder.gguf")
    with live_server(folder, models, TOKEN_BY_TOKEN) as running:
        yield running
        assert "Traceback" not in running.log, running.log


@pytest.fixture
def client(live: LiveServer) -> Iterator[openai.OpenAI]:
    """The unmodified client; Jupyter's token is its key."""
    with openai.OpenAI(
        base_url=f"{live.url}llm/v1", api_key=live.token, max_retries=0
    ) as made:
        yield made


def tokens_of(live: LiveServer, text: str) -> list[int]:
    with live.client() as http:
        body = {"model": "hello", "content": text}
        tokens: list[int] = http.post("tokenize", json=body).json()["tokens"]
        return tokens


def test_a_text_is_gone_on_with_as_it_is(client: openai.OpenAI) -> None:
    """There is no template around it: the model takes up the sentence where it is."""
    reply = client.completions.create(model="hello", prompt=START, max_tokens=200)
    (choice,) = reply.choices
    assert choice.text == REST
    assert choice.finish_reason == "stop"
    assert reply.object == "text_completion"
    assert reply.usage is not None
    assert reply.usage.completion_tokens > 30


def test_a_prompt_can_be_tokens(live: LiveServer, client: openai.OpenAI) -> None:
    """Of one prompt or of several, in one list each."""
    tokens = tokens_of(live, START)
    for prompt in (tokens, [tokens]):
        reply = client.completions.create(
            model="hello", prompt=prompt, max_tokens=200, temperature=0
        )
        assert reply.choices[0].text == REST
        assert reply.usage is not None
        assert reply.usage.prompt_tokens == len(tokens)


def test_several_prompts_have_n_answers_each(
    live: LiveServer, client: openai.OpenAI
) -> None:
    """In the order of the prompts, each of which is counted once."""
    prompts = [START, "Hello! I am"]
    reply = client.completions.create(
        model="hello", prompt=prompts, n=2, max_tokens=200, temperature=0
    )
    rests = [ANSWER.removeprefix(prompt) for prompt in prompts for _ in range(2)]
    assert [choice.text for choice in reply.choices] == rests
    assert [choice.index for choice in reply.choices] == [0, 1, 2, 3]
    assert reply.usage is not None
    counts = [len(tokens_of(live, prompt)) for prompt in prompts]
    assert reply.usage.prompt_tokens == sum(counts)


def test_an_echo_begins_with_the_prompt(
    live: LiveServer, client: openai.OpenAI
) -> None:
    """Also where it came as tokens, and in a stream."""
    for prompt in (START, tokens_of(live, START)):
        reply = client.completions.create(
            model="hello", prompt=prompt, echo=True, max_tokens=200
        )
        assert reply.choices[0].text == ANSWER
    parts = client.completions.create(
        model="hello", prompt=START, echo=True, max_tokens=200, stream=True
    )
    texts = [part.choices[0].text for part in parts]
    assert texts[0] == START
    assert "".join(texts) == ANSWER


def test_a_stream_says_the_same_and_counts(client: openai.OpenAI) -> None:
    """One id in all parts, one reason, and the counts in the last part."""
    parts = list(
        client.completions.create(
            model="hello",
            prompt=START,
            stop=["notebook"],
            max_tokens=200,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    texts = [part.choices[0].text for part in parts if part.choices]
    assert "".join(texts) == REST.partition("notebook")[0]
    assert len({part.id for part in parts}) == 1
    reasons = [part.choices[0].finish_reason for part in parts if part.choices]
    assert (reasons.count("stop"), reasons[-1]) == (1, "stop")
    assert parts[-1].usage is not None
    assert all(part.usage is None for part in parts[:-1])


@pytest.mark.parametrize("stream", [False, True])
def test_log_probabilities_are_in_the_legacy_shape(
    client: openai.OpenAI, *, stream: bool
) -> None:
    """Each token stands where its offset says, and is the likeliest of those told."""
    create: Any = client.completions.create  # its overloads want a known 'stream'
    reply = create(model="hello", prompt=START, max_tokens=8, logprobs=2, stream=stream)
    parts = list(reply) if stream else [reply]
    text = "".join(part.choices[0].text for part in parts)
    told = [part.choices[0].logprobs for part in parts if part.choices[0].logprobs]
    offsets = [at for part in told for at in part.text_offset]
    tokens = [token for part in told for token in part.tokens]
    assert "".join(tokens) == text
    assert offsets[0] == 0
    for at, token in zip(offsets, tokens, strict=True):
        assert text[at:].startswith(token)
    tops = [top for part in told for top in part.top_logprobs]
    assert [max(top, key=top.__getitem__) for top in tops] == tokens
    assert all(logprob <= 0 for part in told for logprob in part.token_logprobs)


def test_a_gap_is_filled_by_the_models_own_tokens(client: openai.OpenAI) -> None:
    """What is before and after it is in the prompt, with the model's three marks."""

    def tokens(prompt: str) -> int:
        reply = client.completions.create(model="coder", prompt=prompt, max_tokens=1)
        assert reply.usage is not None
        return reply.usage.prompt_tokens

    filled = client.completions.create(
        model="coder", prompt="def f(x):", suffix="return y", max_tokens=50
    )
    assert filled.choices[0].text == FILLING
    assert filled.usage is not None
    parts = tokens("def f(x):") + tokens("return y")
    assert filled.usage.prompt_tokens == parts + len(MARKS)


def test_a_grammar_holds_for_raw_texts_too(client: openai.OpenAI) -> None:
    reply = client.completions.create(
        model="babble",
        prompt="x",
        max_tokens=20,
        extra_body={"structured_outputs": {"choice": ["yes", "no"]}},
    )
    assert reply.choices[0].text in {"yes", "no"}


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"model": "hello", "suffix": "x"}, "suffix"),
        ({"prompt": [999_999]}, "prompt"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": "word " * 3000}, "prompt"),
        ({"best_of": 3}, "best_of"),
        ({"echo": True, "logprobs": 1}, "logprobs"),
        ({"prompt": [1, "a"]}, "prompt"),
        ({"max_tokens": 0}, "max_tokens"),
    ],
)
def test_what_cannot_be_done_is_refused_by_name(
    live: LiveServer, fields: dict[str, object], param: str
) -> None:
    body = {"model": "hello", "prompt": "x", "max_tokens": 1, **fields}
    with live.client() as http:
        reply = http.post("v1/completions", json=body)
    assert reply.status_code == 400, reply.text
    assert reply.json()["error"]["param"] == param


def test_a_model_that_is_not_there_is_404(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError) as caught:
        client.completions.create(model="nobody", prompt="x")
    assert caught.value.code == "model_not_found"
