"""A conversation in a program: each question knows what was said before."""

from collections.abc import Callable
from typing import Any

from kernel_magics.answer import Answer
from kernel_magics.conversation import Conversation, heading
from kernel_magics.inert import inert


class Talk:
    """A conversation with a model; call it with the next question.

    Attributes:
        conversation: The turns so far.
    """

    def __init__(
        self,
        ask: Callable[..., Answer],
        *,
        system: str = "",
        options: dict[str, Any] | None = None,
    ) -> None:
        self.conversation = Conversation()
        self._ask = ask
        self._system = system
        self._options = options or {}

    def __call__(self, question: str, /, **options: Any) -> Answer:  # noqa: ANN401  # those of LLM.chat
        """Ask the next question and return the answer; options as for ``LLM.chat``."""
        turns = self.conversation.turns
        messages = self.conversation.messages(
            question, system=self._system, last=len(turns)
        )
        answer = self._ask(messages, **{**self._options, **options})
        self.conversation.add(question, answer.text)
        return answer

    def _repr_markdown_(self) -> str:
        turns = self.conversation.turns
        return "\n\n".join(
            f"{heading(turn.question)}\n\n{inert(turn.answer)}" for turn in turns
        )
