"""What the server and the process that runs a download say to each other.

The server sends ``Fetch``. The process answers with ``Resolved`` and waits for
``Proceed``; then come ``Progress`` and at last ``Fetched`` or ``FetchFailed``, after
which it ends. Closing the pipe ends it at any time.
"""

from typing import Literal, TypeAlias

import msgspec

from .hub_file import HubFile

Stage = Literal["downloading", "verifying"]


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """How long a bad connection is borne.

    Attributes:
        stall: Seconds without a byte after which a connection counts as dead.
        attempts: Attempts in a row that bring nothing, before the download fails.
        first_attempts: The same, for the first question: whoever asked still waits.
        pause: Seconds before the second attempt; each further pause is twice as long.
        longest_pause: Seconds; also of what the hub may ask for.
    """

    stall: float = 60.0
    attempts: int = 8
    first_attempts: int = 3
    pause: float = 1.0
    longest_pause: float = 60.0


class _Message(msgspec.Struct, frozen=True, tag=True, kw_only=True):
    pass


class Fetch(_Message, frozen=True):
    """Fetch what ``reference`` means.

    Attributes:
        folder: The download's own, for what is not complete yet.
        models: The model folder that complete files go to.
    """

    reference: str
    folder: str
    models: str
    patience: Patience


class Proceed(_Message, frozen=True):
    """Fetch the files that were resolved."""


class Resolved(_Message, frozen=True):
    """``files``, the model's first, are what ``repo`` has to give."""

    repo: str
    files: tuple[HubFile, ...]


class Progress(_Message, frozen=True):
    """``done`` bytes of all are on the disk or, while verifying, known to be right."""

    stage: Stage
    done: int


class Fetched(_Message, frozen=True):
    """All files are in the model folder; the model's own, or its first part, leads."""

    paths: tuple[str, ...]


class FetchFailed(_Message, frozen=True):
    """It failed; ``code`` is a class in :mod:`llm_ext.errors`."""

    code: str
    message: str


Order: TypeAlias = Fetch | Proceed
Report: TypeAlias = Resolved | Progress | Fetched | FetchFailed

_encoder = msgspec.msgpack.Encoder()
_orders: msgspec.msgpack.Decoder[Order] = msgspec.msgpack.Decoder(Order)
_reports: msgspec.msgpack.Decoder[Report] = msgspec.msgpack.Decoder(Report)


def encode(message: Order | Report) -> bytes:
    """Return the bytes of a message."""
    return _encoder.encode(message)


def decode_order(data: bytes) -> Order:
    """Return a message to the process; ``msgspec.DecodeError`` if it is none."""
    return _orders.decode(data)


def decode_report(data: bytes) -> Report:
    """Return a message from the process; ``msgspec.DecodeError`` if it is none."""
    return _reports.decode(data)
