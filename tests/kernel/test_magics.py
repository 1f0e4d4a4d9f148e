"""``%llm`` and ``%%llm`` in a real kernel that a real server started."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.kernel.notebook import CellOutput, Notebook, notebook
from tests.live import LiveServer, live_server
from tests.models.hello import ANSWER
from tests.waiting import eventually


@pytest.fixture(scope="module")
def cells(server: LiveServer) -> Iterator[Notebook]:
    """One kernel for the tests of this file."""
    with notebook(server) as started:
        yield started


def test_an_answer_streams_as_markdown_and_is_kept_whole(cells: Notebook) -> None:
    """The cell shows the load, then the text as it grows; the file keeps the end."""
    cells.run("%llm unload hello --force")
    output = cells.run("%%llm hello\nWho are you?")

    assert not output.error
    (final,) = output.displays.values()
    assert final == {"text/markdown": ANSWER, "text/plain": ANSWER}
    progress = [bundle for bundle in output.history if "text/html" in bundle]
    assert "<progress" in progress[0]["text/html"]
    assert any("loading" in bundle["text/plain"] for bundle in progress)


def test_a_long_answer_is_shown_while_it_grows(cells: Notebook) -> None:
    """Several updates, each longer than the one before."""
    output = cells.run("%%llm babble -n 2000 --seed 1 --no-history\nTalk.")

    texts = [b["text/markdown"] for b in output.history if "text/markdown" in b]
    assert len(texts) >= 3
    assert [len(t) for t in texts] == sorted(len(t) for t in texts)
    assert texts[-1].endswith("*[cut at 2000 tokens]*")


def test_models_are_listed_loaded_and_unloaded(cells: Notebook) -> None:
    loaded = cells.run("%llm load other")
    assert "**other** is loaded" in loaded.text
    assert "?B" not in loaded.text, "a size that llama.cpp has no name for"
    assert "| `other` | ready |" in cells.run("%llm list").text
    assert "**other** is unloaded" in cells.run("%llm unload other").text
    listed = cells.run("%llm").text
    assert "| `other` | unloaded |" in listed
    assert "not a GGUF file" in listed
    assert f"{cells.server.url}llm/" in listed


def test_the_options_reach_the_engine(cells: Notebook) -> None:
    """The same seed gives the same text, another one another text."""
    texts = [
        cells.run(
            f"%%llm babble --seed {seed} -n 20 -t 1.5 -s 'Be brief.' --no-history\n"
            "Talk."
        ).text
        for seed in (1, 1, 2)
    ]
    assert texts[0] == texts[1] != texts[2]


def test_no_model_named_takes_the_default(cells: Notebook) -> None:
    """The one that is loaded, where only one is."""
    for name in ("babble", "other"):
        cells.run(f"%llm unload {name} --force")
    cells.run("%llm load hello")
    assert cells.run("%%llm --no-history\nHi").text == ANSWER


def test_an_interrupt_stops_the_engine_and_keeps_the_text(
    cells: Notebook, server: LiveServer
) -> None:
    """Counted by the engine: one more cancelled request, within two steps."""
    cells.run("%llm load babble")
    before = server.model("babble")["engine"]["cancelled"]
    output = CellOutput()
    interrupted = False
    for _ in cells.follow("%%llm babble -n 25000 --no-history\nTalk.", output):
        shown = output.text
        if not interrupted and len(shown) > 200:
            cells.interrupt()
            interrupted = True

    assert output.error_name == "StoppedError"
    assert output.error == "Stopped: the answer was interrupted."
    assert output.text.endswith("*[stopped]*")

    def stopped() -> dict[str, Any] | None:
        """The engine counts one more cancelled request."""
        model = server.model("babble")
        return model if model["engine"]["cancelled"] == before + 1 else None

    model = eventually(stopped)
    assert model["engine"]["cancel_steps"] <= 2
    assert model["slots"]["busy"] == 0


def test_an_interrupt_stops_a_run_of_cells(cells: Notebook) -> None:
    """It is a KeyboardInterrupt like any other."""
    assert cells.run("import kernel_magics.errors as e").error == ""
    shown = cells.run("issubclass(e.StoppedError, KeyboardInterrupt) or 1/0")
    assert not shown.error


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("%%llm helo\nHi", "There is no model 'helo' here. Did you mean 'hello'?"),
        ("%llm load broken", "broken.gguf is not a GGUF file"),
        ("%%llm broken\nHi", "broken.gguf is not a GGUF file"),
        ("%llm unload nothing", "There is no model 'nothing' here."),
        ("%%llm plain\nHi", "no chat template"),
    ],
)
def test_an_error_is_one_message_without_a_traceback(
    cells: Notebook, code: str, words: str
) -> None:
    output = cells.run(code)
    assert output.error.startswith("Refused: ")
    assert words in output.error
    assert "Traceback" not in output.error
    assert output.text == ""


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("%llm lod hello", "knows no 'lod'; it knows list, ps, use, load"),
        ("%llm load", "Usage: %llm load"),
        ("%llm list all", "Usage: %llm list"),
        ("%%llm hello\n  ", "Write the question below"),
        ("%%llm hello -t hot\nHi", "invalid float value: 'hot'"),
        ("%llm use 'hello", "No closing quotation in: 'hello"),
        ("%llm explain 99", "There is no cell [99] to explain."),
        ("%%llm hello --schema nothing\nHi", "has no variable 'nothing'"),
        ("%%llm hello --context cells,cell\nHi", "--context knows no 'cell'"),
        ("%%llm hello --tools __name__\nHi", "'__name__' is no function"),
    ],
)
def test_a_mistyped_line_shows_how_it_is_meant(
    cells: Notebook, code: str, words: str
) -> None:
    output = cells.run(code)
    assert words in output.stream + output.error


def test_help_names_every_command(cells: Notebook) -> None:
    text = cells.run("%llm help").text
    for command in (
        *("list", "ps", "use", "load", "unload", "pull", "rm", "chat", "reset"),
        *("history", "fix", "explain", "prompt", "bench", "doctor", "help", "%%llm"),
    ):
        assert command in text


def test_a_kernel_of_another_server_finds_its_own(
    cells: Notebook, tmp_path: Path, models: Path
) -> None:
    """Two servers at once, one with a base URL and without a token."""
    first = cells
    with (
        live_server(tmp_path, models, token="", base_url="/hub/user/") as second,
        notebook(second) as other,
    ):
        assert other.run("%%llm hello\nHi").text == ANSWER
        assert f"{second.url}llm/" in other.run("%llm").text
        assert f"{first.server.url}llm/" in first.run("%llm").text
        assert second.model("hello")["state"] == "ready"


def test_without_a_server_the_message_says_what_was_tried(tmp_path: Path) -> None:
    """In a kernel that no server started."""
    book = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell("%load_ext kernel_magics"),
            nbformat.v4.new_code_cell(
                "%config LLMMagics.private_server = False\n%llm list"
            ),
        ]
    )
    client = NotebookClient(
        book, allow_errors=True, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute(env={**_without_jupyter(tmp_path)})
    (error,) = book.cells[1]["outputs"]
    assert error["ename"] == "ServerNotFoundError"
    text = "\n".join(error["traceback"])
    for part in ("Tried, in this order", "LLM_EXT_URL is not set", "JUPYTERHUB"):
        assert part in text
    assert "Traceback" not in text


def _without_jupyter(folder: Path) -> dict[str, str]:
    return {
        **os.environ,
        "JUPYTER_RUNTIME_DIR": str(folder),
        "IPYTHONDIR": str(folder / "ipython"),
    }
