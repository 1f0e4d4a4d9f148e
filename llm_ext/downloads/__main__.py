"""Runs one download: pipes, the end of the process, and what went wrong.

It stands apart from the server because huggingface_hub is slow to import, because a
transfer blocks, and because only a process can be stopped at any moment.
"""

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, NoReturn

from llm_ext.errors import LLMError
from llm_ext.ipc.channel import read_frame, write_frame

from .alone import alone
from .disk import failure
from .messages import Fetch, Fetched, FetchFailed, Proceed, Report, decode_order, encode


class _Outbox:
    """The pipe to the server. Threads write to it, a whole frame at a time."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()

    def send(self, report: Report) -> None:
        """Write a report. The process ends if nobody reads any more."""
        with self._lock:
            try:
                write_frame(self._pipe, encode(report))
            except OSError:
                _leave(0)


def main() -> None:
    """Fetch what the server orders, until it closes the pipe."""
    inbox, outbox = sys.stdin.buffer, sys.stdout.buffer
    sys.stdout = sys.stderr  # whatever prints: the pipe is for frames alone
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # meant for the server
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(message)s")
    frame = read_frame(inbox)
    order = None if frame is None else decode_order(frame)
    if not isinstance(order, Fetch):
        _leave(1)
    proceed = threading.Event()
    threading.Thread(target=_listen, args=(inbox, proceed), daemon=True).start()
    try:
        _run(order, _Outbox(outbox).send, proceed.wait)
    except BaseException:  # noqa: BLE001  # whatever it is, the process must end
        sys.excepthook(*sys.exc_info())
        _leave(1)
    _leave(0)


def _run(
    order: Fetch, send: Callable[[Report], None], proceed: Callable[[], object]
) -> None:
    folder = Path(order.folder)
    try:
        with alone(folder):
            # The import takes a moment and can fail: it belongs to the download.
            from .fetch import fetch  # noqa: PLC0415

            paths = fetch(order, send, proceed)
    except LLMError as error:
        send(FetchFailed(code=error.code, message=str(error)))
    except OSError as error:
        told = failure(error, folder)
        send(FetchFailed(code=told.code, message=str(told)))
    else:
        send(Fetched(paths=tuple(str(path) for path in paths)))


def _listen(inbox: BinaryIO, proceed: threading.Event) -> None:
    """Take orders; the closed pipe is the last one."""
    while (frame := read_frame(inbox)) is not None:
        if isinstance(decode_order(frame), Proceed):
            proceed.set()
    _leave(0)


def _leave(code: int) -> NoReturn:
    """End the process at once, whatever the connection is waiting for."""
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
