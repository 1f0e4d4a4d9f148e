"""The subcommands of ``%llm`` in a real kernel over a real server and a real hub."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import pytest

from tests.hub import Fault, Hub, running_hub
from tests.kernel.notebook import CellOutput, Notebook, notebook
from tests.live import LiveServer, live_server
from tests.models.hello import ANSWER, write_hello
from tests.waiting import eventually

REPO = "org/Hello-GGUF"
FILE = "Hello-Q8_0.gguf"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    """A hub with one small model."""
    file = write_hello(tmp_path_factory.mktemp("hub") / FILE)
    with running_hub() as running:
        running.add(REPO, {FILE: file.read_bytes()})
        yield running


@pytest.fixture(scope="module")
def own(
    tmp_path_factory: pytest.TempPathFactory, models: Path, hub: Hub
) -> Iterator[LiveServer]:
    """A server that may download, with a model folder that may be changed."""
    folder = tmp_path_factory.mktemp("commands")
    (folder / "models").mkdir()
    for name in ("hello", "babble", "plain"):
        shutil.copy(models / f"{name}.gguf", folder / "models")
    environ = {
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(folder / "hf"),
        "NO_PROXY": "127.0.0.1",
    }
    with patch.dict(os.environ, environ):
        os.environ.pop("HF_HUB_OFFLINE", None)
        os.environ.pop("HF_TOKEN", None)
        with live_server(folder, folder / "models") as running:
            yield running


@pytest.fixture(scope="module")
def cells(own: LiveServer) -> Iterator[Notebook]:
    """One kernel for the tests of this file."""
    with notebook(own) as started:
        yield started


def test_a_model_is_loaded_as_it_is_wanted(cells: Notebook, own: LiveServer) -> None:
    """Context, slots, keep-alive and pin reach the server; ``ps`` shows them."""
    loaded = cells.run(
        "%llm load hello --context-length 512 --slots 2 --gpu-layers 0 "
        "--keep-alive 1h --pin"
    )
    assert "context 512 tokens" in loaded.text
    options = own.model("hello")["options"]
    assert (options["context_length"], options["slots"]) == (512, 2)
    assert options["gpu_layers"] == 0
    listed = cells.run("%llm ps").text
    assert "| `hello` | ready |" in listed
    assert "| 512 | 0 of 2 | pinned |" in listed
    bars = [bundle["text/plain"] for bundle in loaded.history if "text/html" in bundle]
    assert any("hello: loading" in text for text in bars)


def test_a_load_option_that_makes_no_sense_is_refused(cells: Notebook) -> None:
    """By the server, which knows best."""
    output = cells.run("%llm load babble --kv-type q1")
    assert output.error.startswith("Refused: ")
    assert "kv_type" in output.error


def test_questions_go_to_the_model_in_use(cells: Notebook) -> None:
    """Until it is reset; a name that does not exist is not taken."""
    assert "**hello**, chosen" in cells.run("%llm use hello").text
    assert cells.run("%%llm\nHi").text == ANSWER
    assert "Did you mean 'hello'?" in cells.run("%llm use helo").error
    assert "**hello**, chosen" in cells.run("%llm use").text
    assert "the server's default" in cells.run("%llm use --reset").text


def test_a_model_is_pulled_asked_and_deleted(cells: Notebook, own: LiveServer) -> None:
    """With a bar while it comes; deleting asks first, and shows what would go."""
    pulled = cells.run(f"%llm pull hf:{REPO}:Q8_0")
    assert not pulled.error, pulled.error
    bars = [bundle for bundle in pulled.history if "text/html" in bundle]
    assert "<progress" in bars[0]["text/html"]
    assert "**hello-q8-0** is here" in pulled.text
    assert cells.run("%%llm hello-q8-0 --no-history\nHi").text == ANSWER
    cells.run("%llm unload hello-q8-0")

    alone = cells.run("%llm rm hello-q8-0")
    assert "add --yes" in alone.stream + alone.error
    kept = cells.run("%llm rm hello-q8-0", replies=["n"])
    assert "Delete " in kept.asked[0]
    assert FILE.lower() in kept.asked[0].lower()
    assert kept.text == "Nothing was deleted."
    gone = cells.run("%llm rm hello-q8-0", replies=["y"])
    assert gone.text == "**hello-q8-0** is deleted."
    with own.client() as client:
        assert client.get("models/hello-q8-0").status_code == 404


def test_what_the_hub_does_not_have_is_one_message(cells: Notebook) -> None:
    """No bar is left behind."""
    output = cells.run("%llm pull hf:org/Nothing-GGUF")
    assert "org/Nothing-GGUF" in output.error
    assert "Traceback" not in output.error
    assert output.text == ""


def test_an_interrupted_pull_pauses_and_goes_on_later(
    cells: Notebook, own: LiveServer, hub: Hub
) -> None:
    """What has come is kept: the same line fetches the rest."""
    cells.run("%llm rm hello-q8-0 --yes")
    hub.store_faults.append(Fault(hold=300_000))
    output = CellOutput()
    interrupted = False
    for _ in cells.follow(f"%llm pull hf:{REPO}:Q8_0", output):
        shown = output.history[-1]["text/plain"] if output.history else ""
        if not interrupted and "downloading" in shown:
            cells.interrupt()
            interrupted = True
    hub.released.set()

    assert output.error_name == "StoppedError"
    assert "the download is paused" in output.error

    def paused() -> bool:
        """The server has paused it."""
        with own.client() as client:
            states = [d["state"] for d in client.get("downloads").json()["downloads"]]
        return "paused" in states

    eventually(paused)
    assert "is here" in cells.run(f"%llm pull hf:{REPO}:Q8_0").text


def test_the_manager_follows_downloads_that_others_forget(
    cells: Notebook, own: LiveServer
) -> None:
    """They leave the list of every widget, not only of the one that was pressed."""
    cells.run("from kernel_magics import ModelManager\nmanager = ModelManager()")
    cells.run("%llm rm hello-q8-0 --yes")
    assert "is here" in cells.run(f"%llm pull hf:{REPO}:Q8_0").text
    shown = "print([download['state'] for download in manager.downloads])"
    eventually(lambda: "done" in cells.run(shown).stream)
    with own.client() as client:
        for download in client.get("downloads").json()["downloads"]:
            client.delete(f"downloads/{download['id']}").raise_for_status()
    eventually(lambda: cells.run(shown).stream.strip() == "[]")


def test_the_last_error_is_explained(cells: Notebook) -> None:
    """The model gets the traceback and the code; nothing of it is remembered."""
    cells.run("%llm load hello --context-length 2048")
    cells.run("%llm reset")
    cells.run("total = 1 / 0")
    assert cells.run("%llm fix hello").text == ANSWER
    assert cells.run("print(_llm.usage.prompt_tokens > 100)").stream == "True\n"
    assert "Nothing was asked" in cells.run("%llm history").text


def test_without_an_error_there_is_nothing_to_fix(own: LiveServer) -> None:
    """In a new notebook, and without asking the server."""
    with notebook(own) as fresh:
        output = fresh.run("%llm fix")
    assert "No cell of this notebook has failed" in output.stream + output.error


def test_a_cell_is_explained(cells: Notebook) -> None:
    """By its number, or the one before; nothing of it is remembered."""
    cells.run("%llm load hello --context-length 2048")
    cells.run("%llm reset")
    cells.run("x = [n * n for n in range(9)]")
    assert cells.run("%llm explain --model hello").text == ANSWER
    assert cells.run("%llm explain 1 --model hello").text == ANSWER
    assert "Nothing was asked" in cells.run("%llm history").text


def test_a_model_is_measured(cells: Notebook) -> None:
    """The table has a row for each run; words would not do."""
    text = cells.run("%llm bench babble --runs 2 --tokens 16 --prompt 3").text
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert "answer tokens/s" in rows[0]
    assert len(rows) == 4
    for row in rows[2:]:
        cells_of_row = [cell.strip() for cell in row.strip("|").split("|")]
        assert float(cells_of_row[-1]) > 0
        assert cells_of_row[4] == "16"


def test_the_doctor_says_how_the_server_was_found_and_what_works(
    cells: Notebook, own: LiveServer
) -> None:
    """Every step of the search, the server, its models and memory, this kernel."""
    text = cells.run("%llm doctor").text
    assert "1. LLM_EXT_URL is not set" in text
    assert f"**found** {own.url}llm/ through the file" in text
    for words in ("✓ it answers", "✓ it lets this kernel in", "✓ models: ", "CPU: "):
        assert words in text
    assert own.token not in text


def test_the_doctor_says_what_does_not_work(cells: Notebook) -> None:
    """A wrong token is told as such."""
    with notebook(cells.server) as wrong:
        wrong.run(
            "import os; os.environ.update(LLM_EXT_URL="
            f"'{cells.server.url}llm/', LLM_EXT_TOKEN='wrong')"
        )
        text = wrong.run("%llm doctor").text
    assert "through LLM_EXT_URL" in text
    assert "✗ it lets this kernel in: Jupyter's token is missing or wrong" in text
    assert "✓ it answers" in text


def test_tab_completes_commands_models_and_options(cells: Notebook) -> None:
    """In both magics, and the names of variables where one is wanted."""
    cells.run("%llm")
    cells.run("shape_of_it = dict")
    for code, wanted in [
        ("%llm lo", "%llm load"),
        ("%llm load hel", "%llm load hello"),
        ("%llm load hello --cont", "%llm load hello --context-length"),
        ("%llm load hello --kv-type q8", "%llm load hello --kv-type q8_0"),
        ("%llm use bab", "%llm use babble"),
        ("%%llm hel", "%%llm hello"),
        ("%%llm --temp", "%%llm --temperature"),
        ("%%llm -", "%%llm -t"),
        ("%%llm hello -f mark", "%%llm hello -f markdown"),
        ("%%llm --context cel", "%%llm --context cells"),
        ("%%llm --schema shape_", "%%llm --schema shape_of_it"),
    ]:
        assert wanted in cells.complete(code), code


def test_tab_knows_the_models_before_anything_was_asked(own: LiveServer) -> None:
    """A server that is there is found; the word after the command is no exception."""
    with notebook(own) as fresh:
        assert "%%llm hello" in fresh.complete("%%llm hel")
        assert "%llm load babble" in fresh.complete("%llm load ")


def test_a_prompt_of_the_server_is_run(cells: Notebook, own: LiveServer) -> None:
    """With its variables, of which one is the notebook's; Tab and a list know it."""
    with own.client() as client:
        body = {"name": "greet", "template": "Greet {{who}} in {{language}}."}
        client.post("prompts", json=body).raise_for_status()
    cells.run("language = 'plain Dutch'")
    output = cells.run('%llm prompt greet who=Ada language="$language" --model hello')
    assert not output.error, output.error
    assert output.text == ANSWER
    assert cells.run("print(_llm)").stream.strip() == ANSWER
    facts = "print(_llm.model, _llm.finish_reason, _llm.usage.completion_tokens > 9)"
    assert cells.run(facts).stream == "hello stop True\n"
    assert "| `greet` | who, language |" in cells.run("%llm prompt").text
    assert "%llm prompt greet" in cells.complete("%llm prompt gr")
    refused = cells.run("%llm prompt greet who --model hello")
    assert "'who' should be NAME=VALUE" in refused.stream + refused.error


