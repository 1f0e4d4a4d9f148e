"""An event loop whose time a test moves."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any


class FakeTimeLoop(asyncio.SelectorEventLoop):
    """Its clock stands still but for :meth:`advance`; timers fire when it passes."""

    now = 1000.0

    def time(self) -> float:
        """See asyncio."""
        return self.now

    async def advance(self, seconds: float) -> None:
        """Move the clock, and let everything happen that was due by then."""
        self.now += seconds
        for _ in range(10):
            await asyncio.sleep(0)


def in_fake_time(
    test: Callable[[FakeTimeLoop], Coroutine[Any, Any, None]],
) -> Callable[[], None]:
    """Run a test on such a loop, which it is given."""

    @wraps(test)
    def run() -> None:
        loop = FakeTimeLoop()
        try:
            loop.run_until_complete(test(loop))
        finally:
            loop.close()

    del run.__wrapped__  # pytest would ask for a fixture
    return run
