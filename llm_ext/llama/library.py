"""The llama.cpp library of this process: which one it is, and what it prints."""

import ctypes
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import llama_cpp
from llama_cpp import llama_cpp as lib

_DEBUG_LEVEL = 1  # GGML_LOG_LEVEL_DEBUG
_ERROR_LEVEL = 4  # GGML_LOG_LEVEL_ERROR
_CONTINUED_LEVEL = 5  # GGML_LOG_LEVEL_CONT


def version() -> str:
    """Return the release of llama-cpp-python."""
    return str(llama_cpp.__version__)


def supports_gpus() -> bool:
    """Return whether llama.cpp was built with a backend for GPUs."""
    return bool(lib.llama_supports_gpu_offload())


def supports_mmap() -> bool:
    """Return whether it can use files in place."""
    return bool(lib.llama_supports_mmap())


def supports_mlock() -> bool:
    """Return whether it can keep memory from being swapped out."""
    return bool(lib.llama_supports_mlock())


class Log:
    """llama.cpp's own messages: passed on to stderr, the last errors kept.

    What it says for its developers goes to listeners only: hundreds of lines a load,
    which would push everything else out of what is kept of a worker's log.

    A process has one: llama.cpp's log callback is global. It must be closed before it
    is forgotten, or llama.cpp would call into freed memory.
    """

    def __init__(self, write: Callable[[str], object] | None = None) -> None:
        """Begin; ``write`` gets what is passed on, instead of stderr."""
        self._write = write or sys.stderr.write
        self._level = 0
        self._line = ""
        self._errors: deque[str] = deque(maxlen=20)
        self._listeners: list[Callable[[str], None]] = []
        self._callback = lib.llama_log_callback(self._receive)

        lib.llama_log_set(self._callback, ctypes.c_void_p(0))

    def close(self) -> None:
        """Let llama.cpp print by itself again."""
        nobody = lib.llama_log_callback()
        lib.llama_log_set(nobody, ctypes.c_void_p(0))

    def say(self, line: str) -> None:
        """Put a line of our own among llama.cpp's."""
        self._write(f"{line}\n")

    @contextmanager
    def heard_by(self, listener: Callable[[str], None]) -> Iterator[None]:
        """Give ``listener`` each line too, meanwhile."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)

    @property
    def errors(self) -> list[str]:
        """The last error lines, oldest first."""
        return [line for line in "".join(self._errors).splitlines() if line.strip()]

    def forget_errors(self) -> None:
        """Drop the error lines, so that those that follow are of what comes now."""
        self._errors.clear()

    def _receive(self, level: int, text: bytes, _data: ctypes.c_void_p) -> None:
        self._level = self._level if level == _CONTINUED_LEVEL else level
        message = text.decode("utf-8", errors="replace")
        if self._level == _ERROR_LEVEL:
            self._errors.append(message)
        if self._level != _DEBUG_LEVEL:
            self._write(message)
        *lines, self._line = (self._line + message).split("\n")
        for line in lines:
            for listener in self._listeners:
                listener(line)
