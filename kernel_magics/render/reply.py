"""An answer in the cell's output: before its first word, while it grows, at its end."""

from collections.abc import Callable, Iterator

from kernel_magics.answer import Answer
from kernel_magics.errors import MagicError, SchemaError, StoppedError
from kernel_magics.exchange import Exchange
from kernel_magics.functions import written
from kernel_magics.inert import inert
from kernel_magics.pieces import (
    End,
    Piece,
    Reasoning,
    Status,
    Text,
    ToolCall,
    ToolResult,
)

from .bundles import Bundle, markdown_bundle, quoted
from .formats import final, growing
from .output import Output

_RESULT = 200
"""Characters of a call's result that are shown."""

_READABLE = ("markdown", "text")
"""Formats that a terminal shows while they grow; others end as something else."""


class Reply:
    """Shows one exchange.

    Attributes:
        answer: What came, once there is something; also where it was stopped.
    """

    def __init__(
        self,
        shown: Output,
        exchange: Exchange,
        *,
        kind: str = "markdown",
        stream: bool = True,
        stats: bool = False,
    ) -> None:
        self.answer: Answer | None = None
        self._shown = shown
        self._exchange = exchange
        self._kind = kind
        self._stream = stream
        self._stats = stats
        self._text = ""
        self._thought = 0
        self._calls: list[ToolResult] = []

    def follow(self, pieces: Iterator[Piece]) -> Answer:
        """Show ``pieces`` as they come, and return the answer.

        Raises:
            StoppedError: The user interrupted.
            SchemaError: The answer is none of what was asked for.
            MagicError: The server refused, or went away.
        """
        self._progress("waiting")
        try:
            for piece in pieces:
                self._take(piece)
            self.answer = self._exchange.answer()
        except KeyboardInterrupt:
            self._broken_off("stopped")
            raise StoppedError("the answer was interrupted.") from None
        except SchemaError:
            self._broken_off("not what was asked for")
            raise
        except MagicError:
            self._broken_off("broken off")
            raise
        self._finish(self.answer)
        return self.answer

    def _take(self, piece: Piece) -> None:
        match piece:
            case Status() if not self._text:
                self._progress(piece.text, piece.fraction)
            case Reasoning():
                self._thought += len(piece.text)
                if not self._text:
                    self._progress("thinking", detail=f"{self._thought} characters")
            case Text():
                self._text += piece.text
                self._grow()
            case ToolCall():
                self._progress(f"wants to call {piece.name}")
            case ToolResult():
                self._text = ""
                self._calls.append(piece)
                self._progress("waiting")
            case End() if piece.reason == "tool_calls":
                self._progress("wants to call a function")

    def _progress(
        self, text: str, fraction: float | None = None, detail: str = ""
    ) -> None:
        self._shown.progress(f"{self._exchange.model}: {text}", fraction, detail)

    def _grow(self) -> None:
        if self._stream:
            markdown = _joined(*self._marked_calls(), growing(self._text, self._kind))
            plain = _joined(*self._plain_calls(), self._text)
            self._shown.text(markdown, plain if self._kind in _READABLE else "")
        else:
            self._progress("writing", detail=f"{len(self._text)} characters")

    def _finish(self, answer: Answer) -> None:
        bundle = final(answer, self._kind)
        cut = answer.finish_reason == "length"
        note = f"cut at {answer.usage.completion_tokens} tokens" if cut else ""
        if "text/markdown" in bundle or self._kind == "text":
            self._shown.finish(self._completed(bundle, answer, note))
            return
        # A value, a page or a formula has no room for anything else.
        self._shown.finish(bundle)
        around = self._completed(markdown_bundle(""), answer, note)
        if around["text/markdown"]:
            self._shown.below(around)

    def _broken_off(self, note: str) -> None:
        """Show the text for the last time, with ``note``: it is not whole.

        Without any text the waiting line goes, and leaves the place to the error.
        """
        self.answer = self._exchange.answer(stopped=True)
        text = self._text
        bundle = markdown_bundle(growing(text, self._kind) if text else "", text)
        if not text and not self._calls:
            self._shown.finish(markdown_bundle(""))
            return
        self._shown.finish(self._completed(bundle, self.answer, note))

    def _completed(self, bundle: Bundle, answer: Answer, note: str) -> Bundle:
        """Add what surrounds an answer: thoughts, calls, a note, statistics."""
        notes = [f"[{note}]"] if note else []
        if self._stats:
            notes.append(answer.statistics)
        plain = _joined(*self._plain_calls(), bundle["text/plain"], *notes)
        completed = {**bundle, "text/plain": plain}
        if "text/markdown" in bundle:
            completed["text/markdown"] = _joined(
                *self._marked_calls(),
                _thoughts(answer.reasoning),
                bundle["text/markdown"],
                *(f"*{line}*" for line in notes),
            )
        return completed

    def _marked_calls(self) -> list[str]:
        return [inert(f"> {_call(result, quoted)}") for result in self._calls]

    def _plain_calls(self) -> list[str]:
        return [_call(result, str) for result in self._calls]


def _joined(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)


def _call(result: ToolResult, quote: Callable[[str], str]) -> str:
    """Return in a line what was called, and what came of it."""
    call = quote(written(result.call))
    if result.refused:
        return f"did not call {call}: {result.content}"
    shown = result.content[:_RESULT] + ("…" if len(result.content) > _RESULT else "")
    return f"called {call}: {quote(shown)}"


def _thoughts(reasoning: str) -> str:
    if not reasoning.strip():
        return ""
    head = "<details><summary>Reasoning</summary>"
    return f"{head}\n\n{inert(reasoning.strip())}\n\n</details>"
