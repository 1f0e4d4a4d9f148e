"""The demo notebook, run from its first cell to its last."""

from pathlib import Path

import nbformat

from tests.kernel.notebook import notebook
from tests.live import LiveServer
from tests.models.hello import ANSWER

DEMO = Path(__file__).parents[2] / "docs" / "demo.ipynb"


def test_the_whole_demo_runs_and_answers(server: LiveServer) -> None:
    """In a kernel of a real server, as ``make lab`` opens it."""
    book = nbformat.read(DEMO, as_version=4)
    code = [cell["source"] for cell in book.cells if cell["cell_type"] == "code"]
    with notebook(server) as cells:
        outputs = [cells.run(source) for source in code]

    assert [output.error for output in outputs] == [""] * len(code)
    texts = [output.text for output in outputs]
    assert "`hello`" in texts[1]
    assert texts[2] == ANSWER
    assert ANSWER.startswith(texts[3].split("\n")[0])
    assert "**hello** is unloaded" in texts[4]


def test_the_demo_is_kept_without_outputs() -> None:
    """Outputs of one machine's run would be noise in every change."""
    book = nbformat.read(DEMO, as_version=4)
    for cell in book.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
