"""Starts the worker: pipes, threads, and the end of the process."""

import os
import signal
import sys
import threading
from functools import partial
from pathlib import Path
from typing import BinaryIO, NoReturn

from llm_ext.core.events import Failed, LoadStage
from llm_ext.core.requests import ChatRequest, CompletionRequest
from llm_ext.engine.engine import Published as Events
from llm_ext.engine.sequence import Sequence
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
from llm_ext.ipc.stdio import private_pipes
from llm_ext.llama.parts import parts
from llm_ext.llama.read_ahead import Reading
from llm_ext.llama.runtime import check_runtime

from .preparer import Preparer

PROGRESS_STEP = 0.01
"""Load progress is reported each time it grew by this share of a stage."""


class Outbox:
    """The pipe to the server. All threads write to it, a whole frame at a time."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()
        self._last: tuple[LoadStage, float] = ("starting", 0.0)

    def send(self, report: Report) -> None:
        """Write a report. The process ends if nobody reads any more.

        Raises:
            UnsendableError: No frame can carry it.
        """
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
    inbox, outbox = private_pipes()
    _stay_until_told()
    # A thread's end would go unnoticed; whatever it is, the process must end.
    threading.excepthook = lambda _ended: _leave_with_traceback()
    try:
        first = _next(inbox)
        if isinstance(first, Load):
            _Serving(first, inbox, Outbox(outbox)).run()
    except BaseException:  # noqa: BLE001  # whatever it is, the process must end
        _leave_with_traceback()
    _leave(0)


class _Serving:
    """The threads of a worker.

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
                    given_up = self._preparer.give_up(command.request_id)
                    self._engine.cancel(command.request_id, begun=not given_up)
                case Load():
                    raise ValueError("a worker loads one model, once")

    def _generate(self, command: Generate) -> None:
        number, request = command.request_id, command.request
        if isinstance(request, (ChatRequest, CompletionRequest)):
            prepare = partial(self._sequences, number, request, command.user)
            # The first constraint of a model takes a second or two.
            self._preparer.add(number, prepare, slow=request.constrained)
        else:
            inputs = partial(self._job_preparation.inputs, number, request)
            self._preparer.add(number, inputs, slow=False)

    def _sequences(
        self, number: int, request: ChatRequest | CompletionRequest, user: str
    ) -> list[Sequence]:
        if isinstance(request, CompletionRequest):
            sequences = self._preparation.completions(number, request)
        else:
            overrun = partial(self._overrun, number)
            sequences = self._preparation.sequences(number, request, overrun)
        for sequence in sequences:
            sequence.user = user
        return sequences

    def _overrun(self, request_id: int, error: LLMError) -> NoReturn:
        """Fail a request and end the process: what it computes cannot be stopped."""
        sys.stderr.write(f"{error}\n")
        self._fail(request_id, error)
        _leave(1)

    def _fail(self, request_id: int, error: LLMError) -> None:
        events: Events = [(request_id, Failed.of(error))]
        self._outbox.send(Published(events=events, status=self._engine.status))

    def _guarded_engine(self) -> None:
        try:
            self._run_engine()
        except LLMError as error:
            self._outbox.send(LoadFailed(code=error.code, message=str(error)))
            _leave(1)

    def _run_engine(self) -> None:
        path, options = Path(self._load.path), self._load.options
        progress = self._outbox.progress
        reading = Reading(parts(path), partial(progress, "reading"))
        # Importing llama.cpp takes a moment and can fail: it belongs to the load, and
        # the file is read meanwhile.
        check_runtime()
        from llm_ext.worker.build import loaded_model  # noqa: PLC0415
        from llm_ext.worker.engine_thread import EngineThread  # noqa: PLC0415

        with loaded_model(
            path,
            options,
            progress,
            reading=reading,
            repack=self._load.repack,
            swap=self._load.swap,
        ) as loaded:
            self._preparation = loaded.preparation
            self._job_preparation = loaded.job_preparation
            self._engine = EngineThread(
                loaded.engine,
                loaded.jobs,
                self._outbox.send,
                interval=self._load.stream_interval,
            )
            self._preparer = Preparer(submit=self._engine.submit, refuse=self._fail)
            report = Loaded(
                description=loaded.description,
                context_length=loaded.context_length,
                memory_kind=loaded.memory_kind,
                status=self._engine.status,
                memory=loaded.memory,
            )
            self._outbox.send(report)
            self._engine.run()


def _next(inbox: BinaryIO) -> Load | Generate | Cancel | None:
    frame = read_frame(inbox)
    return None if frame is None else decode_command(frame)


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
