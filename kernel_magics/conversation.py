"""The turns of a conversation that this kernel remembers."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .inert import inert

Message = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Turn:
    """A question and its answer."""

    question: str
    answer: str


class Conversation:
    """Turns, the last of which go along with the next question."""

    def __init__(self, turns: Iterable[Turn] = ()) -> None:
        self.turns: list[Turn] = list(turns)

    def add(self, question: str, answer: str) -> None:
        """Remember a turn."""
        self.turns.append(Turn(question=question, answer=answer))

    def forget(self) -> int:
        """Forget all turns, and return how many there were."""
        count = len(self.turns)
        self.turns.clear()
        return count

    def messages(
        self, question: str, *, system: str = "", last: int = 0
    ) -> list[Message]:
        """Return OpenAI's messages for the next question.

        Args:
            question: The question.
            system: What the model should be or do; left out where it is empty.
            last: How many of the last turns go along.
        """
        turns = self.turns[-last:] if last > 0 else []
        return messages(question, system=system, turns=turns)


def heading(question: str) -> str:
    """Return a question in Markdown, as what stands above its answer."""
    first, end, rest = question.strip().partition("\n")
    return inert(f"**{first.strip()}**{end}{rest}")


def messages(
    question: str, *, system: str = "", turns: Sequence[Turn] = ()
) -> list[Message]:
    """Return OpenAI's messages for a question after ``turns``."""
    written: list[tuple[str, str]] = [("system", system)] if system else []
    for turn in turns:
        written += [("user", turn.question), ("assistant", turn.answer)]
    written.append(("user", question))
    return [{"role": role, "content": content} for role, content in written]
