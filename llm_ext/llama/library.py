"""The llama.cpp library of this process: which one it is, and what it prints."""

import ctypes
import sys
from collections import deque
from collections.abc import Callable

import llama_cpp
from llama_cpp import llama_cpp as lib

from llm_ext.errors import ModelLoadError

TESTED = ((0, 3, 36), (0, 3, 37))
"""Releases of llama-cpp-python, from and below, whose structs this package knows."""

_ERROR_LEVEL = 4  # GGML_LOG_LEVEL_ERROR
_CONTINUED_LEVEL = 5  # GGML_LOG_LEVEL_CONT


def version() -> str:
    """Return the release of llama-cpp-python."""
    return str(llama_cpp.__version__)


def check_version() -> None:
    """Raise ModelLoadError unless this package was tested with the installed release.

    Reading a struct by the wrong layout corrupts memory, so this must come first.
    """
    numbers = tuple(int(part) for part in version().split(".")[:3])
    low, high = TESTED
    if not low <= numbers < high:
        wanted = f">={_dotted(low)},<{_dotted(high)}"
        raise ModelLoadError(
            f"llama-cpp-python {version()} is installed, but jupyter-llm-ext was "
            f"tested with {wanted}. Install that: "
            f"pip install 'llama-cpp-python{wanted}'."
        )


class Log:
    """llama.cpp's own messages: passed on to stderr, the last errors kept.

    A process has one: llama.cpp's log callback is global. It must be closed before it
    is forgotten, or llama.cpp would call into freed memory.
    """

    def __init__(self, write: Callable[[str], object] = sys.stderr.write) -> None:
        self._write = write
        self._level = 0
        self._errors: deque[str] = deque(maxlen=20)
        self._callback = lib.llama_log_callback(self._receive)

        lib.llama_log_set(self._callback, ctypes.c_void_p(0))

    def close(self) -> None:
        """Let llama.cpp print by itself again."""
        nobody = lib.llama_log_callback()
        lib.llama_log_set(nobody, ctypes.c_void_p(0))

    @property
    def errors(self) -> list[str]:
        """The last error lines, oldest first."""
        return [line for line in "".join(self._errors).splitlines() if line.strip()]

    def _receive(self, level: int, text: bytes, _data: ctypes.c_void_p) -> None:
        self._level = self._level if level == _CONTINUED_LEVEL else level
        message = text.decode("utf-8", errors="replace")
        if self._level == _ERROR_LEVEL:
            self._errors.append(message)
        self._write(message)


def _dotted(numbers: tuple[int, ...]) -> str:
    return ".".join(str(number) for number in numbers)
