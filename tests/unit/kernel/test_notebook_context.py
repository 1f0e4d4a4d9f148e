"""What of a notebook goes along with a question, in how many tokens."""

import dataclasses
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from IPython.core.error import UsageError

from kernel_magics.context import cells, variables
from kernel_magics.context.budget import Excerpt, fitting, tokens
from kernel_magics.context.describe import describe
from kernel_magics.context.failures import Failures, excerpts
from kernel_magics.context.sources import Notebook, gathered
from kernel_magics.errors import RefusedError


def test_a_table_is_its_shape_columns_and_first_rows() -> None:
    """However long it is, the text stays within its room."""
    table = pd.DataFrame({"city": ["Turin", "Oslo"] * 5000, "people": range(10_000)})
    text = describe(table, 600)

    assert len(text) <= 600
    assert "10000 x 2" in text
    assert "city (" in text
    assert "people (int64)" in text
    assert "Turin" in text
    assert "more rows" in text


def test_a_small_table_is_whole() -> None:
    """No row is left out where all fit; a column is shown as well."""
    table = pd.DataFrame({"a": [1, 2]})
    assert "more rows" not in describe(table, 600)
    assert "int64" in describe(table["a"], 600)


def test_a_table_of_many_columns_keeps_to_its_room() -> None:
    """The names of the columns alone would be too long."""
    table = pd.DataFrame(np.zeros((3, 2000)))
    assert len(describe(table, 500)) <= 560


def test_an_array_is_its_shape_and_its_range() -> None:
    """Also where it has no order, or no numbers; a number alone is that number."""
    text = describe(np.arange(1e6).reshape(1000, 1000), 400)
    assert len(text) <= 460
    assert "1000 x 1000, float64, from 0.0 to 999999.0" in text
    assert "of 2, <U1" in describe(np.array(["a", "b"]), 400)
    assert describe(np.array(3), 400) == "3"
    assert describe(pd.Series([1, 2]).mean(), 400) == "1.5"


def test_a_long_collection_is_its_length_and_its_first_items() -> None:
    """A short one is whole."""
    assert describe([1, 2, 3], 100) == "[1, 2, 3]"
    text = describe(list(range(100_000)), 200)
    assert text.startswith("list with 100000 items: [0, 1, 2")
    assert len(text) <= 260


def test_a_function_is_its_source() -> None:
    """A class as well; what has no source is named."""
    assert "def test_a_function_is_its_source" in describe(
        test_a_function_is_its_source, 2000
    )
    assert "class Excerpt" in describe(Excerpt, 2000)
    assert describe(type("Made", (), {}), 200).startswith("<class")


def test_what_comes_first_is_kept_whole_and_the_last_is_cut() -> None:
    """The budget is in tokens, and holds."""
    pieces = [Excerpt(title=str(n), text="word " * 100) for n in range(5)]
    kept = fitting(pieces, 250)

    assert [piece.title for piece in kept] == ["0", "1"]
    assert kept[0] == pieces[0]
    assert "left out" in kept[1].text
    assert sum(tokens(str(piece)) for piece in kept) <= 260
    assert fitting(pieces, 0) == []


def ran(*cells: str) -> tuple[str, ...]:
    return ("", *cells, "%%llm\nWhy?")


def test_cells_come_last_first_with_their_outputs() -> None:
    """The running cell, empty ones, and those that talk to a model stay out."""
    inputs = ran("!ls", "", "%%llm guide\nHi", "%llm load guide\nx + 1", "%llm ps")
    found = list(cells.excerpts(inputs, {"Out": {4: 2}}))

    assert [excerpt.title for excerpt in found] == ["Cell [4]", "Cell [1]"]
    assert found[0].text == "```python\nx + 1\n```\nOutput:\n```\n2\n```"
    assert "!ls" in found[1].text


def test_what_holds_a_fence_itself_stays_in_its_own() -> None:
    """An output in Markdown does not end the block that it stands in."""
    (found,) = cells.excerpts(ran("answer"), {"Out": {1: "```\nx\n```"}})
    assert found.text.endswith("Output:\n````\n```\nx\n```\n````")


def test_the_cell_before_is_what_explain_means() -> None:
    """Or the one with a number; an unknown number is none."""
    inputs = ran("x = 1", "%llm ps")
    assert cells.source(inputs, None) == "x = 1"
    assert cells.source(inputs, 1) == "x = 1"
    assert cells.source(inputs, 99) == ""
    assert cells.source((), None) == ""


def test_variables_are_the_persons_own_tables_first() -> None:
    """No modules, functions, classes, private names, or names of the shell."""
    table = pd.DataFrame({"a": [1]})
    values: dict[str, Any] = {"In": ["", "x = 1"], "Out": {}, "table": table}
    values |= {"x": 1, "newest": "n", "_hidden": 2, "came": 3}
    values |= {"np": np, "f": ran, "C": Excerpt}
    found = list(variables.excerpts(values, {"came"}))

    titles = [excerpt.title.split("`")[1] for excerpt in found]
    assert titles == ["table", "newest", "x"]


def ended(code: str, error: BaseException | None) -> SimpleNamespace:
    return SimpleNamespace(
        error_in_exec=error, error_before_exec=None, info=SimpleNamespace(raw_cell=code)
    )


def raised(kind: type[BaseException]) -> BaseException:
    with pytest.raises(kind) as caught:
        raise kind("boom")
    return caught.value


def test_the_last_failure_is_the_users_own() -> None:
    """No success, interrupt, refusal of the server or mistyped command changes it."""
    failures = Failures()
    failures.note(ended("1/0", raised(ZeroDivisionError)))
    for error in (None, raised(RefusedError), raised(KeyboardInterrupt)):
        failures.note(ended("ok", error))
    failures.note(ended("%llm lod guide", raised(UsageError)))

    assert failures.last is not None
    assert failures.last.code == "1/0"
    assert failures.last.trace.endswith("ZeroDivisionError: boom")
    assert [e.title for e in excerpts(failures.last, 1000)] == [
        "The last error",
        "The cell that raised it",
    ]
    assert excerpts(None, 1000) == []


def test_a_long_error_leaves_room_for_the_cell_that_raised_it() -> None:
    """Without the code nothing can be mended."""
    failures = Failures()
    failures.note(ended("total = x / 0", ValueError("x" * 9000)))
    trace, code = fitting(excerpts(failures.last, 500), 500)
    assert "left out" in trace.text
    assert "total = x / 0" in code.text


@pytest.mark.parametrize("limit", [0, 100, 1000])
def test_parts_share_the_budget(limit: int) -> None:
    """What one part leaves the next may use; all together they keep to it."""
    failures = Failures()
    failures.note(ended("1/0", raised(ValueError)))
    inputs = ran(*[f"y{n} = '{'z' * 400}'" for n in range(20)])
    notebook = Notebook(cells=inputs, values={"x": 1}, failure=failures.last)
    found = gathered(notebook, ["variables", "errors", "cells"], limit)

    assert sum(tokens(str(excerpt)) for excerpt in found) <= limit + 10
    if limit == 1000:
        assert {"Variable `x` (int)", "The last error"} <= {e.title for e in found}
        assert sum(tokens(str(excerpt)) for excerpt in found) > 800


def test_a_value_is_frozen() -> None:
    """An excerpt is a value, which nobody changes on its way."""
    with pytest.raises(dataclasses.FrozenInstanceError):
        Excerpt(title="a", text="b").text = "c"  # type: ignore[misc]  # that is the point
