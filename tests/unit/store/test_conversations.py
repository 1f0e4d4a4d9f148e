"""Conversations in a real file."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from llm_ext.core.conversation import (
    Attachment,
    CalledFunction,
    Changes,
    Draft,
    ToolCall,
    Transcript,
)
from llm_ext.errors import (
    ConversationChangedError,
    ConversationNotFoundError,
    MessageNotFoundError,
)
from llm_ext.store import message_index
from llm_ext.store.conversations import UNTITLED, Conversations
from llm_ext.store.database import Database

Open = Callable[[Path], Database]

ANN, BOB = "ann", "bob"


@pytest.fixture
def database(tmp_path: Path, open_database: Open) -> Database:
    """An empty file."""
    return open_database(tmp_path / "llm_ext.sqlite3")


@pytest.fixture
def conversations(database: Database) -> Conversations:
    """The tables in it."""
    return Conversations(database)


def begin(conversations: Conversations, *, user: str = ANN, **fields: str) -> str:
    return conversations.create(user, Transcript(**fields)).id  # type: ignore[arg-type]  # each is a text


def say(
    conversations: Conversations, where: str, *texts: str, **options: str | None
) -> list[str]:
    drafts = [
        Draft(role="assistant" if number % 2 else "user", content=text)
        for number, text in enumerate(texts)
    ]
    stored = conversations.append(ANN, where, drafts, **options)  # type: ignore[arg-type]  # the parent
    return [message.id for message in stored]


def shown(conversations: Conversations, where: str) -> list[str]:
    return [message.content for message in conversations.get(ANN, where).messages]


def test_what_was_said_is_there_after_opening_again(
    tmp_path: Path, open_database: Open
) -> None:
    """Every field of every message."""
    path = tmp_path / "llm_ext.sqlite3"
    first = open_database(path)
    call = ToolCall(id="c1", function=CalledFunction(name="add", arguments='{"a":1}'))
    drafts = [
        Draft(
            role="user",
            content="1 + 1?",
            attachments=(Attachment(kind="cell", name="In [3]", content="1 + 1"),),
        ),
        Draft(role="assistant", content="", reasoning="Hm.", tool_calls=(call,)),
        Draft(role="tool", content="2", tool_call_id="c1"),
        Draft(
            role="assistant",
            content="2\0 is it \N{GRINNING FACE}",
            model="hello",
            usage={"total_tokens": 7},
            timings={"predicted_ms": 1.5},
            finish_reason="stop",
        ),
    ]
    where = begin(Conversations(first), model="hello", system="Be brief.")
    stored = Conversations(first).append(ANN, where, drafts)
    first.close()

    again = Conversations(open_database(path)).get(ANN, where)

    assert list(again.messages) == stored
    assert [
        Draft(**{f: getattr(message, f) for f in Draft.__struct_fields__})
        for message in again.messages
    ] == drafts
    assert [m.parent for m in stored] == [None, *(m.id for m in stored[:-1])]
    assert (again.model, again.system) == ("hello", "Be brief.")
    assert (again.message_count, again.revision) == (4, 2)
    assert again.branches == {}


def test_the_first_question_becomes_the_title(conversations: Conversations) -> None:
    """Its first line, cut between words; a given title stays."""
    where = begin(conversations)
    assert conversations.get(ANN, where).title == UNTITLED
    say(conversations, where, "  What is " + "very " * 20 + "long?\nAnd so on.")
    title = conversations.get(ANN, where).title
    assert title.startswith("What is very very")
    assert title.endswith("very …")
    assert len(title) <= 62
    named = begin(conversations, title="Mine")
    say(conversations, named, "Hi")
    assert conversations.get(ANN, named).title == "Mine"


def test_a_message_beside_another_makes_branches(conversations: Conversations) -> None:
    """The newest is shown, the others stay and can be gone back to."""
    where = begin(conversations)
    question, first = say(conversations, where, "Q", "A1")
    (second,) = say(conversations, where, "A2", parent=question)
    assert shown(conversations, where) == ["Q", "A2"]
    conversation = conversations.get(ANN, where)
    assert conversation.branches == {second: (first, second)}
    say(conversations, where, "Q2")
    assert shown(conversations, where) == ["Q", "A2", "Q2"]

    conversations.change(ANN, where, Changes(head=first))
    assert shown(conversations, where) == ["Q", "A1"]
    conversations.change(ANN, where, Changes(head=second))
    assert shown(conversations, where) == ["Q", "A2", "Q2"]

    say(conversations, where, "another beginning", parent=None)
    assert shown(conversations, where) == ["another beginning"]
    assert conversations.get(ANN, where).message_count == 1


def test_deleting_a_message_takes_what_follows(conversations: Conversations) -> None:
    """The path then goes on beside it, or ends before it."""
    where = begin(conversations)
    question, first, _ = say(conversations, where, "Q", "A1", "Q1")
    (second,) = say(conversations, where, "A2", parent=question)
    conversations.remove_message(ANN, where, second)
    assert shown(conversations, where) == ["Q", "A1", "Q1"]
    conversations.remove_message(ANN, where, first)
    assert shown(conversations, where) == ["Q"]
    conversations.remove_message(ANN, where, question)
    assert shown(conversations, where) == []
    say(conversations, where, "anew")
    assert shown(conversations, where) == ["anew"]


def test_deleting_beside_the_path_leaves_it(conversations: Conversations) -> None:
    where = begin(conversations)
    question, first = say(conversations, where, "Q", "A1")
    say(conversations, where, "A2", parent=question)
    conversations.remove_message(ANN, where, first)
    assert shown(conversations, where) == ["Q", "A2"]
    assert conversations.get(ANN, where).branches == {}


def test_a_message_of_elsewhere_is_no_parent(conversations: Conversations) -> None:
    where, other = begin(conversations), begin(conversations)
    (message,) = say(conversations, other, "Q")
    for act in (
        lambda: say(conversations, where, "A", parent=message),
        lambda: conversations.change(ANN, where, Changes(head=message)),
        lambda: conversations.remove_message(ANN, where, message),
        lambda: conversations.path(ANN, where, message),
    ):
        with pytest.raises(MessageNotFoundError):
            act()
    assert conversations.get(ANN, where).revision == 1


def test_users_see_their_own_only(conversations: Conversations) -> None:
    """Another's conversation is not found, whatever is asked of it."""
    where = begin(conversations)
    (message,) = say(conversations, where, "secret")
    assert conversations.newest(BOB) == []
    assert conversations.newest(BOB, search="secret") == []
    for act in (
        lambda: conversations.get(BOB, where),
        lambda: conversations.path(BOB, where, message),
        lambda: conversations.transcript(BOB, where),
        lambda: conversations.change(BOB, where, Changes(title="x")),
        lambda: conversations.delete(BOB, where),
        lambda: conversations.append(BOB, where, [Draft(role="user", content="")]),
        lambda: conversations.remove_message(BOB, where, message),
    ):
        with pytest.raises(ConversationNotFoundError):
            act()
    assert shown(conversations, where) == ["secret"]


