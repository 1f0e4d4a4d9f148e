"""The conversations of all users."""

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from llm_ext.core.conversation import (
    Changes,
    Conversation,
    Draft,
    Message,
    OpenConversation,
    Transcript,
    chain,
)
from llm_ext.errors import ConversationChangedError, ConversationNotFoundError

from . import message_index, message_tree, times
from .database import Database
from .message_tree import new_id

TITLE_LENGTH = 60
"""Characters of a first question that become the title."""

UNTITLED = "New conversation"
"""The title of one that has neither a title nor a question."""

_FOR_EVER = 2**63 - 1

_COLUMNS = """
SELECT conversations.id, title, conversations.model, system, options,
    conversations.created, updated, coalesce(depth, 0), revision, head
FROM conversations LEFT JOIN messages ON messages.id = head
"""
_ONE = _COLUMNS + "WHERE conversations.id = ? AND user = ?"
_NEWEST_FIRST = _COLUMNS + "WHERE user = ? AND updated < ? ORDER BY updated DESC"


class Conversations:
    """Owns the tables of conversations and messages. Every method blocks on the disk.

    Each user sees their own only: another's is not found. Every method raises
    StoreError where the file cannot be used, and ConversationNotFoundError where there
    is no such conversation. ``revision`` is the one that the caller knows; with it,
    ConversationChangedError is raised if it is not the present one.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._last_change = 0

    def create(self, user: str, transcript: Transcript) -> OpenConversation:
        """Store a conversation under new ids and return it."""
        with self._database.transaction() as connection:
            conversation_id, now = new_id(), self._now()
            first = next((m for m in transcript.path if m.role == "user"), None)
            connection.execute(
                """
                INSERT INTO conversations
                    (id, user, title, model, system, options,
                     created, updated, revision, head)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1, NULL)
                """,
                (
                    conversation_id,
                    user,
                    transcript.title or _title(first),
                    transcript.model,
                    transcript.system,
                    msgspec.json.encode(transcript.options),
                    now,
                    now,
                ),
            )
            stored = message_tree.insert(
                connection, conversation_id, transcript.messages, after=None, ids={}
            )
            new = {
                old.id: message.id
                for old, message in zip(transcript.messages, stored, strict=True)
            }
            path = transcript.path
            head = new[path[-1].id] if path else None
            _set(connection, conversation_id, "head", head)
            return _open(connection, user, conversation_id)

    def newest(
        self,
        user: str,
        *,
        search: str = "",
        limit: int = 50,
        before: datetime | None = None,
    ) -> list[Conversation]:
        """Return the user's conversations, the one that was changed last first.

        Args:
            user: Whose.
            search: Words that must all be in the title or in one message.
            limit: Most to return.
            before: Only those that were changed last before this.
        """
        words = search.replace("\0", " ").split()  # SQLite's queries end at a NUL
        found: list[Conversation] = []
        with self._database.transaction() as connection:
            hits: set[str] = set()
            if words:
                connection.execute("BEGIN IMMEDIATE")
                hits = message_index.conversations_with(connection, user, words)
            until = _FOR_EVER if before is None else times.stored(before)
            for row in connection.execute(_NEWEST_FIRST, (user, until)):
                conversation = _conversation(row)
                if (
                    not words
                    or conversation.id in hits
                    or message_index.contains(conversation.title, words)
                ):
                    found.append(conversation)
                if len(found) >= limit:
                    break
        return found

    def get(self, user: str, conversation_id: str) -> OpenConversation:
        """Return one conversation, with the path to its head."""
        with self._database.transaction() as connection:
            return _open(connection, user, conversation_id)

    def path(self, user: str, conversation_id: str, last: str | None) -> list[Message]:
        """Return the messages from a root to ``last``, in order.

        Raises:
            MessageNotFoundError: The conversation has no such message.
        """
        with self._database.transaction() as connection:
            _row(connection, user, conversation_id)
            return message_tree.path(connection, conversation_id, last)

    def transcript(self, user: str, conversation_id: str) -> Transcript:
        """Return all of a conversation, every branch included, for export."""
        with self._database.transaction() as connection:
            row = _row(connection, user, conversation_id)
            conversation = _conversation(row)
            return Transcript(
                title=row[1],
                model=conversation.model,
                system=conversation.system,
                options=conversation.options,
                messages=tuple(message_tree.everything(connection, conversation_id)),
                head=row[-1],
            )

    def change(
        self,
        user: str,
        conversation_id: str,
        changes: Changes,
        *,
        revision: int | None = None,
    ) -> Conversation:
        """Change a conversation's own fields, and return it.

        Raises:
            MessageNotFoundError: It has no message ``changes.head``.
        """
        with self._database.transaction() as connection:
            self._begin(connection, user, conversation_id, revision)
            for field in changes.__struct_fields__:
                value = getattr(changes, field)
                if value is msgspec.UNSET:
                    continue
                if field == "options":
                    value = msgspec.json.encode(value)
                if field == "head":
                    value = message_tree.newest_leaf(connection, conversation_id, value)
                _set(connection, conversation_id, field, value)
            return _conversation(_row(connection, user, conversation_id))

    def delete(
        self, user: str, conversation_id: str, *, revision: int | None = None
    ) -> None:
        """Delete a conversation and all that was said in it."""
        with self._database.transaction() as connection:
            self._begin(connection, user, conversation_id, revision)
            numbers = message_tree.remove_all(connection, conversation_id)
            message_index.forget(connection, numbers)
            connection.execute(
                "DELETE FROM conversations WHERE id = ?", (conversation_id,)
            )

    def append(
        self,
        user: str,
        conversation_id: str,
        drafts: Sequence[Draft],
        *,
        parent: str | msgspec.UnsetType | None = msgspec.UNSET,
        ids: Sequence[str] = (),
        revision: int | None = None,
    ) -> list[Message]:
        """Add messages, each after the one before; the last is the new head.

        Args:
            user: Whose conversation it is.
            conversation_id: The conversation.
            drafts: What is said.
            parent: The message that the first one follows, or None for a new root; the
                head if unset.
            ids: The messages' ids; new ones where they are not given.
            revision: See the class.

        Raises:
            MessageNotFoundError: The conversation has no message ``parent``.
        """
        with self._database.transaction() as connection:
            head = self._begin(connection, user, conversation_id, revision)
            messages = chain(tuple(drafts), times.shown(self._last_change))
            stored = message_tree.insert(
                connection,
                conversation_id,
                messages,
                after=head if parent is msgspec.UNSET else parent,
                ids={m.id: given for m, given in zip(messages, ids, strict=False)},
            )
            if stored:
                _set(connection, conversation_id, "head", stored[-1].id)
            _entitle(connection, conversation_id, stored)
            return stored

    def remove_message(
        self,
        user: str,
        conversation_id: str,
        message_id: str,
        *,
        revision: int | None = None,
    ) -> None:
        """Delete a message and all that follows it.

        If the head is among them, the path goes on to what was last written beside
        them, or ends where they began.

        Raises:
            MessageNotFoundError: The conversation has no such message.
        """
        with self._database.transaction() as connection:
            head = self._begin(connection, user, conversation_id, revision)
            shown = message_tree.path(connection, conversation_id, head)
            parent, numbers = message_tree.remove(
                connection, conversation_id, message_id
            )
            message_index.forget(connection, numbers)
            if message_id in {message.id for message in shown}:
                head = message_tree.newest_leaf(connection, conversation_id, parent)
                _set(connection, conversation_id, "head", head)

    def _begin(
        self,
        connection: sqlite3.Connection,
        user: str,
        conversation_id: str,
        revision: int | None,
    ) -> str | None:
        """Begin a change: check, count and date it; return the head."""
        # Another server must not write between the check and the change.
        connection.execute("BEGIN IMMEDIATE")
        row = _row(connection, user, conversation_id)
        present = _conversation(row).revision
        if revision is not None and revision != present:
            raise ConversationChangedError(expected=revision, revision=present)
        _set(connection, conversation_id, "revision", present + 1)
        _set(connection, conversation_id, "updated", self._now())
        head: str | None = row[-1]
        return head

    def _now(self) -> int:
        """Return the present; never the same twice, so that the newest is known."""
        self._last_change = max(times.now(), self._last_change + 1)
        return self._last_change


_SET: Mapping[str, str] = {
    "title": "UPDATE conversations SET title = ? WHERE id = ?",
    "model": "UPDATE conversations SET model = ? WHERE id = ?",
    "system": "UPDATE conversations SET system = ? WHERE id = ?",
    "options": "UPDATE conversations SET options = ? WHERE id = ?",
    "head": "UPDATE conversations SET head = ? WHERE id = ?",
    "revision": "UPDATE conversations SET revision = ? WHERE id = ?",
    "updated": "UPDATE conversations SET updated = ? WHERE id = ?",
}


def _set(
    connection: sqlite3.Connection, conversation_id: str, field: str, value: object
) -> None:
    connection.execute(_SET[field], (value, conversation_id))


def _row(
    connection: sqlite3.Connection, user: str, conversation_id: str
) -> tuple[Any, ...]:
    row: tuple[Any, ...] | None = connection.execute(
        _ONE, (conversation_id, user)
    ).fetchone()
    if row is None:
        raise ConversationNotFoundError(conversation_id)
    return row


def _conversation(row: tuple[Any, ...]) -> Conversation:
    return Conversation(
        id=row[0],
        title=row[1] or UNTITLED,
        model=row[2],
        system=row[3],
        options=msgspec.json.decode(row[4]),
        created=times.shown(row[5]),
        updated=times.shown(row[6]),
        message_count=row[7],
        revision=row[8],
    )


def _open(
    connection: sqlite3.Connection, user: str, conversation_id: str
) -> OpenConversation:
    row = _row(connection, user, conversation_id)
    messages = message_tree.path(connection, conversation_id, row[-1])
    siblings = message_tree.siblings(connection, conversation_id)
    return OpenConversation(
        **msgspec.structs.asdict(_conversation(row)),
        messages=tuple(messages),
        branches={m.id: siblings[m.id] for m in messages if m.id in siblings},
    )


def _entitle(
    connection: sqlite3.Connection, conversation_id: str, messages: Sequence[Message]
) -> None:
    """Give a conversation without a title that of the first question."""
    first = next((m for m in messages if m.role == "user"), None)
    connection.execute(
        "UPDATE conversations SET title = ? WHERE id = ? AND title = ''",
        (_title(first), conversation_id),
    )


def _title(question: Draft | None) -> str:
    """Return the beginning of a question's first line, cut between words."""
    line = "" if question is None else question.content.strip().partition("\n")[0]
    if len(line) <= TITLE_LENGTH:
        return line.strip()
    cut = line[:TITLE_LENGTH]
    return (cut.rpartition(" ")[0] or cut).rstrip() + " …"