def test_a_prompt_that_is_refused_leaves_no_bar(
    cells: Notebook, own: LiveServer
) -> None:
    """The place is left to the error."""
    with own.client() as client:
        body = {"name": "strict", "template": "Greet {{who}}."}
        client.post("prompts", json=body).raise_for_status()
    output = cells.run("%llm prompt strict --model hello")
    assert output.error.startswith("Refused: ")
    assert output.text == ""


def test_a_prompts_answer_that_is_cut_says_so(cells: Notebook, own: LiveServer) -> None:
    """As any other answer, with figures where the notebook wants them."""
    with own.client() as client:
        body = {"name": "talk", "template": "Talk.", "model": "babble"}
        options = {"max_tokens": 3, "seed": 1}
        client.post("prompts", json={**body, "options": options}).raise_for_status()
    cells.run("%config LLMMagics.stats = True")
    text = cells.run("%llm prompt talk").text
    cells.run("%config LLMMagics.stats = False")
    assert "*[cut at 3 tokens]*" in text
    assert "babble · " in text
    assert (
        cells.run("print(_llm.model, _llm.finish_reason)").stream == "babble length\n"
    )


def test_a_prompt_of_the_server_that_is_not_there_is_refused(cells: Notebook) -> None:
    """In one message."""
    output = cells.run("%llm prompt nothing a=1")
    assert "There is no prompt 'nothing'" in output.stream + output.error
