"""Points in time as they are stored: whole microseconds, so that none is rounded."""

import time
from datetime import datetime, timedelta, timezone

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_MICROSECOND = timedelta(microseconds=1)


def now() -> int:
    """Return the present, in microseconds since 1970."""
    return time.time_ns() // 1000


def stored(moment: datetime) -> int:
    """Return a point in time in microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def shown(microseconds: int) -> datetime:
    """Return a stored point in time, in UTC."""
    return _EPOCH + microseconds * _MICROSECOND
