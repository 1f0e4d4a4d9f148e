"""How fast a download is, and how long a bad connection is borne."""

import logging

import pytest

from llm_ext.downloads.messages import Patience
from llm_ext.downloads.patience import Attempts, TransientError
from llm_ext.downloads.rate import Rate
from llm_ext.errors import HubBusyError


def test_the_rate_is_of_late() -> None:
    """It is right from the second measurement on, and follows changes in seconds."""
    rate = Rate()
    rate.add(10.0, 5000)
    assert (rate.value, rate.seconds_left(9000)) == (None, None)
    rate.add(11.0, 6000)
    assert rate.value == 1000
    assert rate.seconds_left(9000) == 3
    for second in range(12, 42):
        rate.add(second, 6000 + 3000 * (second - 11))
    assert rate.value == pytest.approx(3000, rel=0.01)
    for second in range(42, 82):
        rate.add(second, 96_000)
    assert rate.value is not None
    assert rate.value < 3
    rate.add(122, 96_000)
    assert rate.seconds_left(10**6) is None


def test_beginning_again_is_no_negative_rate() -> None:
    """Neither when fewer bytes are there than before, nor after a reset."""
    rate = Rate()
    seen = []
    for second, done in enumerate([1000, 2000, 0, 500]):
        rate.add(second, done)
        seen.append(rate.value)
    assert seen == [None, 1000, None, 500]
    rate.reset()
    rate.add(9.0, 10)
    assert rate.seconds_left(100) is None


class Naps:
    """A sleep that takes no time."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)


def failure(retry_after: float | None = None) -> TransientError:
    return TransientError(HubBusyError("hub", status=503), retry_after)


def test_pauses_grow_up_to_the_longest_and_then_it_is_over() -> None:
    """The error that comes out is the last one's own."""
    naps = Naps()
    patience = Patience(attempts=7, pause=1, longest_pause=10)
    attempts = Attempts(patience, limit=7, sleep=naps)
    for _ in range(6):
        attempts.failed(failure())
    with pytest.raises(HubBusyError):
        attempts.failed(failure())
    assert len(naps.taken) == 6
    for nap, middle in zip(naps.taken, [1, 2, 4, 8, 10, 10], strict=True):
        assert nap == pytest.approx(middle, rel=0.25)


def test_what_comes_begins_the_count_anew() -> None:
    """A connection that is cut for ever brings the file, if it brings anything."""
    naps = Naps()
    attempts = Attempts(Patience(), limit=2, sleep=naps)
    for _ in range(50):
        attempts.failed(failure())
        attempts.succeeded()
    assert len(naps.taken) == 50
    assert max(naps.taken) < 1.3


def test_the_hub_is_obeyed_within_reason(caplog: pytest.LogCaptureFixture) -> None:
    """It says how long to wait, but not for ever; each pause is in the log."""
    naps = Naps()
    attempts = Attempts(Patience(longest_pause=60), limit=9, sleep=naps)
    with caplog.at_level(logging.WARNING):
        attempts.failed(failure(retry_after=7))
        attempts.failed(failure(retry_after=9000))
    assert naps.taken == [7, 60]
    assert "status 503" in caplog.text
    assert "Trying again in 7.0 s" in caplog.text
