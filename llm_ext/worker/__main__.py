"""Starts the worker: pipes, threads, and the end of the process."""

import os
import signal
import sys
import threading
from pathlib import Path
from typing import BinaryIO, NoReturn

from llm_ext.core.events import Failed, LoadStage
from llm_ext.core.requests import ChatRequest
from llm_ext.engine.engine import Published as Events
from llm_ext.errors import LLMError
from llm_ext.ipc.channel import read_frame, write_frame
from llm_ext.ipc.codec import decode_command, encode
from llm_ext.ipc.messages import (
    Cancel,
    Generate,
    Load,
    Loaded,
    LoadFailed,
    Progress,
    Published,
    Report,
)

PROGRESS_STEP = 0.01
"""Load progress is reported each time it grew by this share of a stage."""


class Outbox:
    """The pipe to the server. Both threads write to it, a whole frame at a time."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()
        self._last: tuple[LoadStage, float] = ("starting", 0.0)

    def send(self, report: Report) -> None:
        """Write a report. The process ends if nobody reads any more."""
        with self._lock:
            try:
                write_frame(self._pipe, encode(report))
            except OSError:
                _leave(0)

    def progress(self, stage: LoadStage, fraction: float) -> None:
        """Report load progress, unless it hardly changed."""
        last_stage, last_fraction = self._last
        grown = fraction - last_fraction >= PROGRESS_STEP or fraction >= 1
        if stage != last_stage or grown:
            self._last = (stage, fraction)
            self.send(Progress(stage=stage, fraction=fraction))


def main() -> None:
    """Serve one model until the server closes the pipe."""
    inbox, outbox = _private_pipes()
    _stay_until_told()
    try:
        first = _next(inbox)
        if isinstance(first, Load):
            _Serving(first, inbox, Outbox(outbox)).run()
    except BaseException:  # noqa: BLE001  # whatever it is, the process must end
        _leave_with_traceback()
    _leave(0)


class _Serving:
    """The two threads of a worker.

    The engine thread loads, so that a load can be abandoned: the reading thread sees
    the pipe close, and the process ends. The server sends no request before it has
    been told that the model is loaded.
    """

    def __init__(self, load: Load, inbox: BinaryIO, outbox: Outbox) -> None:
        self._load = load
        self._inbox = inbox
        self._outbox = outbox

    def run(self) -> None:
        threading.Thread(
            target=self._guarded_engine, name="engine", daemon=True
        ).start()
        while (command := _next(self._inbox)) is not None:
            match command:
                case Generate():
                    self._generate(command)
                case Cancel():
                    self._engine.cancel(command.request_id)
                case Load():
                    raise ValueError("a worker loads one model, once")

    def _generate(self, command: Generate) -> None:
        request = command.request
        if not isinstance(request, ChatRequest):
            self._engine.submit_job(command.request_id, request)
            return
        try:
            sequences = self._preparation.sequences(command.request_id, request)
        except LLMError as error:
            events: Events = [(command.request_id, Failed.of(error))]
            self._outbox.send(Published(events=events, status=self._engine.status))
        else:
            self._engine.submit(sequences)

    def _guarded_engine(self) -> None:
        try:
            self._run_engine()
        except LLMError as error:
            self._outbox.send(LoadFailed(code=error.code, message=str(error)))
            _leave(1)
        except BaseException:  # noqa: BLE001  # a thread's end would go unnoticed
            _leave_with_traceback()

    def _run_engine(self) -> None:
        # Importing llama.cpp takes a moment and can fail: it belongs to the load.
        from llm_ext.worker.build import loaded_model  # noqa: PLC0415
        from llm_ext.worker.engine_thread import EngineThread  # noqa: PLC0415

        path, options = Path(self._load.path), self._load.options
        with loaded_model(path, options, self._outbox.progress) as loaded:
            self._preparation = loaded.preparation
            self._engine = EngineThread(loaded.engine, loaded.jobs, self._outbox.send)
            report = Loaded(
                description=loaded.description,
                context_length=loaded.context_length,
                memory_kind=loaded.memory_kind,
                status=self._engine.status,
            )
            self._outbox.send(report)
            self._engine.run()


def _next(inbox: BinaryIO) -> Load | Generate | Cancel | None:
    frame = read_frame(inbox)
    return None if frame is None else decode_command(frame)


def _private_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Take stdin and stdout away, so that what native code prints goes to stderr."""
    inbox = os.fdopen(os.dup(sys.stdin.fileno()), "rb")
    outbox = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    with Path(os.devnull).open("rb") as nothing:
        os.dup2(nothing.fileno(), sys.stdin.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return inbox, outbox


def _stay_until_told() -> None:
    """Ignore Ctrl-C, which is meant for the server: the closed pipe says when to go."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _leave_with_traceback() -> NoReturn:
    sys.excepthook(*sys.exc_info())
    _leave(1)


def _leave(code: int) -> NoReturn:
    """End the process at once: threads may be deep inside native code."""
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
