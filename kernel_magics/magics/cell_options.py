"""What may stand behind ``%%llm``."""

import argparse
import keyword

from kernel_magics.render.formats import FORMATS

from .arguments import Parser


def _variable(name: str) -> str:
    """Return ``name``, if the notebook can have a variable of that name."""
    if not name.isidentifier() or keyword.iskeyword(name):
        raise argparse.ArgumentTypeError(f"'{name}' is no name of a variable")
    return name


def _stop(text: str) -> str:
    """Return ``text`` with its line breaks and tabs, which no word can hold itself."""
    return text.replace(r"\n", "\n").replace(r"\t", "\t")


def _parser() -> Parser:
    parser = Parser("", magic="%%llm")
    add = parser.add_argument
    add("model", nargs="?", help="the model's name; see %%llm list")
    add("-s", "--system", help="what the model should be or do, in quotes")
    add("-t", "--temperature", type=float, help="0 always takes the likeliest word")
    add("-n", "--max-tokens", type=int, help="longest answer, in tokens")
    add("--seed", type=int, help="makes the answer repeatable")
    add("--stop", action="append", type=_stop, help="end the answer before this text")
    add("-f", "--format", choices=FORMATS, help="how the answer is shown")
    add(
        "-o",
        "--output",
        metavar="NAME",
        type=_variable,
        help="put the answer into a variable",
    )
    add(
        "--schema",
        metavar="NAME",
        help="a variable that says what the answer has to be: a JSON Schema, a "
        "Pydantic model, a dataclass or a TypedDict",
    )
    add(
        "--context",
        action="append",
        metavar="PARTS",
        help="send parts of the notebook along: cells, variables, errors",
    )
    add("--budget", type=int, metavar="TOKENS", help="most tokens of these parts")
    add(
        "--dry-run",
        action="store_true",
        help="show what would be sent, and its size",
    )
    add(
        "--no-history",
        action="store_true",
        help="send no earlier questions, and do not remember this one",
    )
    add("--raw", action="store_true", help="leave {name} as it is")
    add(
        "--tools",
        action="append",
        metavar="F,G",
        help="functions of the notebook that may be called; each call is asked for",
    )
    add("--yes", action="store_true", help="allow all calls beforehand")
    add("--no-stream", action="store_true", help="show the answer once it is whole")
    add("--stats", action="store_true", help="show tokens and times below")
    return parser


PARSER = _parser()
