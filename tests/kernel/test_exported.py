"""Notebooks that are run as a whole, and what is left of their answers in a file."""

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from tests.live import LiveServer
from tests.models.hello import ANSWER

WEATHER = """
def get_weather(city: str) -> str:
    "The weather in a city."
    return "sunny"
"""
FLAG = """
flag = {"type": "object", "properties": {"up": {"type": "boolean"}},
        "required": ["up"], "additionalProperties": False}
"""
CELLS = (
    "%load_ext kernel_magics",
    "%%llm hello --stats\nWho are you?",
    FLAG,
    "%%llm babble --schema flag -o made --stats --no-history\nMake one.",
    "%%llm hello -f html --no-history\nA page, please.",
    "%%llm hello -f math --no-history\nA formula, please.",
    "%%llm hello -f code --no-history\nCode, please.",
    WEATHER,
    "%%llm guide --tools get_weather --no-history -n 40\nWhat is the weather in Paris?",
    "print('the end is', made['up'] in (True, False))",
)


@pytest.fixture(scope="module")
def executed(server: LiveServer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A notebook that nbconvert has run from its first cell to its last."""
    folder = tmp_path_factory.mktemp("exported")
    token = folder / "token"
    token.write_text(server.token)
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in CELLS])
    nbformat.write(book, folder / "book.ipynb")
    convert(
        *("--to", "notebook", "--execute", "--output", "done.ipynb"),
        folder / "book.ipynb",
        LLM_EXT_URL=f"{server.url}llm/",
        LLM_EXT_TOKEN_FILE=str(token),
        IPYTHONDIR=str(folder / "ipython"),
    )
    return folder / "done.ipynb"


def convert(*arguments: str | Path, **environ: str) -> str:
    """Run nbconvert and return what it prints."""
    return subprocess.run(
        [sys.executable, "-m", "jupyter", "nbconvert", *map(str, arguments)],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_a_notebook_runs_as_a_whole(executed: Path) -> None:
    """Nobody is there to be asked: the call is refused in words, and all goes on."""
    cells = nbformat.read(executed, as_version=4).cells
    kinds = {output.output_type for cell in cells for output in cell.outputs}
    assert "error" not in kinds
    assert cells[-1].outputs[0].text == "the end is True\n"
    (weather,) = cells[-2].outputs
    for text in weather.data.values():
        assert "did not call" in text
        assert "Nobody can be asked here whether to allow this call; --yes" in text


def test_every_stored_answer_is_final_and_has_plain_text(executed: Path) -> None:
    """No bar is left, and whoever renders nothing has something to read."""
    outputs = [
        output
        for cell in nbformat.read(executed, as_version=4).cells
        if cell.source.startswith("%%llm")
        for output in cell.outputs
    ]
    assert len(outputs) == 7  # JSON has its figures below
    for output in outputs:
        assert output.data["text/plain"].strip()
        assert "<progress" not in json.dumps(output.data)


@pytest.mark.parametrize("kind", ["html", "markdown"])
def test_an_exported_notebook_reads_well(executed: Path, kind: str) -> None:
    """In each of nbconvert's forms that need no other program."""
    text = convert("--to", kind, "--stdout", executed)
    assert "<progress" not in text
    assert "answer tokens" in text
    if kind == "html":
        assert "<strong>notebook</strong>" in text
        assert 'sandbox=""' in text
        assert "did not call" in text
    if kind == "markdown":
        assert ANSWER in text
