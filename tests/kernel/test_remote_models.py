"""Models of other servers in a notebook: listed, completed, asked."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kernel.notebook import Notebook, notebook
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
    folder = tmp_path_factory.mktemp("remote")
    (folder / "config").mkdir()
    options = {"LLMExt": {"providers": {"lab": {"url": odd.url}}}}
    (folder / "config" / "jupyter_server_config.json").write_text(json.dumps(options))
    with live_server(folder, models) as running:
        with running.client() as http:
            eventually(lambda: http.get("models").json()["remote"])
        yield running


@pytest.fixture(scope="module")
def cells(own: LiveServer) -> Iterator[Notebook]:
    """One kernel for the tests of this file."""
    with notebook(own) as started:
        yield started


def test_remote_models_are_listed_and_completed(cells: Notebook) -> None:
    listed = cells.run("%llm list").text
    assert "| `lab/odd` | remote |  | answered by the provider lab |" in listed
    assert "%%llm lab/odd" in cells.complete("%%llm lab/o")
    names = cells.run("from kernel_magics import llm; print(llm.models().names)").stream
    assert "'lab/odd', 'lab/other'" in names
    told = cells.run("%llm doctor").text
    assert "1 beside this machine" in told
    assert "`lab`: ready, 2 models" in told


def test_a_remote_model_answers_a_cell(cells: Notebook, odd: Provider) -> None:
    odd.stream(piece("From "), piece("the lab."), END, DONE)
    assert cells.run("%%llm lab/odd\nWho are you?").text.startswith("From the lab.")
    assert odd.last.body["model"] == "odd"
    assert odd.last.body["messages"][-1]["content"] == "Who are you?"


def test_a_remote_model_is_chosen_and_not_loaded(
    cells: Notebook, odd: Provider
) -> None:
    assert "Questions go to **lab/odd**" in cells.run("%llm use lab/odd").text
    odd.stream(piece("Chosen."), END, DONE)
    assert cells.run("%%llm\nAnd now?").text.startswith("Chosen.")
    refused = cells.run("%llm load lab/odd").error
    assert "provider 'lab'" in refused
    cells.run("%llm use --reset")


def test_a_remote_error_is_told_in_the_cell(cells: Notebook, odd: Provider) -> None:
    odd.reply({"error": {"message": "the lab is closed"}}, 503)
    assert "the lab is closed" in cells.run("%%llm lab/odd\nHello?").error
