"""Asks a question as the magics do: remembered, shown, interruptible."""

from argparse import Namespace
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from kernel_magics.answer import Answer
from kernel_magics.client import Client
from kernel_magics.consent import everything
from kernel_magics.conversation import Turn, messages
from kernel_magics.errors import RefusedError
from kernel_magics.exchange import Exchange, Question, ask
from kernel_magics.functions import Toolbox
from kernel_magics.pieces import Piece
from kernel_magics.render.formats import INSTRUCTIONS
from kernel_magics.render.reply import Reply
from kernel_magics.schema import Schema

from .session import Session

ANSWER_NAME = "_llm"
"""The variable that holds the last answer."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What a cell asks.

    Attributes:
        question: What is remembered of it.
        prompt: What is sent: the question, and what goes along with it.
        model: The model to ask.
        system: What the model should be or do.
        options: Other fields of OpenAI's request.
        kind: One of the formats.
        stream: Whether the answer is shown while it grows.
        stats: Whether tokens and times are shown.
        history: How many earlier turns go along; 0 also remembers nothing.
        schema: What the answer has to be.
        toolbox: Functions that the model may have called.
        allowed: Whether calls need no further consent.
    """

    question: str
    prompt: str
    model: str
    system: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    kind: str = "markdown"
    stream: bool = True
    stats: bool = False
    history: int = 0
    schema: Schema | None = None
    toolbox: Toolbox | None = None
    allowed: bool = False


def exchange_of(session: Session, asked: Asked) -> Exchange:
    """Return what is sent for a question, with all the earlier turns it may have."""
    instruction = "" if asked.schema else INSTRUCTIONS.get(asked.kind, "")
    system = "\n\n".join(part for part in (asked.system, instruction) if part)
    turns = _turns(session, asked.history)
    consent = everything
    if asked.toolbox is not None and not asked.allowed:
        consent = partial(session.consent, asked.toolbox)
    question = Question(
        model=asked.model,
        messages=tuple(messages(asked.prompt, system=system, turns=turns)),
        options=asked.options,
        schema=asked.schema,
        toolbox=asked.toolbox,
    )
    return Exchange(question, consent=consent)


def show_answer(session: Session, asked: Asked) -> Answer:
    """Ask, show the answer as it comes, and return it.

    Earlier turns that do not fit into the model's context are left out, the oldest
    first.

    Raises:
        MagicError: The server refused, or is gone; says why.
        StoppedError: The user interrupted; the request ended on the server too.
    """
    exchange = exchange_of(session, asked)
    reply = Reply(
        session.output(),
        exchange,
        kind=asked.kind,
        stream=asked.stream,
        stats=asked.stats,
    )
    question = asked.question if asked.history else ""
    turns = len(_turns(session, asked.history))
    pieces = _pieces(session.client, exchange, turns)
    return follow(session, reply, pieces, question=question)


def follow(
    session: Session,
    reply: Reply,
    pieces: Generator[Piece, None, None],
    *,
    question: str = "",
) -> Answer:
    """Show an answer as it comes, keep it as ``_llm``, and return it.

    What there is of an answer that was broken off is kept as well.

    Args:
        session: The notebook.
        reply: Shows the answer.
        pieces: The answer.
        question: What the conversation remembers of its question; nothing if empty.

    Raises:
        MagicError: The server refused, or is gone; says why.
        StoppedError: The user interrupted; the request ended on the server too.
    """
    try:
        # An interrupt closes the connection, upon which the server cancels.
        with closing(pieces):
            return reply.follow(pieces)
    finally:
        if reply.answer is not None and reply.answer.text:
            session.values[ANSWER_NAME] = reply.answer
            if question:
                session.conversation.add(question, reply.answer.text)


def sampling(session: Session, arguments: Namespace) -> dict[str, Any]:
    """Return OpenAI's fields: what ``arguments`` say, else what the notebook says."""
    chosen = {}
    for name in ("temperature", "max_tokens", "seed"):
        value = getattr(arguments, name, None)
        if value is None:
            value = getattr(session.options, name)
        if value is not None:
            chosen[name] = value
    return chosen


def _turns(session: Session, history: int) -> list[Turn]:
    return session.conversation.turns[-history:] if history else []


def _pieces(
    client: Client, exchange: Exchange, turns: int
) -> Generator[Piece, None, None]:
    """Ask, each time with half of the earlier ``turns`` until they fit.

    Only the request that was refused is sent again: no function is called twice.
    """
    while True:
        try:
            yield from ask(client, exchange)
        except RefusedError as error:
            if error.code != "context_length_exceeded" or not turns:
                raise
        else:
            return
        first = 1 if exchange.messages[0]["role"] == "system" else 0
        left_out = turns - turns // 2
        del exchange.messages[first : first + 2 * left_out]
        turns -= left_out
