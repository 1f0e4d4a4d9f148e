"""The inference keys of all users.

A key is 32 random bytes, so that its plain SHA-256 cannot be turned back: what is
stored opens nothing.
"""

import hashlib
import hmac
import secrets
from typing import Any

import msgspec

from llm_ext.core.api_key import ApiKey, KeyTerms, OwnedKey
from llm_ext.errors import KeyNotFoundError, KeyRefusedError

from . import times
from .database import Database
from .message_tree import new_id

PREFIX = "llmk-"
"""What every key begins with."""

SECRET_BYTES = 32
SHOWN = len(PREFIX) + 4
"""Characters of a key that are kept, for people to recognise it by."""

USE_NOTED_EVERY = 60
"""Seconds; the time of the last use is not written more often."""

_COLUMNS = "SELECT id, prefix, terms, created, last_used, user, hash FROM keys "


class Keys:
    """Owns the table of keys. Every method blocks on the disk.

    Each user sees their own only. Every method raises StoreError where the file cannot
    be used.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, user: str) -> list[ApiKey]:
        """Return the user's keys, oldest first, those that have expired included."""
        with self._database.transaction() as connection:
            rows = connection.execute(
                _COLUMNS + "WHERE user = ? ORDER BY created", (user,)
            )
            return [_owned(row).key for row in rows]

    def create(self, user: str, terms: KeyTerms) -> tuple[ApiKey, str]:
        """Make a key, and return it with its secret, which is nowhere else."""
        secret = PREFIX + secrets.token_urlsafe(SECRET_BYTES)
        made = ApiKey(
            **msgspec.structs.asdict(terms),
            id=new_id(),
            prefix=secret[:SHOWN],
            created=times.shown(times.now()),
        )
        with self._database.transaction() as connection:
            connection.execute(
                """
                INSERT INTO keys (id, user, hash, terms, prefix, created)
                VALUES (?, ?, ?, ?, ?, ?)
                """,
                (
                    made.id,
                    user,
                    _hash(secret),
                    msgspec.json.encode(terms),
                    made.prefix,
                    times.stored(made.created),
                ),
            )
        return made, secret

    def revoke(self, user: str, key_id: str) -> None:
        """Delete a key; whoever has it is refused from now on.

        Raises:
            KeyNotFoundError: There is none.
        """
        with self._database.transaction() as connection:
            deleted = connection.execute(
                "DELETE FROM keys WHERE id = ? AND user = ?", (key_id, user)
            )
            if not deleted.rowcount:
                raise KeyNotFoundError(key_id)

    def use(self, secret: str) -> OwnedKey:
        """Return the key that ``secret`` opens with, and note that it was used.

        Raises:
            KeyRefusedError: There is none, or it has expired.
        """
        digest, now = _hash(secret), times.now()
        with self._database.transaction() as connection:
            row = connection.execute(_COLUMNS + "WHERE hash = ?", (digest,)).fetchone()
            # The index compares byte by byte, but nobody can choose a hash's bytes.
            if row is None or not hmac.compare_digest(row[-1], digest):
                raise KeyRefusedError
            owned = _owned(row)
            key = owned.key
            if key.expires is not None and times.stored(key.expires) <= now:
                raise KeyRefusedError
            noted = 0 if key.last_used is None else times.stored(key.last_used)
            if now - noted >= USE_NOTED_EVERY * 1_000_000:
                connection.execute(
                    "UPDATE keys SET last_used = ? WHERE id = ?", (now, key.id)
                )
        return owned


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _owned(row: tuple[Any, ...]) -> OwnedKey:
    key_id, prefix, terms, created, last_used, user, _ = row
    given = msgspec.json.decode(terms, type=KeyTerms)
    return OwnedKey(
        user=user,
        key=ApiKey(
            **msgspec.structs.asdict(given),
            id=key_id,
            prefix=prefix,
            created=times.shown(created),
            last_used=None if last_used is None else times.shown(last_used),
        ),
    )
