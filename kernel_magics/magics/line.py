"""``%llm``: a glance at the server, and its subcommands."""

from argparse import Namespace

from IPython.core.error import UsageError

from kernel_magics.render.tables import model_table, table

from . import bench, doctor, models, talk
from .arguments import Parser
from .command import Command
from .session import Session


class LineCommands:
    """The subcommands of ``%llm``."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.commands: dict[str, Command] = {
            **models.commands(),
            **talk.commands(),
            **bench.commands(),
            **doctor.commands(),
            "help": Command(
                summary="this table", parser=Parser("help"), run=self._help
            ),
        }

    def run(self, line: str) -> None:
        """Run one line, such as "load NAME"; UsageError where it makes no sense."""
        name, _, rest = line.strip().partition(" ")
        if not name:
            self._glance()
            return
        command = self.commands.get(name)
        if command is None:
            known = ", ".join(self.commands)
            raise UsageError(
                f"%llm knows no '{name}'; it knows {known}. "
                f"To ask a model, begin the cell with %%llm."
            )
        command.run(self._session, command.parser.read(rest))

    def _glance(self) -> None:
        client = self._session.client
        reply = client.models()
        model = self._session.options.model or reply["default"]
        asked = f"**{model}** is asked" if model else "there is no model yet"
        turns = len(self._session.conversation.turns)
        lines = [
            f"Server {client.connection.url}; {asked}; {turns} turns remembered.",
            model_table(reply, self._session.options.model),
            "`%%llm` asks the text of a cell. "
            + " · ".join(f"`%llm {name}`" for name in self.commands),
        ]
        self._session.show("\n\n".join(lines))

    def _help(self, _session: Session, _arguments: Namespace) -> None:
        rows = [("`%llm`", "the server and its models at a glance")]
        rows += [
            (f"`{command.parser.usage_line.removeprefix('Usage: ')}`", command.summary)
            for command in self.commands.values()
        ]
        asking = "ask the text of the cell; `%%llm?` shows the options"
        rows.append(("`%%llm [MODEL] [options]`", asking))
        self._session.show(table(("command", ""), rows))
