"""What can be said of those who answer, and of the models that others have."""

from datetime import datetime
from typing import Literal

import msgspec

from .model_status import Problem

LOCAL = "local"
"""The name of the pool of this machine among the providers."""

ProviderState = Literal["ready", "unknown", "failed", "offline"]


class RemoteModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model that a provider beyond this machine has.

    Attributes:
        id: What requests call it: the provider, a slash, and its name there.
        provider: Who has it.
        name: What it is called there.
        created: When it was made, by the provider's word.
        context_length: Tokens that fit, prompt and answer; None if it does not say.
    """

    id: str
    provider: str
    name: str
    created: datetime
    context_length: int | None = None


class ProviderStatus(msgspec.Struct, frozen=True, kw_only=True):
    """One of those who answer.

    Attributes:
        name: What stands before the slash in the ids of its models.
        kind: Whether it is this machine or another.
        url: Its address; None for this machine.
        state: Whether it answered when it was last asked for its models; ``offline``
            where this server must not ask.
        error: Why it did not.
        models: How many it offers.
        requests: Those that it answers now.
        checked_at: When it was last asked.
        latency: Seconds that it took to answer then.
    """

    name: str
    kind: Literal["local", "remote"]
    state: ProviderState
    url: str | None = None
    error: Problem | None = None
    models: int = 0
    requests: int = 0
    checked_at: datetime | None = None
    latency: float | None = None
