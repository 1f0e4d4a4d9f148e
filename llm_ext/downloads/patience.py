"""How often something is tried again, and after which pause."""

import logging
import random
import time
from collections.abc import Callable

from llm_ext.errors import DownloadError

from .messages import Patience

_JITTER = 0.25
"""Share of a pause by which it varies, so that many do not come back together."""

_log = logging.getLogger(__name__)


class TransientError(Exception):
    """It may work in a moment.

    Attributes:
        error: What to tell people if it never does.
        retry_after: Seconds that the other side asks for.
    """

    def __init__(self, error: DownloadError, retry_after: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.retry_after = retry_after


class Attempts:
    """Counts attempts that bring nothing."""

    def __init__(
        self,
        patience: Patience,
        *,
        limit: int,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._patience = patience
        self._limit = limit
        self._sleep = sleep
        self._failed = 0

    def succeeded(self) -> None:
        """Begin to count anew: something came."""
        self._failed = 0

    def failed(self, failure: TransientError) -> None:
        """Wait before the next attempt.

        Raises:
            DownloadError: There were enough of them.
        """
        self._failed += 1
        if self._failed >= self._limit:
            raise failure.error from failure
        pause = self._pause(failure.retry_after)
        _log.warning("%s Trying again in %.1f s.", failure, pause)
        self._sleep(pause)

    def _pause(self, retry_after: float | None) -> float:
        longest = self._patience.longest_pause
        if retry_after is not None:
            return min(retry_after, longest)
        pause = min(self._patience.pause * 2.0 ** (self._failed - 1), longest)
        spread = random.uniform(-_JITTER, _JITTER)  # noqa: S311  # no secret
        return pause * (1 + spread)
