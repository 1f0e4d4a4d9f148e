r"""A conversation as Markdown that people read, and that can be read back.

A comment, which no renderer shows, stands before each message and holds, as JSON, what
the text does not say. Front matter holds what is known of the conversation; its values
are JSON, and so YAML. The path to the head is written, no other branch.

::

    ---
    title: "Greeting"
    ---

    <!-- message {"role":"user"} -->
    ## User

    Hello!

    <!-- message {"role":"assistant","details":{"model":"hello"}} -->
    ## Assistant

    Hello to you!

A line of a message that looks like such a comment gets a backslash: ``<!-- \message``.
Without any comment, the headings alone tell the messages apart.
"""

import re
from collections.abc import Iterator
from datetime import datetime

import msgspec

from llm_ext.core.conversation import Message, Transcript

from .facts import (
    Facts,
    TurnFacts,
    facts,
    message,
    text,
    transcript,
    turn_facts,
    unreadable,
)

KIND = "Markdown file"

_HEADINGS = {
    "system": "## System",
    "user": "## User",
    "assistant": "## Assistant",
    "tool": "## Tool",
}
_MARK = re.compile(r"^<!-- message (\{.*\}) -->$", re.MULTILINE)
_LOOKS_MARKED = re.compile(r"^<!-- (\\*message )", re.MULTILINE)
_ESCAPED = re.compile(r"^<!-- \\(\\*message )", re.MULTILINE)
_HEADING = re.compile(r"^## (System|User|Assistant|Tool)[ \t]*$", re.MULTILINE)
_FRONT_MATTER = re.compile(r"\A---\n(.*?)^---\n", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r"^(\w+): *(.*)$")


def write(conversation: Transcript) -> bytes:
    """Return the path of a conversation as a file."""
    head = msgspec.to_builtins(facts(conversation))
    lines = [f"{name}: {_json(value)}\n" for name, value in head.items()]
    parts = [f"---\n{''.join(lines)}---\n", *map(_written, conversation.path)]
    return "\n".join(parts).encode()


def read(data: bytes, now: datetime) -> Transcript:
    """Return the conversation that a file holds.

    Raises:
        InvalidRequestError: It is no such file; says where it is wrong.
    """
    body = text(data, kind=KIND)
    found = Facts()
    if front := _FRONT_MATTER.match(body):
        found = _facts(front[1])
        body = body[front.end() :]
    turns = _marked(body) if _MARK.search(body) else _headed(body)
    messages = [
        message(turn, content, number=number, now=now, kind=KIND)
        for number, (turn, content) in enumerate(turns)
    ]
    return transcript(found, messages, kind=KIND)


def _written(turn: Message) -> str:
    content = _LOOKS_MARKED.sub(r"<!-- \\\1", turn.content)
    mark = _json(msgspec.to_builtins(turn_facts(turn)))
    return f"<!-- message {mark} -->\n{_HEADINGS[turn.role]}\n\n{content}\n"


def _json(value: object) -> str:
    """Return JSON on one line that cannot end a comment."""
    return msgspec.json.encode(value).decode().replace(">", r"\u003e")


def _facts(front: str) -> Facts:
    """Return what front matter says; a value that is no JSON is taken as a text."""
    given: dict[str, object] = {}
    for line in front.split("\n"):
        if field := _FIELD.match(line):
            try:
                given[field[1]] = msgspec.json.decode(field[2])
            except msgspec.DecodeError:
                given[field[1]] = field[2].strip()
    try:
        return msgspec.convert(given, Facts)
    except msgspec.ValidationError as error:
        raise unreadable(KIND, f"its front matter is wrong: {error}") from error


def _marked(body: str) -> Iterator[tuple[TurnFacts, str]]:
    for mark, part, last in _parts(body, _MARK):
        try:
            turn = msgspec.json.decode(mark[1], type=TurnFacts)
        except msgspec.DecodeError as error:
            raise unreadable(KIND, f"the comment {mark[0]} is wrong: {error}") from (
                error
            )
        heading = _HEADINGS.get(turn.role, "") + "\n\n"
        content = part.removeprefix("\n").removeprefix(heading).removesuffix("\n")
        if not last:
            content = content.removesuffix("\n")
        yield turn, _ESCAPED.sub(r"<!-- \1", content)


def _headed(body: str) -> Iterator[tuple[TurnFacts, str]]:
    for heading, part, _ in _parts(body, _HEADING):
        yield TurnFacts(role=heading[1].lower()), part.strip()


def _parts(
    body: str, pattern: "re.Pattern[str]"
) -> Iterator[tuple["re.Match[str]", str, bool]]:
    """Yield each match, what follows it up to the next, and whether it is the last."""
    matches = list(pattern.finditer(body))
    ends = [match.start() for match in matches[1:]]
    for number, match in enumerate(matches):
        last = number == len(ends)
        end = len(body) if last else ends[number]
        yield match, body[match.end() : end], last
