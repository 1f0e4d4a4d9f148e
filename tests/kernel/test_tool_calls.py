"""``--tools`` with a model that calls exactly what a test wants."""

import json
import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import start_new_kernel

from tests.kernel.notebook import CellOutput, Notebook, notebook
from tests.live import LiveServer, live_server
from tests.provider import DONE, END, Provider, piece, provider
from tests.waiting import eventually


@pytest.fixture(scope="module")
def odd() -> Iterator[Provider]:
    """A server that says what a test tells it."""
    with provider() as running:
        yield running


@pytest.fixture(scope="module")
def own(
    tmp_path_factory: pytest.TempPathFactory, models: Path, odd: Provider
) -> Iterator[LiveServer]:
    """A server with that one as its provider."""
    folder = tmp_path_factory.mktemp("tools")
    (folder / "config").mkdir()
    options = {"LLMExt": {"providers": {"lab": {"url": odd.url}}}}
    (folder / "config" / "jupyter_server_config.json").write_text(json.dumps(options))
    with live_server(folder, models) as running:
        with running.client() as http:
            eventually(lambda: http.get("models").json()["remote"])
        yield running


FUNCTIONS = """
called = []
def add(a: int, b: int) -> int:
    "Add two numbers."
    called.append((a, b))
    return a + b
"""


@pytest.fixture(scope="module")
def shared(own: LiveServer) -> Iterator[Notebook]:
    """One kernel for the tests of this file."""
    with notebook(own) as started:
        yield started


@pytest.fixture
def cells(shared: Notebook) -> Notebook:
    """The same, with functions that nobody has called."""
    shared.run(FUNCTIONS)
    return shared


