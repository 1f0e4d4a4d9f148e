"""The last error of the notebook's own code, for ``%llm fix``."""

import traceback
from dataclasses import dataclass
from typing import Any

from IPython.core.error import UsageError

from kernel_magics.errors import MagicError
from kernel_magics.fences import fenced

from .budget import Excerpt, characters
from .describe import shortened

_FRAMES = 12


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A cell that failed; ``trace`` is its traceback in plain text."""

    code: str
    error: BaseException
    trace: str


class Failures:
    """Remembers the last failure; :meth:`watch` it in an IPython shell."""

    def __init__(self) -> None:
        self.last: Failure | None = None

    def watch(self, shell: Any) -> None:  # noqa: ANN401  # IPython's shells share no type for this
        """Take notice of every cell that ``shell`` runs from now on."""
        shell.events.register("post_run_cell", self.note)

    def note(self, result: Any) -> None:  # noqa: ANN401  # IPython's ExecutionResult
        """Take notice of a cell's end: it failed, or it did not."""
        error = result.error_in_exec or result.error_before_exec
        if error is None or isinstance(error, (MagicError, KeyboardInterrupt)):
            return
        code = getattr(result.info, "raw_cell", "") or ""
        # A mistyped command of these magics says itself how it is meant.
        if isinstance(error, UsageError) and "%llm" in code:
            return
        self.last = Failure(code=code, error=error, trace=plain_trace(error))


def plain_trace(error: BaseException) -> str:
    """Return an error's traceback without IPython's own frames."""
    frames = traceback.extract_tb(error.__traceback__)
    mine = [frame for frame in frames if "IPython" not in frame.filename]
    lines = traceback.format_list(mine[-_FRAMES:]) if mine else []
    lines += traceback.format_exception_only(type(error), error)
    return "".join(lines).rstrip()


def excerpts(failure: Failure | None, limit: int) -> list[Excerpt]:
    """Return the last failure as pieces of a prompt of about ``limit`` tokens.

    An error's text may be as long as a table: half of the room is the cell's.
    """
    if failure is None:
        return []
    trace = shortened(failure.trace, characters(limit) // 2)
    return [
        Excerpt(title="The last error", text=fenced(trace)),
        Excerpt(title="The cell that raised it", text=fenced(failure.code, "python")),
    ]
