"""Reads the words after ``%llm`` and ``%%llm``."""

import argparse
import shlex
from typing import NoReturn

from IPython.core.error import UsageError


class Parser(argparse.ArgumentParser):
    """Reads a command's arguments; what is wrong is a usage error in one line.

    Args:
        name: The command's; empty for the magic itself.
        magic: What it stands behind.
    """

    def __init__(self, name: str, *, magic: str = "%llm") -> None:
        written = f"{magic} {name}".strip()
        super().__init__(prog=written, add_help=False, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        """Refuse what was written.

        Raises:
            UsageError: Always; says how it is meant.
        """
        raise UsageError(f"{message}. {self.usage_line}")

    @property
    def usage_line(self) -> str:
        """How the command is written."""
        written = " ".join(self.format_usage().split())
        return f"Usage: {written.removeprefix('usage: ')}"

    @property
    def options(self) -> dict[str, argparse.Action]:
        """The options, by each of their names."""
        return dict(self._option_string_actions)

    def read(self, line: str) -> argparse.Namespace:
        """Return the arguments in ``line``; UsageError where they make no sense."""
        # Else argparse would format it twice, and the command holds a percent sign.
        self.usage = self.usage_line.removeprefix("Usage: ").replace("%", "%%")
        return self.parse_intermixed_args(words(line))


def words(line: str) -> list[str]:
    """Return the words of ``line``; quotes hold together, and are taken away.

    Raises:
        UsageError: A quote is not closed.
    """
    try:
        return shlex.split(line)
    except ValueError as error:
        raise UsageError(f"{error} in: {line}") from error


def listed(values: list[str] | None) -> list[str]:
    """Return what was given one by one, or with commas between.

    Raises:
        UsageError: A comma is the last; what was to follow is a word of its own.
    """
    for value in values or []:
        if value.rstrip().endswith(","):
            raise UsageError(f"Write '{value}' and what follows in one, or in quotes.")
    given = [part.strip() for value in values or [] for part in value.split(",")]
    return [part for part in given if part]
