"""What is written behind ``%llm`` and ``%%llm``."""

from typing import Any

import pytest
from IPython.core.error import UsageError

from kernel_magics.extension import LLMMagics
from kernel_magics.magics import talk
from kernel_magics.magics.arguments import listed
from kernel_magics.magics.cell_options import PARSER


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ('--system="Be brief"', "system", "Be brief"),
        ('--system "You don\'t know"', "system", "You don't know"),
        (r'--system "Use \frac and \d"', "system", r"Use \frac and \d"),
        ('--system ""', "system", ""),
        ("-o 'x'", "output", "x"),
        ('--schema "Person"', "schema", "Person"),
        ('"guide"', "model", "guide"),
        ("-t 0 guide --seed 3", "model", "guide"),
        (r'--stop " " --stop "\n" --stop "\t."', "stop", [" ", "\n", "\t."]),
    ],
)
def test_quotes_hold_together_and_are_taken_away(
    line: str, name: str, value: object
) -> None:
    """Everywhere; nothing but a stop text may hold a line break."""
    assert vars(PARSER.read(line))[name] == value


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('--system "You are', "No closing quotation"),
        ("-o my-var", "'my-var' is no name of a variable"),
        ("-o class", "'class' is no name of a variable"),
        ("--temperature warm", "invalid float value"),
        ("guide other", "unrecognized arguments: other"),
    ],
)
def test_what_makes_no_sense_is_a_usage_error(line: str, problem: str) -> None:
    """In one line, which says how it is meant."""
    with pytest.raises(UsageError, match=problem) as caught:
        PARSER.read(line)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("given", [["f, g"], ["f,g"], ["f", "g"]])
def test_names_are_listed_with_commas_or_one_by_one(given: list[str]) -> None:
    """A comma before a blank would make the next name that of the model."""
    assert listed(given) == ["f", "g"]
    with pytest.raises(UsageError, match="in quotes"):
        listed(PARSER.read("--tools f, g").tools)


@pytest.mark.parametrize(
    "line", ["greet --model M k=v", "greet k=v --model M", "--model M greet k=v"]
)
def test_options_may_stand_between_values(line: str) -> None:
    """The order does not matter."""
    given: Any = talk.commands()["prompt"].parser.read(line)
    assert (given.name, given.values, given.model) == ("greet", ["k=v"], "M")


def test_help_shows_the_options() -> None:
    """``%%llm?`` is where they are looked for."""
    help_text = str(LLMMagics.llm.__doc__)
    assert help_text.startswith("Ask a language model")
    assert "-n MAX_TOKENS, --max-tokens MAX_TOKENS" in help_text
