"""Asks the user before a model's call of a function is made."""

from collections.abc import Callable
from typing import Any

from .functions import Toolbox, written
from .pieces import ToolCall

CHOICES = "[y]es, [n]o, [a]lways"
REFUSED = "The user did not allow this call."


def _typed(question: str) -> str:
    # A kernel puts its own ``input`` in only when it runs its first cell.
    return input(question)


def replied(question: str, ask: Callable[[str], str] = _typed) -> str | None:
    """Return the reply in small letters; None where nobody can be asked."""
    try:
        return ask(question).strip().lower()
    # IPython's own error for kernels without input is a NotImplementedError.
    except (EOFError, NotImplementedError):
        return None


class Consent:
    """Asks, and remembers for which functions the answer was "always".

    Where nobody can be asked, as when a notebook is run as a whole, nothing is allowed.

    Args:
        ask: Puts a question and returns the reply; by default ``input``.
        beforehand: What would have allowed all calls beforehand, as it is written.
    """

    def __init__(
        self, ask: Callable[[str], str] = _typed, *, beforehand: str = "--yes"
    ) -> None:
        self._ask = ask
        self._beforehand = beforehand
        self._always: list[Callable[..., Any]] = []

    def __call__(self, toolbox: Toolbox, call: ToolCall) -> str:
        """Return why ``call`` of a function in ``toolbox`` may not be made.

        Empty if it may.
        """
        # What is behind a name may be another function by now.
        function = toolbox.function(call.name)
        if function in self._always:
            return ""
        reply = replied(f"Run {written(call)}? {CHOICES}: ", self._ask)
        if reply is None:
            return (
                "Nobody can be asked here whether to allow this call; "
                f"{self._beforehand} allows calls beforehand."
            )
        if reply.startswith("a"):
            self._always.append(function)
        return "" if reply.startswith(("y", "a")) else REFUSED


def everything(call: ToolCall) -> str:
    """Allow ``call``: the user agreed beforehand."""
    del call
    return ""
