"""Who may ask now, and how much: pure, but for the clock it is given."""

import math
from collections.abc import Callable

import msgspec

from llm_ext.core.allowance import Allowance
from llm_ext.core.settings import Limits
from llm_ext.errors import QueueFullError, RateLimitedError

MINUTE = 60.0
FORGET_AFTER = 10 * MINUTE
"""Seconds after which a user who asks nothing more is forgotten, once the buckets are
full again: what was overdrawn is waited off first."""


class Backlog(msgspec.Struct, frozen=True, kw_only=True):
    """What waits for one model.

    Attributes:
        waiting: Requests beyond those that run.
        of_user: Those of the user who asks now.
        tokens: Prompt tokens that are not computed yet.
        seconds: How long a new request would wait; None where it cannot be told.
    """

    waiting: int = 0
    of_user: int = 0
    tokens: int = 0
    seconds: float | None = None


class Admission:
    """Owns the rate limits' buckets, one pair for each user."""

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        self._limits = limits
        self._clock = clock
        self._requests: dict[str, _Bucket] = {}
        self._tokens: dict[str, _Bucket] = {}

    def admit(self, model: str, user: str, backlog: Backlog) -> None:
        """Take note of a request.

        Raises:
            QueueFullError: Too much waits for the model already.
            RateLimitedError: The user has asked too much of late.
        """
        self._check_queue(model, backlog)
        limits, now = self._limits, self._clock()
        requests = self._bucket(self._requests, user, limits.requests_per_minute)
        tokens = self._bucket(self._tokens, user, limits.tokens_per_minute)
        for bucket, what in ((requests, "requests"), (tokens, "tokens")):
            if bucket is not None and (wait := bucket.wait(now)) > 0:
                raise RateLimitedError(what, limit=bucket.limit, retry_after=wait)
        if requests is not None:
            requests.take(1, now)

    def charge(self, user: str, tokens: int) -> None:
        """Take the tokens of a request that has ended."""
        limit = self._limits.tokens_per_minute
        bucket = self._bucket(self._tokens, user, limit)
        if bucket is not None:
            bucket.take(tokens, self._clock())

    def allowances(self, user: str) -> dict[str, Allowance]:
        """Return what the user has left, by "requests" and "tokens" where limited."""
        now = self._clock()
        buckets = {"requests": self._requests, "tokens": self._tokens}
        return {
            what: found[user].allowance(now)
            for what, found in buckets.items()
            if user in found
        }

    def _check_queue(self, model: str, backlog: Backlog) -> None:
        limits = self._limits
        full = (
            0 < limits.waiting <= backlog.waiting
            or 0 < limits.waiting_per_user <= backlog.of_user
            or 0 < limits.waiting_tokens <= backlog.tokens
        )
        if full:
            raise QueueFullError(
                model, waiting=backlog.waiting, retry_after=backlog.seconds
            )

    def _bucket(
        self, buckets: "dict[str, _Bucket]", user: str, limit: int
    ) -> "_Bucket | None":
        if not limit:
            return None
        now = self._clock()
        for name, bucket in list(buckets.items()):
            if now - bucket.used_at > FORGET_AFTER and bucket.is_full(now):
                del buckets[name]
        return buckets.setdefault(user, _Bucket(limit, now))


class _Bucket:
    """Holds ``limit`` at most and fills evenly, the whole of it in a minute.

    What a request costs may be known only in the end, so it can be overdrawn.
    """

    def __init__(self, limit: int, now: float) -> None:
        self.limit = limit
        self.used_at = now
        self._level = float(limit)
        self._filled_at = now

    def take(self, amount: float, now: float) -> None:
        self._fill(now)
        self._level -= amount
        self.used_at = now

    def wait(self, now: float) -> float:
        """Return the seconds until there is one to take."""
        self._fill(now)
        return max(0.0, (1 - self._level) * MINUTE / self.limit)

    def is_full(self, now: float) -> bool:
        self._fill(now)
        return self._level >= self.limit

    def allowance(self, now: float) -> Allowance:
        self._fill(now)
        missing = self.limit - self._level
        return Allowance(
            limit=self.limit,
            remaining=max(0, math.floor(self._level)),
            reset=missing * MINUTE / self.limit,
        )

    def _fill(self, now: float) -> None:
        gained = (now - self._filled_at) * self.limit / MINUTE
        self._level = min(float(self.limit), self._level + gained)
        self._filled_at = now
