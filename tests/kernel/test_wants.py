"""What people asked for elsewhere and did not get; a test for each, named after it."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import nbformat
import pytest

from kernel_magics.render.pace import Pace
from tests.kernel.notebook import CellOutput, Notebook, notebook
from tests.live import LiveServer, live_server
from tests.models.hello import ANSWER
from tests.waiting import eventually


@pytest.fixture(scope="module")
def cells(server: LiveServer) -> Iterator[Notebook]:
    """One kernel for the tests of this file."""
    with notebook(server) as started:
        yield started


def test_a_gguf_file_is_asked_without_another_program(cells: Notebook) -> None:
    """A file in a folder is a model; nothing else is installed or started."""
    assert cells.run("%%llm hello --no-history\nHi").text == ANSWER


def test_magics_stream(cells: Notebook) -> None:
    """At most 12 updates a second, and the last one is what is kept."""
    began = time.monotonic()
    output = cells.run("%%llm babble -n 6000 --seed 1 --no-history\nTalk.")
    took = time.monotonic() - began
    shown = [b for b in output.history if "text/markdown" in b]
    assert 3 <= len(shown) <= 13 * took + 2
    assert output.text == shown[-1]["text/markdown"]


def interrupted(cells: Notebook, code: str) -> tuple[CellOutput, float]:
    """Interrupt a cell once it shows text; return when that was."""
    output, at = CellOutput(), 0.0
    for _ in cells.follow(code, output):
        if not at and len(output.text) > 100:
            at = time.monotonic()
            cells.interrupt()
    return output, at


def test_stop_reaches_the_engine(cells: Notebook, server: LiveServer) -> None:
    """Counted by the engine: within two steps, and soon after the key was pressed."""
    cells.run("%llm load babble")
    before = server.model("babble")["engine"]["cancelled"]
    output, at = interrupted(cells, "%%llm babble -n 25000 --no-history\nTalk.")

    def stopped() -> Any:  # noqa: ANN401  # any JSON
        """The engine counts one more cancelled request."""
        model = server.model("babble")
        return model if model["engine"]["cancelled"] == before + 1 else None

    model = eventually(stopped)
    assert output.error_name == "StoppedError"
    assert model["engine"]["cancel_steps"] <= 2
    assert time.monotonic() - at < 2


def test_stop_reaches_a_prompt_that_is_being_read(
    cells: Notebook, server: LiveServer
) -> None:
    """Long before the first word."""
    cells.run("%llm load babble")
    before = server.model("babble")["engine"]["cancelled"]
    cells.run("long = 'word ' * 5000\n%config LLMMagics.context_tokens = 60000")
    output, asked = CellOutput(), False
    for _ in cells.follow("%%llm babble -n 5 --no-history\n{long}", output):
        reading = any("reading" in b.get("text/plain", "") for b in output.history)
        if reading and not asked:
            asked = True
            cells.interrupt()
    cells.run("%config LLMMagics.context_tokens = 2000")

    assert output.error_name == "StoppedError"
    eventually(lambda: server.model("babble")["engine"]["cancelled"] == before + 1)


def test_unloading_gives_the_memory_back(cells: Notebook, server: LiveServer) -> None:
    """The process that held it is gone."""
    cells.run("%llm load other")
    pid = server.model("other")["pid"]
    assert Path(f"/proc/{pid}").exists() or sys.platform != "linux"
    assert "its memory is free" in cells.run("%llm unload other").text
    assert server.model("other")["pid"] is None
    assert not Path(f"/proc/{pid}").exists()


def test_braces_json_and_latex_do_not_break_a_question(cells: Notebook) -> None:
    """They arrive as they were written, also where a name in them is known."""
    cells.run("a, b, x = 1, 2, 3")
    text = 'Is {"x": {"a": [1]}} like \\frac{a}{b}, f"{x}", {x!r} and {{x}}?'
    shown = cells.run(f"%%llm hello --dry-run --no-history\n{text}").text
    assert text in shown


def test_the_answer_is_in_a_variable(cells: Notebook) -> None:
    """Not only on the screen."""
    cells.run("%%llm hello -o found --no-history\nHi")
    assert cells.run("print(found)").stream.strip() == ANSWER


def test_an_earlier_answer_is_interpolated_as_text(cells: Notebook) -> None:
    """Not as the name of an object."""
    cells.run("%%llm hello --no-history\nHi")
    shown = cells.run("%%llm hello --dry-run --no-history\nShorten: {_llm}").text
    assert f"Shorten: {ANSWER}" in shown


def test_the_default_format_is_an_option(cells: Notebook) -> None:
    """Of the notebook, with a cell's own word before it."""
    cells.run("%config LLMMagics.format = 'text'")
    (bundle,) = cells.run("%%llm hello --no-history\nHi").displays.values()
    cells.run("%config LLMMagics.format = 'markdown'")
    assert set(bundle) == {"text/plain"}


