"""Registers the magics with IPython."""

from argparse import Namespace
from typing import Any, cast

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_cell_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments, parse_argstring

from .client import Client
from .errors import ServerGoneError
from .magics.cell import CellQuestion
from .magics.completion import Completion
from .magics.line import LineCommands
from .magics.options import Options
from .magics.session import Session
from .private import connect
from .render.formats import FORMATS


def _arguments(function: Any) -> Any:  # noqa: ANN401  # IPython's decorators are untyped
    """Declare the options of ``%%llm``, in the order in which help shows them."""
    declared = [
        magic_arguments("%llm"),
        argument("model", nargs="?", help="the model's name; see %%llm list"),
        argument("-s", "--system", help="what the model should be or do, in quotes"),
        argument(
            "-t", "--temperature", type=float, help="0 always takes the likeliest word"
        ),
        argument("-n", "--max-tokens", type=int, help="longest answer, in tokens"),
        argument("--seed", type=int, help="makes the answer repeatable"),
        argument("--stop", action="append", help="end the answer before this text"),
        argument("-f", "--format", choices=FORMATS, help="how the answer is shown"),
        argument(
            "-o", "--output", metavar="NAME", help="put the answer into a variable"
        ),
        argument(
            "--schema",
            metavar="NAME",
            help="a variable that says what the answer has to be: a JSON Schema, a "
            "Pydantic model, a dataclass or a TypedDict",
        ),
        argument(
            "--context",
            action="append",
            metavar="PARTS",
            help="send parts of the notebook along: cells, variables, errors",
        ),
        argument(
            "--budget", type=int, metavar="TOKENS", help="most tokens of these parts"
        ),
        argument(
            "--dry-run",
            action="store_true",
            help="show what would be sent, and its size",
        ),
        argument(
            "--no-history",
            action="store_true",
            help="send no earlier questions, and do not remember this one",
        ),
        argument("--raw", action="store_true", help="leave {name} as it is"),
        argument(
            "--tools",
            action="append",
            metavar="F,G",
            help="functions of the notebook that may be called; each call is asked for",
        ),
        argument("--yes", action="store_true", help="allow all calls beforehand"),
        argument(
            "--no-stream", action="store_true", help="show the answer once it is whole"
        ),
        argument("--stats", action="store_true", help="show tokens and times below"),
    ]
    for declare in reversed(declared):
        function = declare(function)
    return function


@magics_class
class LLMMagics(Options, Magics):
    """``%llm`` for models, ``%%llm`` for questions."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self.session = Session(shell, self, self._connect)
        self._line = LineCommands(self.session)
        self._cell = CellQuestion(self.session)

    @_arguments
    @line_cell_magic
    def llm(self, line: str, cell: str | None = None) -> None:
        """Ask a language model that this Jupyter server runs itself.

        As ``%%llm`` the text of the cell is the question. As ``%llm`` it lists, loads
        and unloads models, and more: see ``%llm help``.
        """
        try:
            self._run(line, cell)
        except ServerGoneError:
            # It may have been started anew, at another address.
            self.session.forget_client()
            raise

    def _run(self, line: str, cell: str | None) -> None:
        if cell is None:
            self._line.run(line)
            return
        if not cell.strip():
            raise UsageError("Write the question below the line with %%llm.")
        arguments = cast("Namespace", parse_argstring(self.llm, line))
        self._cell.ask(arguments, cell)

    def completion(self) -> Completion:
        """Return what completes lines of these magics."""
        return Completion(self.session, self._line.commands)

    def _connect(self, *, private: bool = True) -> Client:
        return connect(private=private and self.private_server)


def register(shell: InteractiveShell) -> None:
    """Add the magics to ``shell``, and what Tab offers after them."""
    magics = LLMMagics(shell)
    shell.register_magics(magics)
    completion = magics.completion()
    for command in ("%llm", "%%llm"):
        shell.set_hook("complete_command", completion, str_key=command)
