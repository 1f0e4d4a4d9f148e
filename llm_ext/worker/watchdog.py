"""A limit on time for what cannot be interrupted."""

import faulthandler
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

GRACE = 5.0
"""Seconds more after which the process ends where no other thread gets its turn."""

_one_at_a_time = threading.Lock()
"""The timer that needs no thread is the only one of its process."""


@contextmanager
def time_limit(
    seconds: float, overrun: Callable[[], object], *, grace: float = GRACE
) -> Iterator[None]:
    """Call ``overrun``, from another thread, if the block takes longer.

    The block goes on: only the end of the process could stop it. While Python is
    within one long operation no other thread runs; then the process ends ``grace``
    seconds later, with "Timeout" and where it was as its last words.

    Another thread that comes meanwhile waits; its time begins when it is let in.
    """
    with _one_at_a_time:
        faulthandler.dump_traceback_later(seconds + grace, exit=True)
        timer = threading.Timer(seconds, overrun)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            faulthandler.cancel_dump_traceback_later()
