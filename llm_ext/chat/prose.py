"""Text between calls: shown as it comes, up to where a call may begin."""

from collections.abc import Callable, Sequence

from .output import Output
from .source import Found, Mismatch, Reading, Source, beginning_of, first_mark

Attempt = Callable[[Source, Output, str], Reading[None]]
"""Reads calls after a mark; ``Mismatch`` where there are none."""


class Prose:
    """Reads an answer's text, and tries to read calls where one may begin."""

    def __init__(
        self,
        source: Source,
        output: Output,
        *,
        marks: Sequence[str],
        line_marks: Sequence[str] = (),
    ) -> None:
        """Look for ``marks``, and for ``line_marks`` at the beginnings of lines."""
        self._source = source
        self._output = output
        self._marks = (*marks, *line_marks)
        self._line_marks = frozenset(line_marks)
        self._line_is_blank = True
        self._is_empty = True
        self._after_call = False

    def read(self, attempt: Attempt) -> Reading[None]:
        """Read to the end, or up to where no further call is wanted.

        White space around calls is shown only where it separates text from text.
        What turns out to be no call is shown as text.
        """
        while (found := (yield from self._next_mark())) is not None:
            completed = self._output.completed
            try:
                yield from attempt(self._source, self._output, found.mark)
            except Mismatch:
                self._output.break_call()
                if self._output.completed == completed:
                    self._show(found.start, found.end)
                else:
                    self._source.position = self._output.committed
            if self._output.completed > completed:
                if self._output.full:
                    return
                self._line_is_blank = self._after_call = True

    def _next_mark(self) -> Reading[Found | None]:
        """Show text; return the next mark, with the white space before it."""
        source = self._source
        if self._after_call and self._is_empty:
            yield from source.skip_space()
        while True:
            text = source.rest
            found = self._find(text)
            if found is not None:
                return self._at(found, text)
            if source.ended:
                if text.strip() or not self._after_call:
                    self._show(source.position, source.position + len(text))
                return None
            held = beginning_of(text, self._marks)
            safe = text[: len(text) - held]
            if self._marks:
                safe = safe.rstrip()
            self._show(source.position, source.position + len(safe))
            source.forget()
            yield

    def _at(self, found: Found, text: str) -> Found:
        """Show what is before a mark, white space left out; read the mark."""
        shown = len(text[: found.start].rstrip())
        start = self._source.position
        self._show(start, start + shown)
        self._source.position = start + found.end
        return Found(found.mark, start + shown, start + found.end)

    def _show(self, start: int, end: int) -> None:
        self._output.content(start, end)
        self._source.position = end
        if start < end:
            self._line_is_blank = self._is_empty = self._after_call = False

    def _find(self, text: str) -> Found | None:
        start = 0
        while (found := first_mark(text[start:], self._marks)) is not None:
            found = Found(found.mark, start + found.start, start + found.end)
            if found.mark not in self._line_marks or self._begins_line(text, found):
                return found
            start = found.end
        return None

    def _begins_line(self, text: str, found: Found) -> bool:
        _, newline, line = text[: found.start].rpartition("\n")
        return not line.strip() and (bool(newline) or self._line_is_blank)
