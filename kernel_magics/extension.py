"""Registers the magics with IPython."""

from inspect import getdoc
from typing import Any

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_cell_magic, magics_class

from .client import Client
from .magics.cell import CellQuestion
from .magics.cell_options import PARSER
from .magics.completion import Completion
from .magics.line import LineCommands
from .magics.options import Options
from .magics.session import Session
from .private import connect


def _with_options(function: Any) -> Any:  # noqa: ANN401  # a method
    """Add to the help of ``%%llm`` what stands behind it."""
    function.__doc__ = f"{getdoc(function)}\n\n{PARSER.format_help()}"
    return function


@magics_class
class LLMMagics(Options, Magics):
    """``%llm`` for models, ``%%llm`` for questions."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self.session = Session(shell, self, self._connect)
        self._line = LineCommands(self.session)
        self._cell = CellQuestion(self.session)

    @line_cell_magic
    @_with_options
    def llm(self, line: str, cell: str | None = None) -> None:
        """Ask a language model that this Jupyter server runs itself.

        As ``%%llm`` the text of the cell is the question. As ``%llm`` it lists, loads
        and unloads models, and more: see ``%llm help``.
        """
        if cell is None:
            self._line.run(line)
            return
        if not cell.strip():
            raise UsageError("Write the question below the line with %%llm.")
        self._cell.ask(PARSER.read(line), cell)

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
