"""Reads an answer while it is written: content, thoughts, calls."""

import secrets
from collections.abc import Callable, Sequence

from llm_ext.core.events import (
    Delta,
    FinishReason,
    ReasoningDelta,
    TokenLogprob,
)
from llm_ext.core.tools import Tool

from .family import Family
from .output import Output
from .prose import Prose
from .reasoning import ReasoningStyle, read_reasoning
from .source import Reading, Source

_ID_BYTES = 12


def new_call_id() -> str:
    """Return an id that no other call has."""
    return f"call_{secrets.token_hex(_ID_BYTES)}"


class AnswerReader:
    """Turns an answer's text into deltas. One for each answer.

    Implements :class:`llm_ext.engine.reader.Reader`.

    Attributes:
        done: Whether nothing that follows is wanted.
        reasoning_tokens: Tokens read so far in which the model thought.
    """

    def __init__(
        self,
        family: Family | None,
        *,
        tools: Sequence[Tool] = (),
        many: bool = True,
        style: ReasoningStyle | None = None,
        opened: bool = False,
        thoughts: bool = True,
        choice: int = 0,
        new_id: Callable[[], str] = new_call_id,
    ) -> None:
        """Make a reader.

        Args:
            family: How calls are written; None reads all as text.
            tools: What may be called.
            many: Whether there may be several calls.
            style: How the model thinks; None if it does not.
            opened: Whether the prompt ends within a thought.
            thoughts: Whether thoughts are told apart from content.
            choice: Which of the request's answers this is.
            new_id: Makes the ids of calls.
        """
        self.done = False
        self.reasoning_tokens = 0
        self._source = Source()
        self._output = Output(
            self._source,
            tools={tool.name: tool for tool in tools},
            many=many,
            thoughts=thoughts,
            choice=choice,
            new_id=new_id,
        )
        self._read = 0
        self._parser = self._parse(family, style if thoughts else None, opened=opened)
        self._go_on()

    def feed(
        self,
        text: str,
        logprobs: Sequence[TokenLogprob] = (),
        starts: Sequence[int] = (),
    ) -> list[Delta]:
        """Go on with ``text``, in which tokens begin at ``starts``; return deltas."""
        for logprob, start in zip(logprobs, starts, strict=True):
            self._output.expect_logprob(self._read + start, logprob)
        self._read += len(text)
        self._source.feed(text)
        self._go_on()
        deltas = self._output.take()
        if any(isinstance(delta, ReasoningDelta) for delta in deltas):
            self.reasoning_tokens += 1
        return deltas

    def finish(self, reason: FinishReason) -> tuple[list[Delta], FinishReason]:
        """Return the last deltas, and why the answer ended: ``reason``, or its calls.

        What is left of a call that is not complete is content.
        """
        self._source.end()
        self._go_on()
        if reason == "stop" and self._output.completed:
            reason = "tool_calls"
        return self._output.take(), reason

    def _go_on(self) -> None:
        if not self.done:
            next(self._parser, None)
            self.done = self._output.full

    def _parse(
        self, family: Family | None, style: ReasoningStyle | None, *, opened: bool
    ) -> Reading[None]:
        if style is not None:
            yield from read_reasoning(self._source, self._output, style, opened=opened)
        if family is None:
            yield from Prose(self._source, self._output, marks=()).read(_no_call)
        else:
            yield from family.read(self._source, self._output)


def _no_call(_source: Source, _output: Output, _mark: str) -> Reading[None]:
    """Take the place of what is tried at marks, where there are none."""
    yield from ()
