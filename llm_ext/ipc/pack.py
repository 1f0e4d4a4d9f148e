"""Any message to bytes: msgpack, by msgspec."""

import msgspec

from .channel import MAX_FRAME

_encoder = msgspec.msgpack.Encoder()


class UnsendableError(Exception):
    """A message holds what no frame can carry; says what."""


def pack(message: msgspec.Struct) -> bytes:
    """Return the bytes of a message.

    Raises:
        UnsendableError: It holds a number of more than 64 bits, a text that is none,
            or is nested too deep or too long for the other side.
    """
    try:
        data = _encoder.encode(message)
    except (OverflowError, RecursionError, TypeError, ValueError) as error:
        raise UnsendableError(str(error)) from error
    if len(data) > MAX_FRAME:
        raise UnsendableError(f"it has {len(data)} bytes; at most {MAX_FRAME} are read")
    return data
