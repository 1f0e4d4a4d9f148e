"""What the model learns from: chats and gaps to fill, and the cases it is judged on."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One turn of a chat."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str


@dataclass(frozen=True, kw_only=True)
class Chat:
    """A chat; a call of a tool stands literally in an assistant's content."""

    turns: tuple[Turn, ...]
    tools: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Fill:
    """A text with a gap: the middle is what belongs between prefix and suffix."""

    prefix: str
    middle: str
    suffix: str


Example: TypeAlias = Chat | Fill


@dataclass(frozen=True, kw_only=True)
class Case:
    """A held-out prompt, and a judge of what the model answers to it.

    A chat ends with a user or a tool turn; the middle of a fill is ignored.
    """

    task: str
    prompt: Chat | Fill
    right: Callable[[str], bool]
    note: str = ""
