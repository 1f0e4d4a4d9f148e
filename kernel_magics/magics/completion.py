"""What Tab offers after ``%llm`` and ``%%llm``."""

import time
from collections.abc import Mapping
from typing import Any

from kernel_magics.context.sources import SOURCES
from kernel_magics.errors import MagicError

from .cell_options import PARSER
from .command import Command
from .session import Session

FRESH = 5.0
"""Seconds for which names from the server are taken as they were."""

PATIENCE = 2.0
"""Seconds that a server may take to say them: nothing else runs meanwhile."""

_NAMES = {"output": "variables", "schema": "variables", "tools": "functions"}
"""Options of ``%%llm`` that are followed by names of the notebook's."""


class Completion:
    """Completes a line; IPython calls it with an event."""

    def __init__(self, session: Session, commands: Mapping[str, Command]) -> None:
        self._session = session
        self._commands = commands
        self._names: dict[str, list[str]] = {}
        self._asked: dict[str, float] = {}

    def __call__(self, _shell: Any, event: Any) -> list[str]:  # noqa: ANN401  # IPython's
        """Return what the word under the cursor may become."""
        before = event.text_until_cursor
        said = before.split()
        unfinished = "" if before.endswith(" ") else said.pop() if said else ""
        if event.command == "%%llm":
            offers = self._cell(said[1:], unfinished)
        else:
            offers = self._line(said[1:], unfinished)
        # IPython completes the part after the last of its own delimiters.
        hidden = len(unfinished) - len(event.symbol)
        return [
            offer[max(hidden, 0) :]
            for offer in sorted(offers)
            if offer.startswith(unfinished)
        ]

    def _line(self, said: list[str], unfinished: str) -> list[str]:
        if not said:
            return list(self._commands)
        command = self._commands.get(said[0])
        if command is None:
            return []
        if unfinished.startswith("-"):
            return list(command.parser.options)
        if said[-1] in command.values:
            return list(command.values[said[-1]])
        return self._from_server(command.completes)

    def _cell(self, said: list[str], unfinished: str) -> list[str]:
        if unfinished.startswith("-"):
            return list(PARSER.options)
        option = PARSER.options.get(said[-1]) if said else None
        if option is None:
            return [] if said else self._from_server("models")
        if option.dest == "context":
            return list(SOURCES)
        values, kind = self._session.values, _NAMES.get(option.dest)
        if kind is None:
            return list(option.choices or ())
        names = [name for name in values if not name.startswith("_")]
        if kind == "functions":
            return [name for name in names if callable(values[name])]
        return names

    def _from_server(self, kind: str) -> list[str]:
        """Return names of models or prompts, as far as there is a server already."""
        client = self._session.known_client
        if not kind or client is None:
            return []
        now = time.monotonic()
        if now >= self._asked.get(kind, 0.0):
            self._asked[kind] = now + FRESH
            try:
                reply = client.request("GET", kind, timeout=PATIENCE)
            except MagicError:
                return []
            things = [*reply[kind], *reply.get("remote", [])]
            key = "id" if kind == "models" else "name"
            self._names[kind] = [thing[key] for thing in things]
        return self._names.get(kind, [])
