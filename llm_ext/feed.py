"""What changed of late, for all who watch."""

import asyncio
from collections import deque
from typing import NamedTuple

from llm_ext.core.changes import Change

KEPT = 1000
"""Changes that a watcher who lost its connection can catch up on."""


class Numbered(NamedTuple):
    """A change and its place in the order; numbers grow by one."""

    number: int
    change: Change


class Feed:
    """Keeps the last changes and hands them to whoever follows.

    All methods run on the event loop.

    Attributes:
        start: The number before that of the first change.
    """

    def __init__(self, start: int = 0) -> None:
        self.start = start
        self._changes: deque[Numbered] = deque(maxlen=KEPT)
        self._number = start
        self._news = asyncio.Event()

    @property
    def number(self) -> int:
        """The number of the last change; ``start`` before the first."""
        return self._number

    def publish(self, change: Change) -> None:
        """Add a change."""
        self._number += 1
        self._changes.append(Numbered(self._number, change))
        self._news.set()
        self._news = asyncio.Event()

    def since(self, number: int) -> list[Numbered] | None:
        """Return what came after change ``number``; None if some of it is forgotten."""
        oldest = self._changes[0].number if self._changes else self._number + 1
        if not oldest - 1 <= number <= self._number:
            return None
        return [change for change in self._changes if change.number > number]

    async def wait(self, number: int) -> None:
        """Return once there is a change after ``number``."""
        while self._number <= number:
            await self._news.wait()