def test_the_newest_comes_first_and_pages_follow(conversations: Conversations) -> None:
    """A change makes a conversation the newest; no page repeats another's."""
    made = [begin(conversations, title=str(number)) for number in range(5)]
    conversations.change(ANN, made[1], Changes(title="changed"))
    seen: list[str] = []
    page = conversations.newest(ANN, limit=2)
    for _ in range(3):
        seen += [conversation.title for conversation in page]
        page = conversations.newest(ANN, limit=2, before=page[-1].updated)
    assert page == []
    assert seen == ["changed", "4", "3", "2", "0"]


def test_a_known_revision_must_be_the_present_one(conversations: Conversations) -> None:
    """Every kind of change counts, and a refused one changes nothing."""
    where = begin(conversations)
    conversations.change(ANN, where, Changes(title="a"), revision=1)
    (message,) = [
        m.id
        for m in conversations.append(
            ANN, where, [Draft(role="user", content="Q")], revision=2
        )
    ]
    for act in (
        lambda: conversations.change(ANN, where, Changes(title="b"), revision=2),
        lambda: conversations.append(ANN, where, [], revision=2),
        lambda: conversations.remove_message(ANN, where, message, revision=2),
        lambda: conversations.delete(ANN, where, revision=2),
    ):
        with pytest.raises(ConversationChangedError, match="is 3, not 2"):
            act()
    conversations.remove_message(ANN, where, message, revision=3)
    assert conversations.get(ANN, where).revision == 4


