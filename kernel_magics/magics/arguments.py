"""Reads the words after ``%llm``."""

import argparse
import ast
import shlex
from typing import NoReturn

from IPython.core.error import UsageError


class Parser(argparse.ArgumentParser):
    """Reads a command's arguments; what is wrong is a usage error in one line."""

    def __init__(self, name: str) -> None:
        super().__init__(prog=f"%llm {name}", add_help=False, allow_abbrev=False)

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

    def read(self, line: str) -> argparse.Namespace:
        """Return the arguments in ``line``; UsageError where they make no sense."""
        return self.parse_args(words(line))


def words(line: str) -> list[str]:
    """Return the words of ``line``; quotes hold together, and are taken away.

    Raises:
        UsageError: A quote is not closed.
    """
    try:
        return shlex.split(line)
    except ValueError as error:
        raise UsageError(f"{error} in: {line}") from error


def unquoted(text: str) -> str:
    r"""Return what is between quotes, with Python's escapes such as ``\n``."""
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        try:
            return str(ast.literal_eval(text))
        except (ValueError, SyntaxError):
            return text[1:-1]
    return text


def listed(values: list[str] | None) -> list[str]:
    """Return what was given one by one, or with commas between."""
    given = [part.strip() for value in values or [] for part in value.split(",")]
    return [part for part in given if part]
