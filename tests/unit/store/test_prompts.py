"""The prompt library in a real file."""

from collections.abc import Callable
from pathlib import Path

import pytest

from llm_ext.core.prompt import PromptText, fill, variables
from llm_ext.errors import (
    InvalidRequestError,
    PromptExistsError,
    PromptNotFoundError,
)
from llm_ext.store.database import Database
from llm_ext.store.prompts import Prompts

TEXT = PromptText(name="sum", template="Sum up {{text}} in {{ n }} lines: {{text}}")


@pytest.fixture
def prompts(tmp_path: Path, open_database: Callable[[Path], Database]) -> Prompts:
    """An empty library."""
    return Prompts(open_database(tmp_path / "llm_ext.sqlite3"))


def test_a_prompt_is_kept_and_changed(prompts: Prompts) -> None:
    """Each change is a new version; its variables are those of the template."""
    made = prompts.create("ann", TEXT)
    assert (made.version, made.variables) == (1, ("text", "n"))
    changed = prompts.replace(
        "ann",
        made.id,
        PromptText(name="sum", template="No holes", model="m", options={"seed": 1}),
    )
    assert (changed.version, changed.variables, changed.model) == (2, (), "m")
    assert prompts.get("ann", made.id) == changed
    assert prompts.get("ann", "sum") == changed
    assert prompts.all("ann") == [changed]
    prompts.delete("ann", made.id)
    assert prompts.all("ann") == []


def test_a_name_is_taken_once_by_each_user(prompts: Prompts) -> None:
    made = prompts.create("ann", TEXT)
    prompts.create("bob", TEXT)
    with pytest.raises(PromptExistsError):
        prompts.create("ann", TEXT)
    other = prompts.create("ann", PromptText(name="other", template=""))
    with pytest.raises(PromptExistsError):
        prompts.replace("ann", other.id, TEXT)
    assert prompts.replace("ann", made.id, TEXT).version == 2


def test_users_see_their_own_only(prompts: Prompts) -> None:
    made = prompts.create("ann", TEXT)
    assert prompts.all("bob") == []
    for act in (
        lambda: prompts.get("bob", made.id),
        lambda: prompts.replace("bob", made.id, TEXT),
        lambda: prompts.delete("bob", made.id),
    ):
        with pytest.raises(PromptNotFoundError):
            act()
    assert prompts.get("ann", made.id) == made


def test_values_are_put_in_as_they_are() -> None:
    """A value that looks like a variable, or like code, stays what it is."""
    template = "{{a}} {{ b }} {b} {% if x %} {{a.b}} {{ }} {{a}}"
    filled = fill(template, {"a": "{{b}} \\1 {x}", "b": [1, None], "unused": 0})
    assert filled == (
        "{{b}} \\1 {x} [1,null] {b} {% if x %} {{a.b}} {{ }} {{b}} \\1 {x}"
    )
    assert variables(template) == ("a", "b")


def test_a_missing_value_is_named() -> None:
    with pytest.raises(InvalidRequestError, match="'b'") as caught:
        fill("{{a}} {{b}}", {"a": ""})
    assert caught.value.param == "variables.b"