@pytest.mark.parametrize("indexed", [True, False])
def test_search(
    conversations: Conversations, monkeypatch: pytest.MonkeyPatch, *, indexed: bool
) -> None:
    """All words, in one message or in the title; with and without SQLite's index."""
    if not indexed:
        monkeypatch.setattr(message_index, "_available", lambda _: False)
    elif not has_index():
        pytest.skip("this SQLite has no FTS5")
    paris = begin(conversations, title="Travel")
    say(conversations, paris, "Where is Paris?", 'In "France" it lies.', "東京はどこ")
    other = begin(conversations, title="Cooking in Paris")
    (late,) = say(conversations, other, "Boil an egg")

    def found(text: str) -> set[str]:
        return {c.id for c in conversations.newest(ANN, search=text)}

    assert found("paris") == {paris, other}
    assert found('"france" LIES') == {paris}
    assert found("Fran") == {paris}
    assert found("Paris France") == set()
    assert found("京は") == {paris}
    assert found('100% OR NOT "') == set()
    assert found("egg\0boil\0") == {other}
    assert found("\0") == {paris, other}, "as if nothing were looked for"
    assert found("egg") == {other}
    conversations.remove_message(ANN, other, late)
    assert found("egg") == set()
    conversations.delete(ANN, paris)
    assert found("lies") == set()


def test_what_others_said_changes_no_search(conversations: Conversations) -> None:
    """The middle of a word is found, though the word begins a message of another."""
    where = begin(conversations)
    say(conversations, where, "a notebook")
    theirs = conversations.create(BOB, Transcript()).id
    conversations.append(BOB, theirs, [Draft(role="user", content="book")])
    assert [c.id for c in conversations.newest(ANN, search="book")] == [where]


def has_index() -> bool:
    with closing(sqlite3.connect(":memory:")) as connection:
        options = connection.execute("PRAGMA compile_options")
        return "ENABLE_FTS5" in {row[0] for row in options}


def test_the_index_catches_up_with_a_server_that_has_none(
    conversations: Conversations, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two servers with different builds of SQLite share a file."""
    where = begin(conversations)
    say(conversations, where, "first")
    assert conversations.newest(ANN, search="first")
    with monkeypatch.context() as without:
        without.setattr(message_index, "_available", lambda _: False)
        (message,) = say(conversations, where, "second")
        conversations.remove_message(ANN, where, message)
        say(conversations, where, "third")
    assert conversations.newest(ANN, search="third")
    assert not conversations.newest(ANN, search="second")


def test_deleted_text_is_not_kept_in_the_index(
    conversations: Conversations, database: Database
) -> None:
    where = begin(conversations)
    say(conversations, where, "confidential")
    conversations.newest(ANN, search="confidential")
    conversations.delete(ANN, where)
    with database.transaction() as connection:
        rows = connection.execute("SELECT count(*) FROM message_index").fetchone()
    assert rows == (0,)


def test_a_transcript_has_every_branch_and_comes_back(
    conversations: Conversations,
) -> None:
    """Under new ids, with the same tree and the same path."""
    where = begin(conversations, title="T", model="m", system="S")
    question, first = say(conversations, where, "Q", "A1")
    say(conversations, where, "A2", parent=question)
    conversations.change(ANN, where, Changes(head=first, options={"seed": 3}))

    copy = conversations.create(BOB, conversations.transcript(ANN, where))

    assert [m.content for m in copy.messages] == ["Q", "A1"]
    assert (copy.title, copy.model, copy.system) == ("T", "m", "S")
    assert copy.options == {"seed": 3}
    assert len(copy.branches) == 1
    assert not {m.id for m in copy.messages} & {question, first}
    texts = [m.content for m in conversations.transcript(BOB, copy.id).messages]
    assert texts == ["Q", "A1", "A2"]


def test_a_long_conversation_is_read_at_once(conversations: Conversations) -> None:
    """Three thousand messages in a row: no depth is too deep."""
    where = begin(conversations)
    say(conversations, where, *[str(n) for n in range(3000)])
    assert shown(conversations, where) == [str(n) for n in range(3000)]
