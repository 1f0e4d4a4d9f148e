"""Registers the magics with IPython."""

from argparse import Namespace
from typing import cast

from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import Magics, line_cell_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments, parse_argstring

from .client import Client
from .magics.cell import CellQuestion
from .magics.line import LineCommands


@magics_class
class LLMMagics(Magics):
    """``%llm`` for models, ``%%llm`` for questions."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self._client: Client | None = None
        self._line = LineCommands(shell, self._connect)
        self._cell = CellQuestion(shell, self._connect)

    @magic_arguments("%llm")
    @argument("model", nargs="?", help="the model's name; see %%llm list")
    @argument("-s", "--system", help="what the model should be or do, in quotes")
    @argument(
        "-t", "--temperature", type=float, help="0 always takes the likeliest word"
    )
    @argument("-n", "--max-tokens", type=int, help="longest answer, in tokens")
    @argument("--seed", type=int, help="makes the answer repeatable")
    @line_cell_magic
    def llm(self, line: str, cell: str | None = None) -> None:
        """Ask a language model that this Jupyter server runs itself.

        As ``%%llm`` the text of the cell is the question. As ``%llm`` it lists, loads
        and unloads models: see ``%llm help``.
        """
        if cell is None:
            self._line.run(line)
            return
        if not cell.strip():
            raise UsageError("Write the question below the line with %%llm.")
        arguments = cast("Namespace", parse_argstring(self.llm, line))
        if arguments.system:
            arguments.system = arguments.system.strip("\"'")
        self._cell.ask(arguments, cell)

    def _connect(self) -> Client:
        """Return the client; the server is looked for when it is first needed."""
        if self._client is None:
            self._client = Client.find()
        return self._client


def register(shell: InteractiveShell) -> None:
    """Add the magics to ``shell``."""
    shell.register_magics(LLMMagics)
