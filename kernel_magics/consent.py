"""Asks the user before a model's call of a function is made."""

from collections.abc import Callable

from .functions import written
from .pieces import ToolCall

CHOICES = "[y]es, [n]o, [a]lways"
REFUSED = "The user did not allow this call."


class Consent:
    """Asks, and remembers for which functions the answer was "always".

    Where nobody can be asked, as when a notebook is run as a whole, nothing is allowed.

    Args:
        ask: Puts a question and returns the reply; by default ``input``.
        beforehand: What would have allowed all calls beforehand, as it is written.
    """

    def __init__(
        self, ask: Callable[[str], str] = input, *, beforehand: str = "--yes"
    ) -> None:
        self._ask = ask
        self._beforehand = beforehand
        self._always: set[str] = set()

    def __call__(self, call: ToolCall) -> str:
        """Return why ``call`` may not be made; empty if it may."""
        if call.name in self._always:
            return ""
        try:
            reply = self._ask(f"Run {written(call)}? {CHOICES}: ").strip().lower()
        # IPython's own error for kernels without input is a NotImplementedError.
        except (EOFError, NotImplementedError):
            return (
                "Nobody can be asked here whether to allow this call; "
                f"{self._beforehand} allows calls beforehand."
            )
        if reply.startswith("a"):
            self._always.add(call.name)
        return "" if reply.startswith(("y", "a")) else REFUSED


def everything(call: ToolCall) -> str:
    """Allow ``call``: the user agreed beforehand."""
    del call
    return ""
