"""Inference keys in a real file."""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from llm_ext.core.api_key import KeyTerms
from llm_ext.errors import KeyNotFoundError, KeyRefusedError
from llm_ext.store.database import Database
from llm_ext.store.keys import PREFIX, Keys


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where the file will be."""
    return tmp_path / "llm_ext.sqlite3"


@pytest.fixture
def database(path: Path, open_database: Callable[[Path], Database]) -> Database:
    """An empty file."""
    return open_database(path)


@pytest.fixture
def keys(database: Database) -> Keys:
    """No keys yet."""
    return Keys(database)


def test_a_key_opens_until_it_is_revoked(keys: Keys) -> None:
    """It acts for its user, on its terms."""
    terms = KeyTerms(name="ci", models=("hello",), requests_per_minute=3)
    made, secret = keys.create("ann", terms)
    assert secret.startswith(PREFIX)
    assert len(secret) >= 48
    assert secret.startswith(made.prefix)
    owned = keys.use(secret)
    assert (owned.user, owned.key.id) == ("ann", made.id)
    assert (owned.key.name, owned.key.models) == ("ci", ("hello",))
    assert owned.key.requests_per_minute == 3
    keys.revoke("ann", made.id)
    with pytest.raises(KeyRefusedError):
        keys.use(secret)
    assert keys.all("ann") == []


def test_the_secret_is_nowhere_in_the_file(path: Path, database: Database) -> None:
    """What is stored cannot be used, not even with the id."""
    made, secret = Keys(database).create("ann", KeyTerms(name="ci"))
    database.close()
    stored = path.read_bytes()
    assert made.id.encode() in stored
    assert secret.encode() not in stored
    assert secret.removeprefix(PREFIX).encode() not in stored
    for wrong in ("", PREFIX, made.id, made.prefix, secret[:-1], secret + "x"):
        with pytest.raises(KeyRefusedError):
            Keys(database).use(wrong)


def test_an_expired_key_opens_nothing(keys: Keys) -> None:
    """It is still listed, so that its owner sees why."""
    now = datetime.now(timezone.utc)
    _, late = keys.create("ann", KeyTerms(name="late", expires=now))
    _, good = keys.create(
        "ann", KeyTerms(name="good", expires=now + timedelta(hours=1))
    )
    with pytest.raises(KeyRefusedError):
        keys.use(late)
    assert keys.use(good).key.name == "good"
    assert [key.name for key in keys.all("ann")] == ["late", "good"]


def test_the_last_use_is_shown(keys: Keys) -> None:
    made, secret = keys.create("ann", KeyTerms(name="ci"))
    assert made.last_used is None
    keys.use(secret)
    (shown,) = keys.all("ann")
    assert shown.last_used is not None
    assert abs(shown.last_used - datetime.now(timezone.utc)) < timedelta(minutes=1)
    keys.use(secret)
    assert keys.all("ann") == [shown]


def test_users_revoke_their_own_only(keys: Keys) -> None:
    made, secret = keys.create("ann", KeyTerms(name="ci"))
    assert keys.all("bob") == []
    with pytest.raises(KeyNotFoundError):
        keys.revoke("bob", made.id)
    assert keys.use(secret).user == "ann"
