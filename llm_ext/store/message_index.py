"""Finding conversations by what was said in them.

SQLite's full-text index is used where the build of SQLite has it (FTS5,
https://www.sqlite.org/fts5.html), else every message is looked at. The index is no part
of the released tables: a server whose SQLite lacks FTS5 may use the same file, and must
be able to write to it. So nothing in the database keeps the index up to date; whoever
searches brings it there first.
"""

import sqlite3
from collections.abc import Sequence

_BEGIN = """
CREATE VIRTUAL TABLE IF NOT EXISTS message_index
USING fts5 (content, tokenize = 'unicode61 remove_diacritics 2')
"""
_CATCH_UP = """
INSERT INTO message_index (rowid, content)
SELECT number, content FROM messages
WHERE number > (SELECT coalesce(max(rowid), 0) FROM message_index)
"""
_FIND = """
SELECT DISTINCT conversation FROM message_index
JOIN messages ON messages.number = message_index.rowid
JOIN conversations ON conversations.id = messages.conversation
WHERE message_index MATCH ? AND user = ?
"""


def conversations_with(
    connection: sqlite3.Connection, user: str, words: Sequence[str]
) -> set[str]:
    """Return the ids of the user's conversations with a message that has all ``words``.

    The index knows beginnings of words only. What it does not find is looked for as a
    part of the text, since many languages put no spaces between words.
    """
    found: set[str] = set()
    if _available(connection):
        connection.execute(_BEGIN)
        connection.execute(_CATCH_UP)
        query = " ".join('"{}"*'.format(word.replace('"', '""')) for word in words)
        found = {row[0] for row in connection.execute(_FIND, (query, user))}
    return found or _looked_through(connection, user, words)


def forget(connection: sqlite3.Connection, numbers: Sequence[int]) -> None:
    """Take deleted messages out of the index."""
    if _available(connection):
        connection.execute(_BEGIN)
        connection.executemany(
            "DELETE FROM message_index WHERE rowid = ?",
            [(number,) for number in numbers],
        )


def contains(text: str, words: Sequence[str]) -> bool:
    """Return whether a text has all ``words``, whatever their case."""
    folded = text.casefold()
    return all(word.casefold() in folded for word in words)


def _available(connection: sqlite3.Connection) -> bool:
    row = connection.execute("SELECT sqlite_compileoption_used('ENABLE_FTS5')")
    return bool(row.fetchone()[0])


def _looked_through(
    connection: sqlite3.Connection, user: str, words: Sequence[str]
) -> set[str]:
    rows = connection.execute(
        """
        SELECT conversation, content FROM messages
        JOIN conversations ON conversations.id = messages.conversation
        WHERE user = ?
        """,
        (user,),
    )
    return {conversation for conversation, text in rows if contains(text, words)}
