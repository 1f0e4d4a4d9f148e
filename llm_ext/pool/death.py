"""What a worker's end means, in words: pure."""

import re
import signal
from collections.abc import Sequence

from llm_ext.errors import ChatTemplateTimeError

LAST_WORDS = frozenset({ChatTemplateTimeError.code})
"""Codes of errors after which a process ends by itself."""

STUCK = (
    "A chat template computed for too long, and could not be stopped in another way."
)

_HINTS = {
    "SIGKILL": "killed by SIGKILL, mostly by the system for lack of memory",
    "SIGABRT": "llama.cpp aborted (SIGABRT)",
    "SIGSEGV": "llama.cpp crashed (SIGSEGV)",
    "SIGILL": "llama.cpp was built for another processor (SIGILL)",
}


_TIMEOUT = re.compile(r"Timeout \(\d+:\d\d:\d\d(\.\d+)?\)!")
"""What is printed where a process ends because a limit on time is passed."""


def cause(status: int) -> str:
    """Say in words what a process's exit status means; negative is a signal."""
    if status >= 0:
        return f"exit status {status}"
    try:
        name = signal.Signals(-status).name
    except ValueError:
        return f"killed by signal {-status}"
    return _HINTS.get(name, f"killed by {name}")


def was_stuck(log: Sequence[str]) -> bool:
    """Return whether a process ended within a chat template that had no end."""
    return any(_TIMEOUT.match(line) for line in log)


def last_words(log: Sequence[str]) -> str:
    """Return what a process that ended by itself printed last, or what that means."""
    if was_stuck(log):
        return STUCK
    lines = [line.strip() for line in log if line.strip()]
    return lines[-1] if lines else ""
