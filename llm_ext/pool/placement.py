"""Where a request goes: pure."""

from llm_ext.errors import QueueFullError


def check_room(model: str, *, queued: int, max_waiting: int) -> None:
    """Raise QueueFullError if ``queued`` requests are as many as may wait."""
    if queued >= max_waiting:
        raise QueueFullError(model, waiting=queued)


def default_model(
    *, configured: str, ready: list[str], own: list[str], bundled: list[str]
) -> str | None:
    """Return the id of the model for people who name none; None if there is none.

    1. The configured one.
    2. The one that is loaded, if only one is.
    3. The user's first.
    4. The bundled one.
    """
    if configured:  # (1)
        return configured
    if len(ready) == 1:  # (2)
        return ready[0]
    return next(iter([*own, *bundled]), None)  # (3) (4)
