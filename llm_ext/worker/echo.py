"""An answer that begins with its prompt."""

from collections.abc import Sequence

from llm_ext.core.events import Delta, FinishReason, TextDelta, TokenLogprob
from llm_ext.engine.reader import PlainReader


class EchoReader(PlainReader):
    """Shows ``prompt`` before all else. See Reader."""

    def __init__(self, choice: int, prompt: str) -> None:
        super().__init__(choice)
        self._prompt = prompt

    def feed(
        self,
        text: str,
        logprobs: Sequence[TokenLogprob] = (),
        starts: Sequence[int] = (),
    ) -> list[Delta]:
        """See Reader."""
        return self._echoed() + super().feed(text, logprobs, starts)

    def finish(self, reason: FinishReason) -> tuple[list[Delta], FinishReason]:
        """See Reader."""
        return self._echoed(), reason

    def _echoed(self) -> list[Delta]:
        prompt, self._prompt = self._prompt, ""
        return [TextDelta(text=prompt, choice=self._choice)] if prompt else []
