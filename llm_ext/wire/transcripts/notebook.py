"""A conversation as a notebook (nbformat 4): a Markdown cell for each message.

A cell begins with a heading that says whose turn it is; its metadata hold what the text
does not say, under ``llm_ext``. The path to the head is written, no other branch.
"""

from datetime import datetime
from typing import Any

import msgspec
import nbformat

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

KIND = "notebook"

_METADATA = "llm_ext"
_HEADINGS = {
    "system": "#### System\n\n",
    "user": "#### User\n\n",
    "assistant": "#### Assistant\n\n",
    "tool": "#### Tool\n\n",
}


class _CellMetadata(msgspec.Struct):
    llm_ext: TurnFacts | None = None


class _Cell(msgspec.Struct):
    metadata: _CellMetadata
    source: str | list[str]


class _Metadata(msgspec.Struct):
    llm_ext: Facts = Facts()


class _Notebook(msgspec.Struct):
    """As much of a notebook as there is to read; nbformat would repair and warn."""

    cells: list[_Cell]
    metadata: _Metadata


_decoder = msgspec.json.Decoder(_Notebook)


def write(conversation: Transcript) -> bytes:
    """Return the path of a conversation as a file."""
    notebook = nbformat.v4.new_notebook(
        metadata={_METADATA: msgspec.to_builtins(facts(conversation))},
        cells=[_cell(turn) for turn in conversation.path],
    )
    written: str = nbformat.writes(notebook, version=4)
    return written.encode() + b"\n"


def read(data: bytes, now: datetime) -> Transcript:
    """Return the conversation that a file holds; cells that are no message are skipped.

    Raises:
        InvalidRequestError: It is no notebook, or holds no message.
    """
    try:
        notebook = _decoder.decode(text(data, kind=KIND))
    except msgspec.DecodeError as error:
        raise unreadable(KIND, str(error)) from error
    turns = [
        (cell.metadata.llm_ext, "".join(cell.source))
        for cell in notebook.cells
        if cell.metadata.llm_ext is not None
    ]
    messages = [
        message(
            turn,
            source.removeprefix(_HEADINGS.get(turn.role, "")),
            number=number,
            now=now,
            kind=KIND,
        )
        for number, (turn, source) in enumerate(turns)
    ]
    return transcript(notebook.metadata.llm_ext, messages, kind=KIND)


def _cell(turn: Message) -> dict[str, Any]:
    cell: dict[str, Any] = nbformat.v4.new_markdown_cell(
        _HEADINGS[turn.role] + turn.content,
        metadata={_METADATA: msgspec.to_builtins(turn_facts(turn))},
    )
    return cell
