"""What reads an answer's text on its way out, such as for tool calls."""

from collections.abc import Sequence
from typing import Protocol

from llm_ext.core.events import Delta, FinishReason, TextDelta, TokenLogprob


class Reader(Protocol):
    """Makes one answer's text into deltas. Stop strings are out of it already."""

    @property
    def done(self) -> bool:
        """Whether nothing that follows is wanted, so that the answer can end."""

    @property
    def reasoning_tokens(self) -> int:
        """Tokens read so far in which the model thought."""

    def feed(
        self,
        text: str,
        logprobs: Sequence[TokenLogprob] = (),
        starts: Sequence[int] = (),
    ) -> list[Delta]:
        """Go on with a token's ``text``; return what can be shown now.

        ``starts`` are the places in it at which the tokens of ``logprobs`` begin.
        """

    def finish(self, reason: FinishReason) -> tuple[list[Delta], FinishReason]:
        """Return what was held back, and why the answer ended."""


class PlainReader:
    """Shows all text as it is."""

    done = False
    reasoning_tokens = 0

    def __init__(self, choice: int) -> None:
        self._choice = choice

    def feed(
        self,
        text: str,
        logprobs: Sequence[TokenLogprob] = (),
        starts: Sequence[int] = (),  # noqa: ARG002  # see Reader
    ) -> list[Delta]:
        """See Reader."""
        if not text:
            return []
        return [TextDelta(text=text, choice=self._choice, logprobs=tuple(logprobs))]

    def finish(self, reason: FinishReason) -> tuple[list[Delta], FinishReason]:
        """See Reader."""
        return [], reason
