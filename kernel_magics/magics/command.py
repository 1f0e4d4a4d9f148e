"""What a subcommand of ``%llm`` is."""

from argparse import Namespace
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from .arguments import Parser
from .session import Session


@dataclass(frozen=True, kw_only=True)
class Command:
    """A subcommand.

    Attributes:
        summary: What it does, in a line of Markdown.
        parser: Reads what follows its name.
        run: Does it.
        completes: What Tab offers beside options: "models", "prompts" or nothing.
        values: What Tab offers after an option.
    """

    summary: str
    parser: Parser
    run: Callable[[Session, Namespace], None]
    completes: str = ""
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def one_model(name: str) -> Parser:
    """Return a parser for the name of a model."""
    parser = Parser(name)
    parser.add_argument("name", metavar="NAME")
    return parser
