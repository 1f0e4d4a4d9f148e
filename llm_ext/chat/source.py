"""An answer's text as it comes, for parsers that read it as if it were complete.

A parser is a generator: it yields where it needs more text, and goes on when there is
more, or when the answer has ended. What it does depends on the characters alone, never
on the pieces in which they came.
"""

import re
from collections.abc import Callable, Generator, Sequence
from typing import NamedTuple, TypeAlias, TypeVar

_T = TypeVar("_T")

Reading: TypeAlias = Generator[None, None, _T]
"""A parser, or a part of one, that comes to a ``_T``."""


class Mismatch(Exception):  # noqa: N818  # no error: the text is just something else
    """The text is not what was tried to be read."""


class Found(NamedTuple):
    """A mark in the text: which one, and where it starts and ends."""

    mark: str
    start: int
    end: int


class Source:
    """Text with a place up to which it was read; places count from the answer's start.

    Attributes:
        position: The place.
        ended: Whether nothing follows the text that is here.
    """

    def __init__(self) -> None:
        self.position = 0
        self.ended = False
        self._text = ""
        self._start = 0

    def feed(self, text: str) -> None:
        """Go on with ``text``."""
        self._text += text

    def end(self) -> None:
        """Say that nothing follows."""
        self.ended = True

    def forget(self) -> None:
        """Drop what was read: nothing before the position is asked for again."""
        self._text = self._text[self.position - self._start :]
        self._start = self.position

    def between(self, start: int, end: int) -> str:
        """Return a part of the text."""
        return self._text[start - self._start : end - self._start]

    @property
    def rest(self) -> str:
        """What is here and was not read."""
        return self._text[self.position - self._start :]

    def peek(self) -> Reading[str]:
        """Return the next character; "" at the end."""
        while not self.ended and len(self._text) == self.position - self._start:
            yield
        at = self.position - self._start
        return self._text[at : at + 1]

    def accept(self, wanted: str) -> Reading[bool]:
        """Read ``wanted``, if that is what comes next; say whether it was."""
        while True:
            at = self.position - self._start
            here = self._text[at : at + len(wanted)]
            if here == wanted:
                self.position += len(wanted)
                return True
            if self.ended or not wanted.startswith(here):
                return False
            yield

    def accept_one(self, wanted: Sequence[str]) -> Reading[str]:
        """Read the first of ``wanted`` that comes next; return it, or ""."""
        for text in wanted:
            if (yield from self.accept(text)):
                return text
        return ""

    def expect(self, wanted: str) -> Reading[None]:
        """Read ``wanted``; ``Mismatch`` if something else comes next."""
        if not (yield from self.accept(wanted)):
            raise Mismatch

    def run(self, pattern: "re.Pattern[str]") -> Reading[str]:
        """Read what is here of a run of characters; "" where another one comes next.

        ``pattern`` matches such characters, one or more. A run can come in parts.
        """
        if not (yield from self.peek()):
            return ""
        match = pattern.match(self._text, self.position - self._start)
        if match is None:
            return ""
        self.position += len(match[0])
        return match[0]

    def word(self, pattern: "re.Pattern[str]", *, most: int) -> Reading[str]:
        """Read a whole run; ``Mismatch`` if it is longer than ``most``."""
        word = ""
        while part := (yield from self.run(pattern)):
            word += part
            if len(word) > most:
                raise Mismatch
        return word

    def skip_space(self) -> Reading[None]:
        """Read white space, if there is any."""
        while (yield from self.run(_SPACE)):
            pass

    def until(self, marks: Sequence[str], *, most: int) -> Reading[str]:
        """Read up to and with the first of ``marks``; return what is before it.

        Raises:
            Mismatch: There is none, or it is further away than ``most``.
        """
        while True:
            found = first_mark(self.rest, marks)
            if found is not None and found.start <= most:
                text = self.rest[: found.start]
                self.position += found.end
                return text
            if self.ended or len(self.rest) >= most + longest(marks):
                raise Mismatch
            yield

    def pass_to(
        self, marks: Sequence[str], emit: Callable[[str], None], *, strip: bool = False
    ) -> Reading[str]:
        """Emit text as it comes, up to the first of ``marks``, and read that.

        ``emit`` is called while the position is where its text starts. With ``strip``
        white space before the mark or the end is left out.

        Returns:
            The mark; "" if the text ended before one.
        """
        while True:
            text = self.rest
            found = first_mark(text, marks)
            done = found is not None or self.ended
            cut = len(text) - beginning_of(text, marks)
            if done:
                cut = len(text) if found is None else found.start
            shown = text[:cut].rstrip() if strip else text[:cut]
            if shown:
                emit(shown)
            if found is not None:
                self.position += found.end
                return found.mark
            self.position += len(text) if done else len(shown)
            if done:
                return ""
            yield


def first_mark(text: str, marks: Sequence[str]) -> Found | None:
    """Return where the first of ``marks`` is; the longest of those that start there."""
    found = [(at, -len(mark), mark) for mark in marks if (at := text.find(mark)) >= 0]
    if not found:
        return None
    at, _, mark = min(found)
    return Found(mark, at, at + len(mark))


def beginning_of(text: str, marks: Sequence[str]) -> int:
    """Return the length of the longest end of ``text`` that may begin a mark."""
    longest_end = min(len(text), longest(marks) - 1)
    for size in range(longest_end, 0, -1):
        if any(mark.startswith(text[-size:]) for mark in marks if len(mark) > size):
            return size
    return 0


def longest(marks: Sequence[str]) -> int:
    """Return the length of the longest mark."""
    return max(map(len, marks), default=0)


_SPACE = re.compile(r"\s+")
