"""Messages to bytes and back: msgpack, by msgspec."""

import msgspec

from .messages import Command, Report
from .pack import pack

_commands: msgspec.msgpack.Decoder[Command] = msgspec.msgpack.Decoder(Command)
_reports: msgspec.msgpack.Decoder[Report] = msgspec.msgpack.Decoder(Report)


def encode(message: Command | Report) -> bytes:
    """Return the bytes of a message; ``UnsendableError`` if it has none."""
    return pack(message)


def decode_command(data: bytes) -> Command:
    """Return a message to the worker; ``msgspec.DecodeError`` if it is none."""
    return _commands.decode(data)


def decode_report(data: bytes) -> Report:
    """Return a message from the worker; ``msgspec.DecodeError`` if it is none."""
    return _reports.decode(data)
