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


_CRASHES = frozenset({"SIGSEGV", "SIGILL", "SIGBUS"})
_WINDOWS_CRASHES = frozenset({0xC0000005, 0xC000001D})  # access violation, illegal code


_TIMEOUT = re.compile(r"Timeout \(\d+:\d\d:\d\d(\.\d+)?\)!")
"""What is printed where a process ends because a limit on time is passed."""


def cause(status: int) -> str:
    """Say in words what a process's exit status means; negative is a signal."""
    if status >= 0:
        return f"exit status {status}"
    name = _signal_name(status)
    return _HINTS.get(name, f"killed by {name}")


def crashed(status: int) -> bool:
    """Return whether a process ended because its own code did what it must not."""
    return status in _WINDOWS_CRASHES or (
        status < 0 and _signal_name(status) in _CRASHES
    )


def _signal_name(status: int) -> str:
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"


def was_stuck(log: Sequence[str]) -> bool:
    """Return whether a process ended within a chat template that had no end."""
    return any(_TIMEOUT.match(line) for line in log)


def last_words(log: Sequence[str]) -> str:
    """Return what a process that ended by itself printed last, or what that means."""
    if was_stuck(log):
        return STUCK
    lines = [line.strip() for line in log if line.strip()]
    return lines[-1] if lines else ""
