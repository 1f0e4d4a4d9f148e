"""``context``: a conversation that a client keeps, and sends back to go on with it.

Clients take it for numbers that mean something to the server alone. Here they are the
bytes of the turns, so that nothing has to be remembered for them.
"""

from collections.abc import Sequence
from typing import Literal

import msgspec

from llm_ext.errors import InvalidRequestError


class Turn(msgspec.Struct, frozen=True, array_like=True):
    """Who said what."""

    role: Literal["system", "user", "assistant"]
    content: str


_turns = msgspec.msgpack.Decoder(tuple[Turn, ...])


def encode(turns: Sequence[Turn]) -> list[int]:
    """Return the turns as numbers."""
    return list(msgspec.msgpack.encode(turns))


def decode(context: Sequence[int]) -> tuple[Turn, ...]:
    """Return the turns; none of an empty context.

    Raises:
        InvalidRequestError: It is of another server.
    """
    if not context:
        return ()
    try:
        return _turns.decode(bytes(context))
    except (ValueError, msgspec.DecodeError) as error:
        raise InvalidRequestError(
            "'context' was not made by this server. Send the 'context' of an answer "
            "that came from here, or use api/chat.",
            param="context",
        ) from error
