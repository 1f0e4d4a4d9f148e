"""The prompts of all users."""

import sqlite3
from typing import Any

import msgspec

from llm_ext.core.prompt import Prompt, PromptText, variables
from llm_ext.errors import PromptExistsError, PromptNotFoundError

from . import times
from .database import Database
from .message_tree import new_id

_COLUMNS = "SELECT id, name, template, model, options, version, updated FROM prompts "


class Prompts:
    """Owns the table of prompts. Every method blocks on the disk.

    Each user sees their own only: another's is not found. Every method raises
    StoreError where the file cannot be used.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, user: str) -> list[Prompt]:
        """Return the user's prompts, by name."""
        with self._database.transaction() as connection:
            rows = connection.execute(
                _COLUMNS + "WHERE user = ? ORDER BY name", (user,)
            )
            return [_prompt(row) for row in rows]

    def get(self, user: str, prompt_id: str) -> Prompt:
        """Return a prompt, by its id or its name.

        Raises:
            PromptNotFoundError: There is none.
        """
        with self._database.transaction() as connection:
            return _prompt(_row(connection, user, prompt_id))

    def create(self, user: str, text: PromptText) -> Prompt:
        """Store a prompt and return it.

        Raises:
            PromptExistsError: The user has one with this name.
        """
        with self._database.transaction() as connection:
            connection.execute("BEGIN IMMEDIATE")
            _check_name(connection, user, text.name, but="")
            prompt_id = new_id()
            connection.execute(
                """
                INSERT INTO prompts
                    (name, template, model, options, updated, version, user, id)
                VALUES (?, ?, ?, ?, ?, 1, ?, ?)
                """,
                (*_values(text), user, prompt_id),
            )
            return _prompt(_row(connection, user, prompt_id))

    def replace(self, user: str, prompt_id: str, text: PromptText) -> Prompt:
        """Replace what a prompt says, and return it with its new version.

        Raises:
            PromptNotFoundError: There is none.
            PromptExistsError: The user has another one with this name.
        """
        with self._database.transaction() as connection:
            connection.execute("BEGIN IMMEDIATE")
            prompt_id = _row(connection, user, prompt_id)[0]
            _check_name(connection, user, text.name, but=prompt_id)
            connection.execute(
                """
                UPDATE prompts SET name = ?, template = ?, model = ?, options = ?,
                    updated = ?, version = version + 1
                WHERE user = ? AND id = ?
                """,
                (*_values(text), user, prompt_id),
            )
            return _prompt(_row(connection, user, prompt_id))

    def delete(self, user: str, prompt_id: str) -> None:
        """Delete a prompt.

        Raises:
            PromptNotFoundError: There is none.
        """
        with self._database.transaction() as connection:
            connection.execute("BEGIN IMMEDIATE")
            found = _row(connection, user, prompt_id)[0]
            connection.execute("DELETE FROM prompts WHERE id = ?", (found,))


def _row(connection: sqlite3.Connection, user: str, wanted: str) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = connection.execute(
        _COLUMNS + "WHERE user = ? AND ? IN (id, name) ORDER BY id <> ?",
        (user, wanted, wanted),
    ).fetchone()
    if row is None:
        raise PromptNotFoundError(wanted)
    return row


def _check_name(
    connection: sqlite3.Connection, user: str, name: str, *, but: str
) -> None:
    taken = connection.execute(
        "SELECT 1 FROM prompts WHERE user = ? AND name = ? AND id <> ?",
        (user, name, but),
    ).fetchone()
    if taken is not None:
        raise PromptExistsError(name)


def _values(text: PromptText) -> tuple[str, str, str | None, bytes, int]:
    options = msgspec.json.encode(text.options)
    return text.name, text.template, text.model, options, times.now()


def _prompt(row: tuple[Any, ...]) -> Prompt:
    prompt_id, name, template, model, options, version, updated = row
    return Prompt(
        id=prompt_id,
        name=name,
        template=template,
        variables=variables(template),
        model=model,
        options=msgspec.json.decode(options),
        version=version,
        updated=times.shown(updated),
    )
