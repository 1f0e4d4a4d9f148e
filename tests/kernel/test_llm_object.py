"""``from kernel_magics import llm`` in a program and in a kernel."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from kernel_magics import LLM
from kernel_magics.errors import RefusedError, SchemaError
from kernel_magics.pieces import Status
from tests.kernel.notebook import Notebook, notebook
from tests.live import LiveServer
from tests.models.hello import ANSWER
from tests.waiting import eventually


@pytest.fixture(scope="module")
def llm(server: LiveServer) -> Iterator[LLM]:
    """The models of a real server, asked from this process."""
    made = LLM(url=f"{server.url}llm/", token=server.token)
    yield made
    made.client.close()


@pytest.fixture(scope="module")
def cells(server: LiveServer) -> Iterator[Notebook]:
    """One kernel for the tests of this file."""
    with notebook(server) as started:
        yield started


@dataclass
class Flag:
    up: bool


def test_a_question_is_a_call(llm: LLM) -> None:
    """The answer has its text, figures and object."""
    answer = llm("Hi", model="hello")
    assert answer.text == str(answer) == f"{answer}" == ANSWER
    assert answer.usage.completion_tokens > 20
    assert answer.timings.first is not None
    assert answer.timings.first <= answer.timings.total
    made = llm("Make one", model="babble", schema=Flag, temperature=1)
    assert isinstance(made.value, Flag)
    assert made.json == {"up": made.value.up}


def test_an_answer_that_is_no_json_says_so(llm: LLM) -> None:
    """And what would make it one."""
    with pytest.raises(SchemaError, match="schema="):
        _ = llm("Hi", model="hello").json


def test_a_stream_is_read_piece_by_piece(llm: LLM) -> None:
    """What was read is the answer afterwards."""
    stream = llm.chat("Hi", model="hello")
    parts = list(stream)
    assert len(parts) > 5
    assert "".join(parts) == stream.answer.text == ANSWER
    llm.unload("hello", force=True)
    pieces = list(llm.chat("Hi", model="hello").pieces())
    assert any(isinstance(p, Status) and "loading" in p.text for p in pieces)


def test_a_stream_is_read_and_awaited_without_blocking(llm: LLM) -> None:
    """Several at once, in one loop."""

    async def read() -> str:
        return "".join([text async for text in llm.chat("Hi", model="hello")])

    async def both() -> tuple[str, Any, Any]:
        return await asyncio.gather(
            read(), llm.chat("Hi", model="hello"), llm.aio.models()
        )

    text, answer, models = asyncio.run(both())
    assert text == answer.text == ANSWER
    assert "hello" in models.names


def test_leaving_a_stream_stops_the_engine(llm: LLM, server: LiveServer) -> None:
    """Both when a loop ends early and when a task is cancelled."""
    llm.load("babble")

    def cancelled() -> int:
        count: int = server.model("babble")["engine"]["cancelled"]
        return count

    before = cancelled()
    for _ in llm.chat("Talk", model="babble", max_tokens=20_000):
        break
    eventually(lambda: cancelled() == before + 1)

    def runs() -> bool:
        """The engine has the request."""
        return bool(server.model("babble")["slots"]["busy"])

    async def give_up() -> None:
        stream = llm.chat("Talk", model="babble", max_tokens=20_000)
        answer = asyncio.ensure_future(stream._awaited())
        await asyncio.to_thread(eventually, runs)
        answer.cancel()
        with pytest.raises(asyncio.CancelledError):
            await answer

    asyncio.run(give_up())
    eventually(lambda: cancelled() == before + 2)
    assert server.model("babble")["engine"]["cancel_steps"] <= 2


def test_a_conversation_remembers(llm: LLM) -> None:
    """Each question goes with those before it."""
    talk = llm.conversation(model="guide")
    talk("My name is Ada.")
    assert "Ada" in talk("What is my name?").text
    assert len(talk.conversation.turns) == 2


def test_texts_become_an_array(llm: LLM) -> None:
    """One row a text, of length 1; one text alone is one vector."""
    texts = [f"text {number}" for number in range(300)]
    matrix = llm.embed(texts, model="encoder")
    assert matrix.dtype == np.float32
    assert matrix.shape[0] == 300
    np.testing.assert_allclose((matrix**2).sum(1), 1, rtol=1e-4)
    single = llm.embed("text 7", model="encoder")
    np.testing.assert_allclose(single, matrix[7], atol=1e-3)
    assert llm.embed([], model="encoder").shape[0] == 0


def test_models_are_listed_loaded_and_unloaded(llm: LLM) -> None:
    """With options; what is wrong is one error."""
    assert llm.load("other", context_length=512)["context_length"] == 512
    assert llm.unload("other")["state"] == "unloaded"
    assert "other" in llm.models().names
    assert "| `other` | unloaded |" in llm.models()._repr_markdown_()
    with pytest.raises(RefusedError, match="There is no model 'nothing' here"):
        llm("Hi", model="nothing")


def test_openai_clients_are_ready_to_use(llm: LLM) -> None:
    """Address, token and connection are set; both kinds."""
    messages: Any = [{"role": "user", "content": "Hi"}]
    with llm.openai() as client:
        reply = client.chat.completions.create(model="hello", messages=messages)
    assert reply.choices[0].message.content == ANSWER

    async def ask() -> str:
        async with llm.async_openai() as client:
            found = await client.chat.completions.create(
                model="hello", messages=messages
            )
        return str(found.choices[0].message.content)

    assert asyncio.run(ask()) == ANSWER


def test_a_function_is_called_for_a_program_that_said_so(llm: LLM) -> None:
    """Without a question where ``confirm`` is off."""

    def get_weather(city: str) -> dict[str, object]:
        """Say the weather in a city."""
        return {"temperature": 21, "sky": f"sunny in {city}"}

    answer = llm(
        "What is the weather in Paris?",
        model="guide",
        tools=[get_weather],
        confirm=False,
    )
    assert answer.calls
    assert answer.calls[0].call.name == "get_weather"


def test_a_stream_at_the_end_of_a_cell_shows_itself(cells: Notebook) -> None:
    """As it grows, and whole in the end; an answer shows as Markdown."""
    cells.run("from kernel_magics import llm")
    output = cells.run("llm.chat('Hi', model='hello')")
    assert output.text == ANSWER
    assert cells.run("llm('Hi', model='hello')").result["text/markdown"] == ANSWER


def test_streams_work_in_a_cell_with_await(cells: Notebook) -> None:
    """In the kernel's own loop."""
    cells.run("from kernel_magics import llm")
    read = cells.run(
        "async for text in llm.chat('Hi', model='hello'): print(text, end='')"
    )
    assert read.stream == ANSWER
    awaited = cells.run("print((await llm.chat('Hi', model='hello')).text)")
    assert awaited.stream.strip() == ANSWER


def test_importing_it_takes_little_and_loads_nothing_heavy() -> None:
    """At most 200 ms of a processor; neither httpx, IPython nor numpy comes along."""
    code = (
        "import sys, time; before = time.process_time();"
        "from kernel_magics import llm; took = time.process_time() - before;"
        "heavy = {'httpx', 'IPython', 'numpy', 'msgspec', 'ipywidgets', 'asyncio'};"
        "print(took, *(heavy & set(sys.modules)))"
    )
    took, *heavy = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert heavy == []
    assert float(took) < 0.2


def test_nothing_else_is_public() -> None:
    """What can be imported is what is listed."""
    import kernel_magics  # noqa: PLC0415  # the package itself is looked at

    for name in kernel_magics.__all__:
        assert getattr(kernel_magics, name) is not None
    with pytest.raises(AttributeError):
        _ = kernel_magics.nothing
