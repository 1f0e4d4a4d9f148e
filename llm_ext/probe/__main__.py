"""Starts the probe: pipes, two threads, and the end of the process."""

import os
import queue
import signal
import sys
import threading
import traceback
from functools import partial
from typing import BinaryIO, NoReturn

from llm_ext.errors import LLMError, ProbeError
from llm_ext.ipc.channel import read_frame, write_frame
from llm_ext.ipc.probe import Answer, Question, Refused, decode_question, encode
from llm_ext.ipc.stdio import private_pipes
from llm_ext.llama.runtime import check_runtime


class _Outbox:
    """The pipe to the server, to which a whole answer is written at a time."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe = pipe
        self._lock = threading.Lock()

    def send(self, answer: Answer) -> None:
        """Write an answer; OSError if nobody reads any more."""
        with self._lock:
            write_frame(self._pipe, encode(answer))

    def send_last(self, answer: Answer) -> NoReturn:
        """Write an answer, and none after it: the process ends."""
        with self._lock:
            write_frame(self._pipe, encode(answer))
            _leave(1)


def main() -> None:
    """Answer questions until the server closes the pipe."""
    inbox, pipe = private_pipes()
    outbox = _Outbox(pipe)
    # Ctrl-C is meant for the server: the closed pipe says when to go.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    questions: queue.SimpleQueue[Question] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(inbox, questions), daemon=True).start()
    try:
        while True:
            outbox.send(_answer(questions.get(), outbox))
    except OSError:
        _leave(0)  # nobody reads any more
    except BaseException:  # noqa: BLE001  # whatever it is, the process must end
        _leave_with_traceback()


def _read(inbox: BinaryIO, questions: "queue.SimpleQueue[Question]") -> None:
    """Hand questions over; end the process with the pipe, whatever is computed."""
    try:
        while (frame := read_frame(inbox)) is not None:
            questions.put(decode_question(frame))
    except BaseException:  # noqa: BLE001  # a thread's end would go unnoticed
        _leave_with_traceback()
    _leave(0)


def _answer(question: Question, outbox: _Outbox) -> Answer:
    try:
        # Importing llama.cpp takes a moment and can fail, in words for who asked.
        check_runtime()
        from llm_ext.probe.answers import answer  # noqa: PLC0415

        return answer(question, partial(_overrun, question, outbox))
    except LLMError as error:
        return _refused(question, error)
    # Whatever a question does, others are answered by this process.
    except Exception as error:  # noqa: BLE001  # see above
        traceback.print_exc()
        return _refused(question, ProbeError(type(error).__name__))


def _overrun(question: Question, outbox: _Outbox, error: LLMError) -> NoReturn:
    """Refuse a question and end the process: what it computes cannot be stopped."""
    outbox.send_last(_refused(question, error))


def _refused(question: Question, error: LLMError) -> Refused:
    return Refused(
        id=question.id, code=error.code, message=str(error), param=error.param
    )


def _leave_with_traceback() -> NoReturn:
    sys.excepthook(*sys.exc_info())
    _leave(1)


def _leave(code: int) -> NoReturn:
    """End the process at once: a thread may be deep inside native code."""
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