def test_the_notebooks_context_goes_along_only_when_asked(cells: Notebook) -> None:
    """In a budget, and to be seen before it is sent."""
    cells.run("secret_number = 42")
    alone = cells.run("%%llm hello --dry-run --no-history\nHi").text
    along = cells.run("%%llm hello --dry-run --no-history --context variables\nHi").text
    assert "secret_number" not in alone
    assert "secret_number" in along
    assert "tokens" in along


def test_loading_the_magics_is_quick_and_asks_nobody(tmp_path: Path) -> None:
    """No network, no server, and no client library before the first question."""
    code = (
        "import sys, time\n"
        "from IPython.core.interactiveshell import InteractiveShell as S\n"
        "import socket\n"
        "def refuse(*a): raise AssertionError('network')\n"
        "shell = S.instance(); socket.socket.connect = refuse\n"
        "before = time.process_time()\n"
        "shell.run_line_magic('load_ext', 'kernel_magics')\n"
        "print(time.process_time() - before, 'ipywidgets' in sys.modules,"
        " 'openai' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    took, *heavy = done.stdout.split()
    assert heavy == ["False", "False"]
    assert float(took) < 0.5


def test_which_server_is_used_can_be_seen(cells: Notebook) -> None:
    """And everything that was tried before it was found."""
    text = cells.run("%llm doctor").text
    assert f"{cells.server.url}llm/" in text
    assert "LLM_EXT_URL is not set" in text


def test_how_long_a_model_stays_can_be_set_and_seen(cells: Notebook) -> None:
    """Per load; pinned ones say so."""
    cells.run("%llm load hello --keep-alive 2h")
    assert "| 2\N{NO-BREAK SPACE}h |" in cells.run("%llm ps").text


def test_a_long_load_shows_that_it_goes_on(cells: Notebook) -> None:
    """The cell says so, stage by stage; the load would outlive the cell."""
    cells.run("%llm unload hello --force")
    output = cells.run("%llm load hello")
    bars = [b["text/plain"] for b in output.history if "text/html" in b]
    assert bars[0] == "hello: loading 0%"
    assert "is loaded" in output.text


def test_a_load_outlives_the_cell_that_began_it(tmp_path: Path, models: Path) -> None:
    """Who waits no longer has not ended it, and is told how that would be done."""
    slow = ("-m", "tests.slow_lab")
    with live_server(tmp_path, models, program=slow) as own, notebook(own) as cells:
        output, asked = CellOutput(), False
        for _ in cells.follow("%llm load hello", output):
            if output.history and not asked:
                asked = True
                cells.interrupt()
        assert output.error_name == "StoppedError"
        assert "'%llm unload hello --force' gives it up" in output.error
        eventually(lambda: own.model("hello")["state"] == "ready")


def test_servers_without_tokens_are_no_special_case(
    tmp_path: Path, models: Path
) -> None:
    """They want a cookie against forgery with every post, which the client brings."""
    with (
        live_server(tmp_path, models, token="") as own,
        own.client() as stranger,
        notebook(own) as cells,
    ):
        assert stranger.post("models/hello/load").status_code == HTTPStatus.FORBIDDEN
        assert cells.run("%%llm hello --no-history\nHi").text == ANSWER
        assert "**hello** is unloaded" in cells.run("%llm unload hello").text


def test_chats_are_kept_and_exported(cells: Notebook, server: LiveServer) -> None:
    """Another kernel goes on with them; as Markdown, a notebook and JSON lines."""
    asked = cells.run(
        "from kernel_magics import ChatPanel\n"
        "chat = ChatPanel(model='hello')\n"
        "chat.session.ask('Who are you?')\n"
        "chat.session.wait(60)\n"
        "print(chat.session.id)"
    )
    conversation = asked.stream.strip()
    assert conversation, asked.error
    with notebook(server) as other:
        exported = other.run(
            "import json\n"
            "from kernel_magics import ChatPanel\n"
            f"session = ChatPanel(conversation={conversation!r}).session\n"
            "kinds = ('markdown', 'notebook', 'jsonl')\n"
            "print(json.dumps([session.export(kind) for kind in kinds]))"
        )
    markdown, book, lines = json.loads(exported.stream)
    for text in (markdown, book, lines):
        assert "Who are you?" in text
    assert ANSWER in markdown
    nbformat.validate(nbformat.reads(book, as_version=4))
    assert [json.loads(line) for line in lines.splitlines()]


def test_an_administrator_presets_the_options(
    cells: Notebook, server: LiveServer
) -> None:
    """In IPython's own files; a notebook still chooses otherwise."""
    profile = server.folder / "ipython" / "profile_default"
    profile.mkdir(parents=True, exist_ok=True)
    preset = profile / "ipython_config.py"
    preset.write_text("c.LLMMagics.model = 'hello'\nc.LLMMagics.system = 'Be brief.'\n")
    try:
        with notebook(server) as other:
            shown = other.run("%%llm --dry-run\nHi").text
            assert "Be brief." in shown
            assert other.run("%%llm\nHi").text == ANSWER
            other.run("%config LLMMagics.system = 'Be thorough.'")
            assert "Be thorough." in other.run("%%llm --dry-run\nHi").text
    finally:
        preset.unlink()
    assert "Be brief." not in cells.run("%%llm hello --dry-run\nHi").text


def test_what_is_stored_reads_well_in_an_exported_notebook(
    cells: Notebook, tmp_path: Path
) -> None:
    """Without progress bars, as HTML, Markdown and plain text."""
    output = cells.run("%%llm hello --no-history\nHi")
    (bundle,) = output.displays.values()
    kept = nbformat.v4.new_output("display_data", data=bundle)
    cell = nbformat.v4.new_code_cell("%%llm hello\nHi", outputs=[kept])
    file = tmp_path / "book.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[cell]), file)
    for kind, words in (("html", "<strong>notebook</strong>"), ("markdown", ANSWER)):
        exported = subprocess.run(
            [
                *(sys.executable, "-m", "jupyter", "nbconvert", "--to", kind),
                *("--stdout", str(file)),
            ],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert words in exported
        assert "<progress" not in exported
    assert json.dumps(bundle)


def test_a_long_answer_does_not_freeze_the_page() -> None:
    """The longer it is, the longer the pauses: a browser draws all of it each time."""
    now = 0.0
    pace = Pace(12, clock=lambda: now)
    drawn: list[int] = []
    for length in range(0, 200_000, 100):
        now += 0.01
        if pace.due(length):
            drawn.append(length)
    early = [length for length in drawn if length < 10_000]
    late = [length for length in drawn if length > 190_000]
    assert 8 <= len(early) <= 13
    assert len(late) <= 1
