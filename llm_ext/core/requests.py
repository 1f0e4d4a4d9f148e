"""What every dialect's request becomes."""

import msgspec

from .constraint import Constraint
from .messages import ChatMessage
from .sampling import SamplingOptions


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Answer the last of ``messages`` with the model that has the id ``model``."""

    model: str
    messages: tuple[ChatMessage, ...]
    sampling: SamplingOptions
    constraint: Constraint | None = None
