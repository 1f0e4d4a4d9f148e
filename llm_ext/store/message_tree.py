"""The rows of messages: a tree for each conversation."""

import sqlite3
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from llm_ext.core.conversation import Draft, Message
from llm_ext.errors import MessageNotFoundError

from . import times

_DETAILS = set(Draft.__struct_fields__) - {"role", "content"}


def new_id() -> str:
    """Return an id that nothing else has."""
    return uuid.uuid4().hex


def insert(
    connection: sqlite3.Connection,
    conversation: str,
    messages: Sequence[Message],
    *,
    after: str | None,
    ids: Mapping[str, str],
) -> list[Message]:
    """Store messages, each after its parent, and return them as they are stored.

    Those without a parent follow the message ``after``; None makes them roots.
    ``ids`` are the new ids of some; others get one.

    Raises:
        MessageNotFoundError: The conversation has no message ``after``.
    """
    depths: dict[str | None, int] = {None: 0}
    if after is not None:
        depths[after] = _depth(connection, conversation, after)
    new: dict[str | None, str | None] = {None: after}
    stored = []
    for message in messages:
        parent = new[message.parent]
        made = msgspec.structs.replace(
            message, id=ids.get(message.id) or new_id(), parent=parent
        )
        new[message.id] = made.id
        depths[made.id] = depths[parent] + 1
        _insert(connection, conversation, made, depths[made.id])
        stored.append(made)
    return stored


def path(
    connection: sqlite3.Connection, conversation: str, last: str | None
) -> list[Message]:
    """Return the messages from a root to ``last``, in order.

    Raises:
        MessageNotFoundError: The conversation has no message ``last``.
    """
    if last is None:
        return []
    _depth(connection, conversation, last)
    rows = connection.execute(
        """
        WITH RECURSIVE path (number) AS (
            SELECT number FROM messages WHERE id = ?
            UNION ALL
            SELECT above.number FROM path
            JOIN messages AS here ON here.number = path.number
            JOIN messages AS above ON above.id = here.parent
        )
        SELECT id, parent, role, content, details, created
        FROM messages JOIN path USING (number) ORDER BY depth
        """,
        (last,),
    )
    return [_message(row) for row in rows]


def everything(connection: sqlite3.Connection, conversation: str) -> list[Message]:
    """Return all messages, each after its parent."""
    rows = connection.execute(
        """
        SELECT id, parent, role, content, details, created
        FROM messages WHERE conversation = ? ORDER BY number
        """,
        (conversation,),
    )
    return [_message(row) for row in rows]


def siblings(
    connection: sqlite3.Connection, conversation: str
) -> dict[str, tuple[str, ...]]:
    """Return, for each message that has siblings, all of them, oldest first."""
    rows = connection.execute(
        "SELECT parent, id FROM messages WHERE conversation = ? ORDER BY number",
        (conversation,),
    )
    groups: dict[str | None, list[str]] = defaultdict(list)
    for parent, message_id in rows:
        groups[parent].append(message_id)
    return {
        member: tuple(group)
        for group in groups.values()
        if len(group) > 1
        for member in group
    }


def newest_leaf(
    connection: sqlite3.Connection, conversation: str, top: str | None
) -> str | None:
    """Return the message that was written last of ``top`` and what follows it.

    None is the top of the conversation; the answer is None where that is empty.

    Raises:
        MessageNotFoundError: The conversation has no message ``top``.
    """
    if top is None:
        found = connection.execute(
            "SELECT id FROM messages WHERE conversation = ? ORDER BY number DESC",
            (conversation,),
        ).fetchone()
        return None if found is None else str(found[0])
    numbers = _below(connection, conversation, top)
    found = connection.execute(
        "SELECT id FROM messages WHERE number = ?", (max(numbers),)
    ).fetchone()
    return str(found[0])


def remove(
    connection: sqlite3.Connection, conversation: str, top: str
) -> tuple[str | None, list[int]]:
    """Delete ``top`` and what follows it; return its parent, and the rows' numbers.

    Raises:
        MessageNotFoundError: The conversation has no message ``top``.
    """
    numbers = _below(connection, conversation, top)
    parent = connection.execute(
        "SELECT parent FROM messages WHERE id = ?", (top,)
    ).fetchone()[0]
    connection.executemany(
        "DELETE FROM messages WHERE number = ?", [(number,) for number in numbers]
    )
    return parent, numbers


def remove_all(connection: sqlite3.Connection, conversation: str) -> list[int]:
    """Delete all messages and return the rows' numbers."""
    rows = connection.execute(
        "SELECT number FROM messages WHERE conversation = ?", (conversation,)
    )
    numbers = [row[0] for row in rows]
    connection.execute("DELETE FROM messages WHERE conversation = ?", (conversation,))
    return numbers


def _below(connection: sqlite3.Connection, conversation: str, top: str) -> list[int]:
    _depth(connection, conversation, top)
    rows = connection.execute(
        """
        WITH RECURSIVE below (id, number) AS (
            SELECT id, number FROM messages WHERE id = ?
            UNION ALL
            SELECT messages.id, messages.number FROM messages
            JOIN below ON messages.parent = below.id
        )
        SELECT number FROM below
        """,
        (top,),
    )
    return [row[0] for row in rows]


def _depth(connection: sqlite3.Connection, conversation: str, message_id: str) -> int:
    row = connection.execute(
        "SELECT depth FROM messages WHERE id = ? AND conversation = ?",
        (message_id, conversation),
    ).fetchone()
    if row is None:
        raise MessageNotFoundError(message_id)
    return int(row[0])


def _insert(
    connection: sqlite3.Connection, conversation: str, message: Message, depth: int
) -> None:
    given = msgspec.to_builtins(message)
    details = {field: given[field] for field in given.keys() & _DETAILS}
    connection.execute(
        """
        INSERT INTO messages
            (id, conversation, parent, depth, role, content, details, created)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        """,
        (
            message.id,
            conversation,
            message.parent,
            depth,
            message.role,
            message.content,
            msgspec.json.encode(details),
            times.stored(message.created),
        ),
    )


def _message(row: Sequence[Any]) -> Message:
    message_id, parent, role, content, details, created = row
    return msgspec.convert(
        {
            **msgspec.json.decode(details),
            "id": message_id,
            "parent": parent,
            "role": role,
            "content": content,
            "created": times.shown(created),
        },
        Message,
    )
