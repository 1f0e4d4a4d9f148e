"""The model in the box, asked as a newcomer asks it, at temperature 0."""

import re
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from tests.kernel.notebook import Notebook, notebook
from tests.live import LiveServer, live_server


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server whose user has no model of their own."""
    folder = tmp_path_factory.mktemp("alone")
    with live_server(folder, folder / "no-models") as running:
        yield running


@pytest.fixture
def client(alone: LiveServer) -> Iterator[openai.OpenAI]:
    """The unmodified OpenAI client."""
    url = f"{alone.url}llm/v1"
    with openai.OpenAI(base_url=url, api_key=alone.token) as made:
        yield made


def ask(client: openai.OpenAI, *turns: str, system: str = "") -> str:
    """Ask the turns of a user one by one; return the last answer."""
    messages = [{"role": "system", "content": system}] if system else []
    answer = ""
    for turn in turns:
        messages.append({"role": "user", "content": turn})
        reply = client.chat.completions.create(
            model="guide",
            messages=messages,  # type: ignore[arg-type]  # plain messages
            temperature=0,
            max_tokens=200,
        )
        answer = reply.choices[0].message.content or ""
        messages.append({"role": "assistant", "content": answer})
    return answer


def test_it_is_what_people_get_who_have_no_model(alone: LiveServer) -> None:
    with alone.client() as http:
        listed = http.get("models").json()
    assert listed["default"] == "guide"
    assert [model["id"] for model in listed["models"]] == ["guide"]


def test_it_is_small_enough_to_ship(alone: LiveServer) -> None:
    assert alone.model("guide")["size"] <= 10_000_000


def test_it_adds(client: openai.OpenAI) -> None:
    assert re.search(r"= 4\b", ask(client, "What is 2+2?"))


def test_it_says_hello_in_spanish(client: openai.OpenAI) -> None:
    assert "hola" in ask(client, "How do you say hello in Spanish?").lower()


def test_it_remembers_a_name_over_three_turns(client: openai.OpenAI) -> None:
    answer = ask(
        client,
        "My name is Maria.",
        "What is the capital of France?",
        "What is my name?",
    )
    assert "Maria" in answer


def test_it_follows_a_system_prompt(client: openai.OpenAI) -> None:
    answer = ask(client, "What is the capital of Italy?", system="Answer in one word.")
    assert answer.rstrip(".") == "Rome"


def test_it_explains_this_product(client: openai.OpenAI) -> None:
    assert "%llm load" in ask(client, "How do I load a model?")


def test_it_answers_the_same_twice_because_it_recommends_so(
    client: openai.OpenAI,
) -> None:
    """Without a temperature its file's own 0 holds."""
    texts = {
        client.chat.completions.create(
            model="guide", messages=[{"role": "user", "content": "Who are you?"}]
        )
        .choices[0]
        .message.content
        for _ in range(3)
    }
    assert len(texts) == 1


@pytest.fixture(scope="module")
def cells(alone: LiveServer) -> Iterator[Notebook]:
    """A kernel of the same server."""
    with notebook(alone) as started:
        yield started


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What is 2+2?", "= 4"),
        ("How do you say hello in Spanish?", "hola"),
        ("How do I list my models?", "%llm list"),
    ],
)
def test_it_answers_in_a_cell(cells: Notebook, question: str, expected: str) -> None:
    """No model is named: it is the default."""
    output = cells.run(f"%%llm -t 0\n{question}")
    assert not output.error
    assert expected in output.text


def test_it_writes_code_that_compiles(cells: Notebook) -> None:
    text = cells.run("%%llm\nHow do I read a CSV file with pandas?").text
    (code,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    compile(code, "snippet", "exec")
    assert "read_csv" in code


def test_the_file_says_what_it_is() -> None:
    """Name, licence and roles are in its metadata, for every other program."""
    import gguf  # noqa: PLC0415  # slow to import, needed here alone

    path = Path(__file__).parents[2] / "llm_ext" / "demo" / "guide.gguf"
    reader = gguf.GGUFReader(path)
    fields = {
        name: field.contents()
        for name, field in reader.fields.items()
        if not name.startswith("tokenizer.ggml.") or name.endswith("_id")
    }
    assert fields["general.name"] == "Guide"
    assert fields["general.license"] == "BSD-3-Clause"
    assert fields["llama.context_length"] >= 2048
    assert "tool_call" in fields["tokenizer.chat_template"]
    for key in ("eos", "fim_pre", "fim_suf", "fim_mid"):
        assert f"tokenizer.ggml.{key}_token_id" in fields
