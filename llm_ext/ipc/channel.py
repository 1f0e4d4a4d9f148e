"""Frames over a pipe: a length of four bytes, big-endian, then that many bytes.

Blocking, for threads: asyncio's subprocess pipes do not exist on every platform's
event loop.
"""

from typing import BinaryIO

MAX_FRAME = 256 * 1024 * 1024
"""A longer frame means that the two sides have lost step."""

_HEADER = 4


class ChannelError(Exception):
    """What arrived is no frame; the pipe cannot be used any more."""


def write_frame(pipe: BinaryIO, data: bytes) -> None:
    """Write one frame and flush. OSError or ValueError if the other side has gone."""
    pipe.write(len(data).to_bytes(_HEADER, "big") + data)
    pipe.flush()


def read_frame(pipe: BinaryIO) -> bytes | None:
    """Return the next frame; None at the end, also where it ends within a frame.

    Raises:
        ChannelError: The length is impossible.
    """
    header = pipe.read(_HEADER)
    if len(header) < _HEADER:
        return None
    size = int.from_bytes(header, "big")
    if size > MAX_FRAME:
        raise ChannelError(f"a frame of {size} bytes was announced")
    data = pipe.read(size)
    return data if len(data) == size else None
