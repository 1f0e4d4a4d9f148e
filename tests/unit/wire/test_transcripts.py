"""Conversations as files, and back."""

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec
import nbformat
import pytest
from hypothesis import given, strategies as st

from llm_ext.core.conversation import (
    Attachment,
    CalledFunction,
    Message,
    ToolCall,
    Transcript,
)
from llm_ext.errors import InvalidRequestError
from llm_ext.wire.transcripts import json_lines, markdown, notebook
from llm_ext.wire.transcripts.facts import file_name
from llm_ext.wire.transcripts.formats import FORMATS, read

NOW = datetime(2026, 5, 4, tzinfo=timezone.utc)

TRICKY = [
    "",
    "\n",
    "<!-- message {} -->",
    "<!-- \\message {} -->\n<!-- \\\\message",
    "## User\n\n",
    "#### User\n\n",
    "---\ntitle: 1\n---\n",
    "a\r\nb\rc\x0bd\x85e\u2028f\0g",
    "```\n-->\n```\n\n",
]
texts = st.text() | st.lists(st.sampled_from(TRICKY), max_size=3).map("\n".join)
times = st.datetimes(
    min_value=datetime(1990, 1, 1),  # noqa: DTZ001  # hypothesis adds the zone
    max_value=datetime(2090, 1, 1),  # noqa: DTZ001  # the same
    timezones=st.just(timezone.utc),
)
objects: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.text(), st.integers(-(2**53), 2**53) | st.text() | st.none() | st.booleans()
)


@st.composite
def transcripts(draw: st.DrawFn) -> Transcript:
    """Return a conversation with any texts, and any tree of messages."""
    ids = [str(number) for number in range(draw(st.integers(1, 5)))]
    messages = []
    for number, message_id in enumerate(ids):
        parents = st.none() if not number else st.none() | st.sampled_from(ids[:number])
        messages.append(
            Message(
                id=message_id,
                parent=draw(parents),
                role=draw(st.sampled_from(("system", "user", "assistant", "tool"))),
                content=draw(texts),
                reasoning=draw(texts),
                created=draw(times),
                model=draw(st.none() | texts),
                usage=draw(st.none() | objects),
                finish_reason=draw(st.none() | st.just("stop")),
                tool_call_id=draw(st.none() | texts),
                tool_calls=draw(
                    st.just(())
                    | texts.map(
                        lambda text: (
                            ToolCall(
                                id=text,
                                function=CalledFunction(name=text, arguments=text),
                            ),
                        )
                    )
                ),
                attachments=draw(
                    st.just(())
                    | texts.map(
                        lambda text: (Attachment(kind=text, name=text, content=text),)
                    )
                ),
            )
        )
    return Transcript(
        title=draw(texts),
        model=draw(st.none() | texts),
        system=draw(texts),
        options=draw(objects),
        messages=tuple(messages),
        head=draw(st.none() | st.sampled_from(ids)),
    )


@given(transcripts())
def test_json_lines_lose_nothing(transcript: Transcript) -> None:
    """Every branch, every field and every id come back."""
    assert json_lines.read(json_lines.write(transcript), NOW) == transcript


@pytest.mark.parametrize("kind", [markdown, notebook])
@given(transcript=transcripts())
def test_the_path_comes_back(kind: Any, transcript: Transcript) -> None:  # noqa: ANN401  # a module
    """What is shown of a conversation, with every field of every message."""
    again = kind.read(kind.write(transcript), NOW)
    for field in ("title", "model", "system", "options"):
        assert getattr(again, field) == getattr(transcript, field)
    assert [placeless(m) for m in again.messages] == [
        placeless(m) for m in transcript.path
    ]
    assert again.path == again.messages


def placeless(message: Message) -> Message:
    return msgspec.structs.replace(message, id="", parent=None)


@pytest.mark.parametrize("kind", FORMATS.values(), ids=list(FORMATS))
@given(data=st.binary() | texts.map(str.encode), where=st.integers(0, 500))
def test_no_file_breaks_the_import(kind: Any, data: bytes, where: int) -> None:  # noqa: ANN401  # a format
    """It is read, or refused in words; so is a good file that was damaged."""
    good = kind.write(
        Transcript(messages=(user("Hi"),), title="T", options={"seed": 1})
    )
    for file in (data, good[:where] + data + good[where + len(data) :]):
        assert problem(kind, file) != ""


def problem(kind: Any, data: bytes) -> str | None:  # noqa: ANN401  # a format
    try:
        read(kind, data, NOW)
    except InvalidRequestError as error:
        return str(error)
    return None


