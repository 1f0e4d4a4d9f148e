"""Responses that clients can go on from: the last ones of all users, in memory."""

from collections import OrderedDict
from typing import NamedTuple

from llm_ext.core.messages import ChatMessage
from llm_ext.errors import ResponseNotFoundError

MOST = 1000
"""Responses that are kept."""

MOST_CHARACTERS = 32_000_000
"""Characters in all of them together; what they have in common counts for each."""


class KeptResponse(NamedTuple):
    """A response, and all that was said up to its end.

    Attributes:
        turns: Without instructions, which are of one response alone.
        body: The response itself, as JSON.
    """

    turns: tuple[ChatMessage, ...]
    body: bytes

    @property
    def size(self) -> int:
        """Its characters."""
        return len(self.body) + sum(map(_size, self.turns))


class Responses:
    """The responses; those that were not gone on from for longest go first."""

    def __init__(
        self, *, most: int = MOST, most_characters: int = MOST_CHARACTERS
    ) -> None:
        self._most = most
        self._most_characters = most_characters
        self._kept: OrderedDict[tuple[str, str], KeptResponse] = OrderedDict()
        self._characters = 0

    def keep(self, owner: str, response_id: str, response: KeptResponse) -> None:
        """Remember the owner's response, unless it is larger than all may be."""
        if response.size > self._most_characters:
            return
        self._kept[owner, response_id] = response
        self._characters += response.size
        while len(self._kept) > self._most or self._characters > self._most_characters:
            _, oldest = self._kept.popitem(last=False)
            self._characters -= oldest.size

    def find(self, owner: str, response_id: str) -> KeptResponse:
        """Return the owner's response.

        Raises:
            ResponseNotFoundError: There is none with this id, or no longer.
        """
        found = self._kept.get((owner, response_id))
        if found is None:
            raise ResponseNotFoundError(response_id)
        self._kept.move_to_end((owner, response_id))
        return found

    def delete(self, owner: str, response_id: str) -> None:
        """Forget the owner's response; errors as for :meth:`find`."""
        self._characters -= self.find(owner, response_id).size
        del self._kept[owner, response_id]


def _size(turn: ChatMessage) -> int:
    calls = sum(len(call.arguments) for call in turn.tool_calls)
    return len(turn.content) + len(turn.reasoning) + calls
