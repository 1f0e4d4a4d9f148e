"""``%llm``: which models there are, and which are loaded."""

import shlex
from collections.abc import Callable
from typing import Any

from IPython.core.error import UsageError

from kernel_magics.client import Client
from kernel_magics.errors import MagicError, StoppedError
from kernel_magics.render import Output, model_table, output

HELP = """\
| command | |
|---|---|
| `%llm list` | the models on this server and their states |
| `%llm load NAME` | load a model; it also loads by itself when it is first asked |
| `%llm unload NAME [--force]` | give its memory back; `--force` ends running requests |
| `%llm help` | this table |
| `%%llm [MODEL] [options]` | ask the text of the cell; `%%llm?` shows the options |
"""


class LineCommands:
    """The subcommands of ``%llm``."""

    def __init__(self, shell: Any, client: Callable[[], Client]) -> None:  # noqa: ANN401  # see render.output
        self._shell = shell
        self._client = client
        self._commands: dict[str, Callable[[list[str]], None]] = {
            "list": self._list,
            "load": self._load,
            "unload": self._unload,
            "help": self._help,
        }

    def run(self, line: str) -> None:
        """Run one line, such as "load NAME"; UsageError where it makes no sense."""
        words = shlex.split(line)
        name, arguments = (words[0], words[1:]) if words else ("list", [])
        command = self._commands.get(name)
        if command is None:
            known = ", ".join(self._commands)
            raise UsageError(
                f"%llm knows no '{name}'; it knows {known}. "
                f"To ask a model, begin the cell with %%llm."
            )
        command(arguments)

    def _list(self, arguments: list[str]) -> None:
        _expect(arguments, "%llm list")
        self._output().finish(model_table(self._client().models()))

    def _load(self, arguments: list[str]) -> None:
        name = _one_name(arguments, "%llm load NAME")
        client, shown = self._client(), self._output()
        shown.progress(f"{name}: loading", 0.0)
        try:
            for status in client.load(name):
                shown.progress(f"{name}: {status.text}", status.fraction)
        except KeyboardInterrupt:
            shown.finish("")
            raise StoppedError(
                f"the model goes on loading; '%llm unload {name}' gives it up."
            ) from None
        except MagicError:
            shown.finish("")
            raise
        model = client.model(name)
        shown.finish(
            f"**{model['id']}** is loaded: {model['description']}, "
            f"context {model['context_length']} tokens."
        )

    def _unload(self, arguments: list[str]) -> None:
        force = "--force" in arguments
        names = [word for word in arguments if word != "--force"]
        name = _one_name(names, "%llm unload NAME [--force]")
        model = self._client().unload(name, force=force)
        self._output().finish(f"**{model['id']}** is unloaded; its memory is free.")

    def _help(self, arguments: list[str]) -> None:
        _expect(arguments, "%llm help")
        self._output().finish(HELP)

    def _output(self) -> Output:
        return output(self._shell)


def _expect(arguments: list[str], usage: str) -> None:
    if arguments:
        raise UsageError(f"Usage: {usage}")


def _one_name(arguments: list[str], usage: str) -> str:
    if len(arguments) != 1 or arguments[0].startswith("-"):
        raise UsageError(f"Usage: {usage}")
    return arguments[0]
