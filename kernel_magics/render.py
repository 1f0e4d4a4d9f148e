"""Shows progress and answers: live in a notebook, line by line in a terminal."""

import html
import sys
import time
from typing import Any, Protocol

from IPython.display import DisplayHandle, display

UPDATES_PER_SECOND = 12
"""More is not seen, and costs the browser a new rendering each."""

_ERASE = "\r\x1b[2K"


class Output(Protocol):
    """One thing that is shown and changes until :meth:`finish`."""

    def progress(self, text: str, fraction: float | None) -> None:
        """Show what goes on before there is an answer."""

    def text(self, markdown: str) -> None:
        """Show the answer so far, in full."""

    def finish(self, markdown: str) -> None:
        """Show the final text; this is what the notebook's file keeps."""


class NotebookOutput:
    """A display that is updated in place, at most ``UPDATES_PER_SECOND``."""

    def __init__(self) -> None:
        self._handle: DisplayHandle | None = None
        self._next = 0.0

    def progress(self, text: str, fraction: float | None) -> None:
        """See Output."""
        if self._due() or fraction == 1:
            self._show(_progress_bundle(text, fraction))

    def text(self, markdown: str) -> None:
        """See Output."""
        if self._due():
            self._show(_markdown_bundle(markdown))

    def finish(self, markdown: str) -> None:
        """See Output."""
        self._show(_markdown_bundle(markdown))

    def _due(self) -> bool:
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + 1 / UPDATES_PER_SECOND
        return True

    def _show(self, bundle: dict[str, str]) -> None:
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

    def progress(self, text: str, fraction: float | None) -> None:
        """See Output."""
        percent = "" if fraction is None else f" {fraction:.0%}"
        self._status = f"{text}{percent}"
        if sys.stdout.isatty():
            sys.stdout.write(f"{_ERASE}{self._status}")
            sys.stdout.flush()

    def text(self, markdown: str) -> None:
        """See Output."""
        if self._status and sys.stdout.isatty():
            sys.stdout.write(_ERASE)
        self._status = ""
        sys.stdout.write(markdown.removeprefix(self._shown))
        sys.stdout.flush()
        self._shown = markdown

    def finish(self, markdown: str) -> None:
        """See Output."""
        self.text(markdown)
        sys.stdout.write("\n")


def output(shell: Any) -> Output:  # noqa: ANN401  # IPython's shells share no type for this
    """Return the output that fits ``shell``: only kernels can update a display."""
    return NotebookOutput() if hasattr(shell, "kernel") else TerminalOutput()


def model_table(reply: dict[str, Any]) -> str:
    """Return the models as a Markdown table, the default one marked."""
    rows = ["| model | state | size | |", "|---|---|---|---|"]
    rows += [_row(model, reply["default"]) for model in reply["models"]]
    return "\n".join(rows)


def size(count: int) -> str:
    """Return a number of bytes for people: 4.7 GB."""
    value, units = float(count), ["B", "kB", "MB", "GB", "TB"]
    while value >= 1000 and len(units) > 1:  # noqa: PLR2004  # SI units
        value /= 1000
        units.pop(0)
    digits = 0 if units[0] == "B" else 1
    return f"{value:.{digits}f}\N{NO-BREAK SPACE}{units[0]}"


def _row(model: dict[str, Any], default: str | None) -> str:
    state = model["state"]
    if model["progress"]:
        state = f"{state} {model['progress']['fraction']:.0%}"
    note = model["error"]["message"] if model["error"] else ""
    if not note and model["id"] == default:
        note = "used when none is named"
    cells = [f"`{model['id']}`", state, size(model["size"]), note.replace("|", "\\|")]
    return f"| {' | '.join(cells)} |"


def _markdown_bundle(markdown: str) -> dict[str, str]:
    return {"text/markdown": markdown, "text/plain": markdown}


def _progress_bundle(text: str, fraction: float | None) -> dict[str, str]:
    percent = "" if fraction is None else f" {fraction:.0%}"
    value = "" if fraction is None else f' value="{fraction:.3f}"'
    label = html.escape(f"{text}{percent}")
    bar = f'<progress max="1"{value} aria-label="{label}"></progress>'
    return {"text/html": f"<div>{bar} {label}</div>", "text/plain": f"{text}{percent}"}
