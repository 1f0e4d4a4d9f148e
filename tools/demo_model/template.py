"""An example as the text that the model reads, in pieces with and without loss.

``template.jinja`` is what ships in the model's file; the functions here write the same
text, but also know which pieces of it the model is to learn.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .example import Chat, Example, Fill, Turn
from .tokenizer import (
    END_OF_TEXT,
    FIM_MIDDLE,
    FIM_PREFIX,
    FIM_SUFFIX,
    TURN_END,
    TURN_START,
)

CHAT_TEMPLATE = Path(__file__).with_name("template.jinja").read_text()

_CALL = '<tool_call>\n{"name": ..., "arguments": {...}}\n</tool_call>'


@dataclass(frozen=True, kw_only=True, slots=True)
class Piece:
    """A part of an example's text, and whether the model learns to write it."""

    text: str
    learn: bool


def pieces(example: Example) -> list[Piece]:
    """Return the whole text of an example.

    A piece that is learnt starts where the model starts to write, so that it is
    tokenised there as in use.
    """
    if isinstance(example, Fill):
        return [
            Piece(text=prompt(example), learn=False),
            Piece(text=example.middle + END_OF_TEXT, learn=True),
        ]
    return [piece for turn in _turns(example) for piece in _turn(turn)]


def prompt(example: Example) -> str:
    """Return the text up to where the model's answer belongs.

    A chat is rendered with all its turns, and opened for the next one.
    """
    if isinstance(example, Fill):
        return FIM_PREFIX + example.prefix + FIM_SUFFIX + example.suffix + FIM_MIDDLE
    text = "".join(piece.text for piece in pieces(example))
    return f"{text}{TURN_START}assistant\n"


def _turn(turn: Turn) -> Iterator[Piece]:
    yield Piece(text=f"{TURN_START}{turn.role}\n", learn=False)
    yield Piece(text=turn.content + TURN_END, learn=turn.role == "assistant")
    yield Piece(text="\n", learn=False)


def _turns(chat: Chat) -> tuple[Turn, ...]:
    """Return the turns, with the list of tools in the system's."""
    if not chat.tools:
        return chat.turns
    lines = [
        json.dumps(tool.get("function", tool), ensure_ascii=False)
        for tool in chat.tools
    ]
    section = "\n".join(
        ["You can call these tools:", *lines, "To call one, answer with:", _CALL]
    )
    if chat.turns[0].role != "system":
        return (Turn(role="system", content=section), *chat.turns)
    system = chat.turns[0].content
    content = f"{system}\n\n{section}" if system else section
    return (Turn(role="system", content=content), *chat.turns[1:])
