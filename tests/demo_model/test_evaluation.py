"""The shipped demo model does what its card says."""

import re
from pathlib import Path

import pytest

from tools.demo_model.corpus import cases
from tools.demo_model.evaluate import MODEL, Reader, judge

CARD = Path(__file__).parents[2] / "docs" / "guide.md"
TOLERANCE = 0.06
"""Another processor rounds differently, which can turn a close decision."""


def card() -> dict[str, float]:
    """Return the card's table: the share of right answers by task."""
    rows = re.findall(
        r"^\| (\w+) \| \d+ \| \d+ \| (\d+)% \|$", CARD.read_text(), re.MULTILINE
    )
    return {task: int(percent) / 100 for task, percent in rows if task != "all"}


@pytest.mark.timeout(600)
def test_the_model_is_as_good_as_its_card_says() -> None:
    """On questions that it has not read."""
    verdicts = judge(Reader(MODEL), cases())
    promised = card()

    assert set(promised) == {verdict.case.task for verdict in verdicts}
    for task, share in promised.items():
        mine = [verdict.right for verdict in verdicts if verdict.case.task == task]
        assert sum(mine) / len(mine) >= share - TOLERANCE, task
