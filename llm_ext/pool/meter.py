"""Who counts what becomes of requests."""

from typing import Protocol

from llm_ext.core.events import Failed, Finished
from llm_ext.errors import LLMError

from .stream import EventStream


class Meter(Protocol):
    """Told by the router, on the event loop. Must not block."""

    def ended(self, stream: EventStream, event: Finished | Failed) -> None:
        """Take notice of a request's end."""

    def refused(self, model: str, error: LLMError) -> None:
        """Take notice of a request that was not taken on; ``model`` is an id."""
