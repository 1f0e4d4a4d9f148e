"""The turns of a chat."""

from typing import Literal

import msgspec

Role = Literal["system", "user", "assistant", "tool"]


class ChatMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One turn, as a chat template sees it."""

    role: Role
    content: str
