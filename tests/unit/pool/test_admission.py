"""Who may ask now, and how much."""

import pytest

from llm_ext.core.settings import Limits
from llm_ext.errors import QueueFullError, RateLimitedError
from llm_ext.pool.admission import Admission, Backlog


class Clock:
    """Seconds that a test sets."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("limits", "backlog"),
    [
        (Limits(waiting=2), Backlog(waiting=2, seconds=3.5)),
        (Limits(waiting_per_user=1), Backlog(waiting=5, of_user=1, seconds=3.5)),
        (Limits(waiting_tokens=99), Backlog(waiting=1, tokens=99, seconds=3.5)),
    ],
)
def test_a_full_queue_says_when_to_come_again(limits: Limits, backlog: Backlog) -> None:
    """By count, by user and by tokens."""
    admission = Admission(limits, Clock())
    admission.admit("m", "ann", Backlog())
    with pytest.raises(QueueFullError) as caught:
        admission.admit("m", "ann", backlog)
    assert caught.value.retry_after == 3.5


def test_requests_a_minute() -> None:
    """A burst is allowed, then one at a time; each user for themselves."""
    clock = Clock()
    admission = Admission(Limits(requests_per_minute=3), clock)
    for _ in range(3):
        admission.admit("m", "ann", Backlog())
    with pytest.raises(RateLimitedError) as caught:
        admission.admit("m", "ann", Backlog())
    assert caught.value.retry_after == pytest.approx(20)
    admission.admit("m", "bob", Backlog())
    clock.now += 20
    admission.admit("m", "ann", Backlog())
    with pytest.raises(RateLimitedError):
        admission.admit("m", "ann", Backlog())


def test_tokens_a_minute_can_be_overdrawn_once() -> None:
    """What an answer costs is known in the end; the user then waits it off."""
    clock = Clock()
    admission = Admission(Limits(tokens_per_minute=60), clock)
    admission.admit("m", "ann", Backlog())
    admission.charge("ann", 90)
    with pytest.raises(RateLimitedError) as caught:
        admission.admit("m", "ann", Backlog())
    assert caught.value.retry_after == pytest.approx(31)
    assert admission.allowances("ann")["tokens"].remaining == 0
    clock.now += 31
    admission.admit("m", "ann", Backlog())


def test_what_was_overdrawn_is_waited_off_however_long_that_takes() -> None:
    """A debt of more than ten minutes is not forgotten with the user."""
    clock = Clock()
    admission = Admission(Limits(tokens_per_minute=1000), clock)
    admission.admit("m", "ann", Backlog())
    admission.charge("ann", 100_000)
    clock.now += 601
    with pytest.raises(RateLimitedError) as caught:
        admission.admit("m", "ann", Backlog())
    assert caught.value.retry_after == pytest.approx(99_001 * 0.06 - 601)


def test_allowances_are_told_only_where_there_are_limits() -> None:
    """They are what OpenAI's headers are made from."""
    admission = Admission(Limits(requests_per_minute=10), Clock())
    admission.admit("m", "ann", Backlog())
    (allowance,) = admission.allowances("ann").values()
    assert (allowance.limit, allowance.remaining) == (10, 9)
    assert allowance.reset == pytest.approx(6)
    assert Admission(Limits(), Clock()).allowances("ann") == {}


def test_who_stays_away_is_forgotten() -> None:
    """Else a server that many pass through would keep them all."""
    clock = Clock()
    admission = Admission(Limits(requests_per_minute=10), clock)
    admission.admit("m", "ann", Backlog())
    clock.now += 601
    admission.admit("m", "bob", Backlog())
    assert admission.allowances("ann") == {}