def called(name: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401  # any JSON
    """Return the chunk that calls a function."""
    function = {"name": name, "arguments": json.dumps(arguments)}
    part = {"index": 0, "id": "c1", "type": "function", "function": function}
    return {"choices": [{"index": 0, "delta": {"tool_calls": [part]}}]}


CALLED = piece(finish_reason="tool_calls")
ASK = "%%llm lab/odd --tools add --no-history\nWhat is 1 + 2?"


def test_each_call_is_asked_for_until_always(cells: Notebook, odd: Provider) -> None:
    """Two calls, the second allowed for good; the third is not asked for."""
    for number in (1, 2, 3):
        odd.stream(called("add", a=number, b=0), CALLED, DONE)
    odd.stream(piece("Done."), END, DONE)
    output = cells.run(ASK, replies=["y", "a"])

    assert [question.partition("?")[0] for question in output.asked] == [
        "Run add(a=1, b=0)",
        "Run add(a=2, b=0)",
    ]
    assert cells.run("print(called)").stream == "[(1, 0), (2, 0), (3, 0)]\n"
    assert output.text.endswith("> called `add(a=3, b=0)`: `3`\n\nDone.")
    (bundle,) = output.displays.values()
    assert bundle["text/plain"].endswith("called add(a=3, b=0): 3\n\nDone.")
    assert [m["content"] for m in odd.last.body["messages"] if m["role"] == "tool"] == [
        "1",
        "2",
        "3",
    ]


def test_an_interrupt_at_the_question_calls_nothing(
    shared: Notebook, odd: Provider
) -> None:
    """The cell ends as stopped, no bar is left, and the next question works."""
    with notebook(shared.server) as cells:
        cells.run(FUNCTIONS)
        odd.stream(called("add", a=1, b=2), CALLED, DONE)
        output = interrupted_at_the_question(cells, ASK)
        assert output.error_name == "StoppedError"
        assert output.history[-1]["text/plain"] == ""
        assert cells.run("print(called)").stream == "[]\n"

        odd.stream(piece("Three."), END, DONE)
        assert cells.run(ASK).text == "Three."


def interrupted_at_the_question(cells: Notebook, code: str) -> CellOutput:
    """Run a cell, and interrupt the kernel while it waits for the user's reply."""
    output = CellOutput()
    request = cells.client.execute(code, allow_stdin=True)
    cells.client.get_stdin_msg(timeout=60)
    cells.interrupt()
    done = False
    while not done:
        message = cells.client.get_iopub_msg(timeout=60)
        if message["parent_header"].get("msg_id") == request:
            done = output.take(message)
    return output


def test_a_function_that_is_interrupted_stops_the_cell(
    cells: Notebook, odd: Provider
) -> None:
    """What the model is to be told does not matter any more."""
    cells.run("def add(a: int, b: int) -> int:\n  print('in')\n  while True: pass")
    odd.stream(called("add", a=1, b=2), CALLED, DONE)
    output, sent = CellOutput(), False
    for _ in cells.follow(ASK.replace("--tools", "--yes --tools"), output):
        if "in" in output.stream and not sent:
            sent = True
            cells.interrupt()
    assert output.error_name == "StoppedError"


def test_what_surrounds_a_value_stands_below_it(cells: Notebook, odd: Provider) -> None:
    """JSON, a page and a formula have no room for calls and figures."""
    odd.stream(called("add", a=1, b=2), CALLED, DONE)
    odd.stream(piece('{"sum": 3}'), END, DONE)
    ask = ASK.replace("--tools", "--yes --stats -f json --tools")
    value, below = cells.run(ask).displays.values()

    assert value["application/json"] == {"sum": 3}
    assert json.loads(value["text/plain"]) == {"sum": 3}
    assert "> called `add(a=1, b=2)`: `3`" in below["text/markdown"]
    assert "answer tokens" in below["text/markdown"]


def test_the_notebooks_format_json_asks_for_json(
    cells: Notebook, odd: Provider
) -> None:
    """As the option of the cell does."""
    cells.run("%config LLMMagics.format = 'json'")
    odd.stream(piece("[1]"), END, DONE)
    output = cells.run("%%llm lab/odd --no-history\nA list, please.")
    cells.run("%config LLMMagics.format = 'markdown'")
    (bundle,) = output.displays.values()
    assert bundle["application/json"] == [1]
    assert odd.last.body["response_format"] == {"type": "json_object"}


FENCED = "It divides by zero.\n\n```python\ntotal = 1\n```\n\nThat is all."


def test_a_fix_is_offered_as_the_next_cell(cells: Notebook, odd: Provider) -> None:
    """The block of code, and nothing around it; ``-f code`` does the same."""
    cells.run("total = 1 / 0")
    odd.stream(piece(FENCED), END, DONE)
    cells.run("%config LLMMagics.seed = 7")
    assert cells.proposed_by("%llm fix lab/odd") == "total = 1"
    cells.run("%config LLMMagics.seed = None")
    assert odd.last.body["seed"] == 7
    sent = odd.last.body["messages"][-1]["content"]
    assert "total = 1 / 0" in sent
    assert "ZeroDivisionError: division by zero" in sent
    odd.stream(piece(FENCED), END, DONE)
    assert cells.proposed_by("%%llm lab/odd -f code\nMend it.") == "total = 1"


def asked_more_than(odd: Provider, count: int) -> bool:
    """The provider has the request."""
    return len(odd.asked) > count


def test_an_interrupted_call_of_llm_ends_the_request(
    cells: Notebook, odd: Provider
) -> None:
    """Also of one in a loop, and of one that is awaited."""
    for code in (
        "from kernel_magics import llm; print('in'); llm('Talk', model='lab/odd')",
        "print('in'); [t for t in llm.chat('Talk', model='lab/odd')]",
        "print('in'); await llm.chat('Talk', model='lab/odd')",
    ):
        odd.gone.clear()
        odd.stream(piece("One "), None, DONE)
        asked = len(odd.asked)
        output, sent = CellOutput(), False
        for _ in cells.follow(code, output):
            if "in" in output.stream and not sent:
                sent = True
                eventually(partial(asked_more_than, odd, asked))
                cells.interrupt()
        assert output.error_name in ("KeyboardInterrupt", "CancelledError"), code
        assert odd.gone.wait(20), code


def test_a_kernel_that_loads_the_magics_at_its_start_asks(
    own: LiveServer, odd: Provider, tmp_path: Path
) -> None:
    """Its ``input`` is not there yet when they come."""
    token = tmp_path / "token"
    token.write_text(own.token)
    environ = {
        "LLM_EXT_URL": f"{own.url}llm/",
        "LLM_EXT_TOKEN_FILE": str(token),
        "IPYTHONDIR": str(tmp_path),
    }
    extensions = ["--IPKernelApp.extensions=['kernel_magics']"]
    manager, client = start_new_kernel(
        env={**os.environ, **environ}, extra_arguments=extensions
    )
    try:
        odd.stream(called("add", a=1, b=2), CALLED, DONE)
        odd.stream(piece("Done."), END, DONE)
        client.execute_interactive(FUNCTIONS, timeout=60)
        asked = []

        def typed(message: dict[str, Any]) -> None:
            asked.append(message["content"]["prompt"])
            client.input("y")

        client.execute_interactive(ASK, allow_stdin=True, stdin_hook=typed, timeout=60)
        assert len(asked) == 1
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