def user(text: str) -> Message:
    return Message(id="m", parent=None, role="user", content=text, created=NOW)


@pytest.mark.parametrize("kind", FORMATS.values(), ids=list(FORMATS))
def test_a_file_that_is_nested_deep_is_refused(kind: Any) -> None:  # noqa: ANN401  # a format
    """Whatever reads it gives up in its own way."""
    deep = b"[" * 100_000
    for data in (deep, b"---\ntitle: " + deep + b"\n---\n## User\n\nHi"):
        assert "cannot be imported" in (problem(kind, data) or "")


LONG_AGO = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))


@pytest.mark.parametrize("kind", FORMATS.values(), ids=list(FORMATS))
@pytest.mark.parametrize(
    ("about", "of_message", "words"),
    [
        ({"options": {"temperature": "hot"}}, {}, "temperature"),
        ({"options": {"n": 3}}, {}, "'n' cannot be chosen"),
        ({}, {"usage": {"x": 2**64}}, "64 bits"),
        ({}, {"created": LONG_AGO}, "cannot be imported"),
    ],
)
def test_what_no_conversation_can_have_is_not_imported(
    kind: Any,  # noqa: ANN401  # a format
    about: dict[str, Any],
    of_message: dict[str, Any],
    words: str,
) -> None:
    """Its later replies could only fail."""
    message = msgspec.structs.replace(user("Hi"), **of_message)
    file = kind.write(Transcript(messages=(message,), **about))
    assert words in (problem(kind, file) or "")


def test_a_notebook_is_a_notebook() -> None:
    """Of the present format, and valid; other cells are skipped when it is read."""
    transcript = Transcript(title="T", messages=(user("# Hi\n$x$"),))
    written = nbformat.reads(notebook.write(transcript).decode(), as_version=4)
    nbformat.validate(written)
    assert written.cells[0].source == "#### User\n\n# Hi\n$x$"
    written.cells.insert(0, nbformat.v4.new_code_cell("1 + 1"))
    again = notebook.read(nbformat.writes(written).encode(), NOW)
    assert [message.content for message in again.messages] == ["# Hi\n$x$"]


def test_markdown_is_readable_and_can_be_written_by_hand() -> None:
    """Comments are for what the text does not say; headings alone do too."""
    text = markdown.write(Transcript(title="T", messages=(user("Hi"),))).decode()
    assert text.startswith('---\ntitle: "T"\n---\n')
    assert text.endswith("\n## User\n\nHi\n")
    by_hand = (
        b"---\ntitle: About Paris\n---\n## User\nWhere?\n\n## Assistant\n\nThere.\n"
    )
    found = markdown.read(by_hand, NOW)
    assert found.title == "About Paris"
    assert [(m.role, m.content, m.created) for m in found.messages] == [
        ("user", "Where?", NOW),
        ("assistant", "There.", NOW),
    ]
    assert [m.parent for m in found.messages] == [None, found.messages[0].id]


def test_json_lines_can_be_written_by_hand() -> None:
    """Roles and texts are enough."""
    lines = [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]
    found = json_lines.read("\n".join(map(json.dumps, lines)).encode(), NOW)
    assert [m.content for m in found.path] == ["Q", "A"]


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([{"role": "user", "content": 5}], "message 1 is wrong"),
        ([{"role": "user", "parent": "x"}], "comes before"),
        ([{"role": "user", "id": "a"}] * 2, "two messages"),
        ([{"conversation": 1, "head": "x"}, {"role": "user"}], "its head"),
        ([{"conversation": 1}], "no message"),
        ([{"role": "user", "created": "2020-01-01T00:00:00"}], "message 1 is wrong"),
    ],
)
def test_wrong_lines_are_named(lines: list[object], words: str) -> None:
    data = "\n".join(map(json.dumps, lines)).encode()
    with pytest.raises(InvalidRequestError, match=words):
        json_lines.read(data, NOW)


def test_a_file_is_named_after_the_title() -> None:
    for title, name in (
        ("What is 1/2?", "What-is-1-2.md"),
        ("../..", "conversation.md"),
        ("", "conversation.md"),
        ("東京", "東京.md"),
    ):
        assert file_name(Transcript(title=title), ".md") == name
    long = file_name(Transcript(title="x" * 300), ".md")
    assert len(long) < 70


def test_times_of_other_zones_are_the_same_moments() -> None:
    zone = timezone(timedelta(hours=5))
    message = msgspec.structs.replace(user("Hi"), created=NOW.astimezone(zone))
    again = json_lines.read(json_lines.write(Transcript(messages=(message,))), NOW)
    assert again.messages[0].created == NOW
