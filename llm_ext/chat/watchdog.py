"""A limit on time for what cannot be interrupted."""

import faulthandler
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import TypeAlias

from llm_ext.errors import ChatTemplateTimeError

Overrun: TypeAlias = Callable[[ChatTemplateTimeError], object]
"""What is done, from another thread, when a template takes too long."""

RENDER_LIMIT = 5.0
"""Seconds that a chat template may take; those in the field take milliseconds."""

GRACE = 5.0
"""Seconds more after which the process ends where no other thread gets its turn."""

_one_at_a_time = threading.Lock()
"""The timer that needs no thread is the only one of its process."""


def render_limit(
    overrun: Overrun, *, seconds: float = RENDER_LIMIT
) -> AbstractContextManager[None]:
    """Limit the time of a template that is rendered in the block."""
    error = ChatTemplateTimeError(seconds=seconds)
    return time_limit(seconds, partial(overrun, error))


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
