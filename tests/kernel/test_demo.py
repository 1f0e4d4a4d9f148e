"""The demo notebook, run from its first cell to its last."""

import os
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from tests.live import LiveServer

DEMO = Path(__file__).parents[2] / "docs" / "demo.ipynb"

EXPECTED = [
    ("%load_ext", ""),
    ("%llm list", "`guide`"),
    ("What can you do?", "`%llm`"),
    ("load a model", "`%llm load"),
    ("CSV", "read_csv"),
    ("7 times 8", "= 56"),
    ("Spanish", "Soy Guide"),
    ("%llm unload", "**guide** is unloaded"),
]


def text(cell: Any) -> str:  # noqa: ANN401  # a notebook's node
    return "".join(out["data"]["text/markdown"] for out in cell["outputs"])


def test_the_whole_demo_runs_and_answers(server: LiveServer) -> None:
    """With nothing but what ``make lab`` has."""
    book = nbformat.read(DEMO, as_version=4)
    environ = {
        **os.environ,
        "LLM_EXT_URL": f"{server.url}llm/",
        "LLM_EXT_TOKEN": server.token,
        "IPYTHONDIR": str(server.folder / "ipython"),
    }
    NotebookClient(book).execute(env=environ)

    cells = [cell for cell in book.cells if cell["cell_type"] == "code"]
    assert len(cells) == len(EXPECTED)
    for cell, (source, words) in zip(cells, EXPECTED, strict=True):
        assert source in cell["source"]
        assert words in text(cell), cell["source"]


def test_the_demo_is_kept_without_outputs() -> None:
    """Outputs of one machine's run would be noise in every change."""
    book = nbformat.read(DEMO, as_version=4)
    for cell in book.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
