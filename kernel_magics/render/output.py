"""Shows progress and answers: live in a notebook, line by line in a terminal."""

import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from IPython.display import DisplayHandle, display

from .bundles import Bundle, markdown_bundle, progress_bundle, progress_line
from .pace import Pace

UPDATES_PER_SECOND = 12.0
"""More is not seen, and costs the browser a new rendering each."""

_ERASE = "\r\x1b[2K"


class Output(Protocol):
    """One thing that is shown and changes until :meth:`finish`."""

    def progress(self, text: str, fraction: float | None, detail: str = "") -> None:
        """Show what goes on before there is an answer.

        Args:
            text: What it is; a new one is shown at once.
            fraction: How far it is, 0 to 1; None where that is unknown.
            detail: What may change with every word of it.
        """

    def text(self, markdown: str, plain: str | None = None) -> None:
        """Show the answer so far, in full.

        Args:
            markdown: For a notebook.
            plain: For a terminal, if it is another; empty where it is better shown
                once it is whole.
        """

    def finish(self, bundle: Bundle) -> None:
        """Show the end, by MIME type; this is what the notebook's file keeps."""

    def below(self, bundle: Bundle) -> None:
        """Show something below the end."""


class NotebookOutput:
    """A display that is updated in place, at most so many times a second."""

    def __init__(self, updates_per_second: float = UPDATES_PER_SECOND) -> None:
        self._handle: DisplayHandle | None = None
        self._pace = Pace(updates_per_second)
        self._doing = ""

    def progress(self, text: str, fraction: float | None, detail: str = "") -> None:
        """See Output."""
        is_new, self._doing = text != self._doing, text
        if self._pace.due() or is_new or fraction == 1:
            self._show(progress_bundle(text, fraction, detail))

    def text(self, markdown: str, plain: str | None = None) -> None:
        """See Output. The longer a text, the longer the pause between updates."""
        del plain
        if self._pace.due(len(markdown)):
            self._show(markdown_bundle(markdown))

    def finish(self, bundle: Bundle) -> None:
        """See Output."""
        self._show(bundle)

    def below(self, bundle: Bundle) -> None:
        """See Output."""
        display(bundle, raw=True)

    def _show(self, bundle: Bundle) -> None:
        if self._handle is None:
            self._handle = DisplayHandle()
            display(bundle, raw=True, display_id=self._handle.display_id)
        else:
            self._handle.update(bundle, raw=True)


class TerminalOutput:
    """Plain text that only grows: a terminal cannot take back what it showed."""

    def __init__(self) -> None:
        self._shown = ""
        self._status = ""

    def progress(self, text: str, fraction: float | None, detail: str = "") -> None:
        """See Output. A line that is wider than the terminal could not be erased."""
        width = shutil.get_terminal_size().columns - 1
        self._status = progress_line(text, fraction, detail)[:width]
        if sys.stdout.isatty():
            sys.stdout.write(f"{_ERASE}{self._status}")
            sys.stdout.flush()

    def text(self, markdown: str, plain: str | None = None) -> None:
        """See Output."""
        if plain == "":
            self.progress("writing", None, f"{len(markdown)} characters")
        else:
            self._write(markdown if plain is None else plain)

    def finish(self, bundle: Bundle) -> None:
        """See Output."""
        self._write(str(bundle["text/plain"]))
        if self._shown:
            sys.stdout.write("\n")

    def below(self, bundle: Bundle) -> None:
        """See Output."""
        sys.stdout.write(f"\n{bundle['text/plain']}\n")

    def _write(self, text: str) -> None:
        if self._status and sys.stdout.isatty():
            sys.stdout.write(_ERASE)
        self._status = ""
        if text.startswith(self._shown):
            sys.stdout.write(text.removeprefix(self._shown))
        elif text:
            sys.stdout.write(f"\n{text}")
        self._shown = text or self._shown
        sys.stdout.flush()


@contextmanager
def cleared_by_errors(shown: Output) -> Iterator[Output]:
    """Return ``shown``; an error that goes past takes away what it shows."""
    try:
        yield shown
    except BaseException:
        shown.finish(markdown_bundle(""))
        raise


def output(shell: Any, updates_per_second: float = UPDATES_PER_SECOND) -> Output:  # noqa: ANN401  # IPython's shells share no type for this
    """Return the output that fits ``shell``: only kernels can update a display."""
    if hasattr(shell, "kernel"):
        return NotebookOutput(updates_per_second)
    return TerminalOutput()
