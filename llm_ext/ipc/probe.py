"""What the server asks the probe process, and what that answers.

Each question has an id of the server's choice, which its answer carries. Questions are
answered in order. Closing the pipe ends the process.
"""

from typing import TypeAlias

import msgspec

from llm_ext.core.device import Device, MemoryEstimate
from llm_ext.core.load_options import LoadOptions
from llm_ext.core.requests import ChatRequest
from llm_ext.core.runtime_facts import RuntimeFacts

from .pack import pack


class _Message(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    id: int


class AskDevices(_Message, frozen=True):
    """Which devices are there, and how much of them is free now?"""


class AskEstimate(_Message, frozen=True):
    """What would loading the file with these options take?"""

    path: str
    options: LoadOptions


class AskTokens(_Message, frozen=True):
    """Which tokens is the text, for the model in this file?

    Attributes:
        add_special: Whether what the model wants around an input is put there.
        parse_special: Whether special tokens in the text are recognised.
    """

    path: str
    text: str
    add_special: bool = True
    parse_special: bool = True


class AskCount(_Message, frozen=True):
    """How many tokens is the text? See :class:`AskTokens`."""

    path: str
    text: str
    add_special: bool = True
    parse_special: bool = True


class AskText(_Message, frozen=True):
    """Which text is written by these tokens?"""

    path: str
    tokens: tuple[int, ...]


class AskPieces(_Message, frozen=True):
    """Which bytes is each of these tokens?"""

    path: str
    tokens: tuple[int, ...]


class AskPrompt(_Message, frozen=True):
    """Which prompt does the chat become, if the file is loaded with these options?"""

    path: str
    options: LoadOptions
    request: ChatRequest


class DevicesFound(_Message, frozen=True):
    """The processor comes first."""

    devices: tuple[Device, ...]
    runtime: RuntimeFacts


class Estimated(_Message, frozen=True):
    """What llama.cpp said in a dry run."""

    estimate: MemoryEstimate


class TokensFound(_Message, frozen=True):
    """The tokens of a text."""

    tokens: tuple[int, ...]


class Counted(_Message, frozen=True):
    """The number of tokens of a text."""

    count: int


class PiecesFound(_Message, frozen=True):
    """The bytes of each token; a part of a character can be one."""

    pieces: tuple[bytes, ...]


class TextFound(_Message, frozen=True):
    """The text of tokens."""

    text: str


class PromptFound(_Message, frozen=True):
    """The prompt of a chat, and how many tokens it is."""

    text: str
    tokens: int


class Refused(_Message, frozen=True):
    """There is no answer; ``code`` is a class in :mod:`llm_ext.errors`."""

    code: str
    message: str
    param: str | None = None


Question: TypeAlias = (
    AskDevices | AskEstimate | AskTokens | AskCount | AskText | AskPieces | AskPrompt
)
Answer: TypeAlias = (
    DevicesFound
    | Estimated
    | TokensFound
    | Counted
    | TextFound
    | PiecesFound
    | PromptFound
    | Refused
)

_questions: msgspec.msgpack.Decoder[Question] = msgspec.msgpack.Decoder(Question)
_answers: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)


def encode(message: Question | Answer) -> bytes:
    """Return the bytes of a message; ``UnsendableError`` if it has none."""
    return pack(message)


def decode_question(data: bytes) -> Question:
    """Return a message to the probe; ``msgspec.DecodeError`` if it is none."""
    return _questions.decode(data)


def decode_answer(data: bytes) -> Answer:
    """Return a message from the probe; ``msgspec.DecodeError`` if it is none."""
    return _answers.decode(data)
