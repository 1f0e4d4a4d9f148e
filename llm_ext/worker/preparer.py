"""Prepares requests beside the thread that reads commands."""

import queue
import threading
import traceback
from collections.abc import Callable
from typing import Generic, TypeAlias, TypeVar

from llm_ext.errors import EngineError, LLMError

Prepared = TypeVar("Prepared")
"""A request that is ready."""

_Line: TypeAlias = "queue.SimpleQueue[tuple[int, Callable[[], Prepared]]]"


class Preparer(Generic[Prepared]):
    """Two lines of requests; in each, a thread prepares one after another.

    What can take seconds has a line for itself, so that nobody else waits for it.
    """

    def __init__(
        self,
        *,
        submit: Callable[[Prepared], None],
        refuse: Callable[[int, LLMError], None],
    ) -> None:
        """Begin with nothing to do.

        Args:
            submit: Takes a request that is ready. Must not block.
            refuse: Takes the number of a request that cannot be served, and why.
        """
        self._submit = submit
        self._refuse = refuse
        self._lock = threading.Lock()
        self._here: set[int] = set()
        self._quick: _Line[Prepared] = queue.SimpleQueue()
        self._slow: _Line[Prepared] = queue.SimpleQueue()
        for line in (self._quick, self._slow):
            threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def add(self, number: int, prepare: Callable[[], Prepared], *, slow: bool) -> None:
        """Queue a request; its number must not be in use.

        ``prepare`` makes it ready, or raises LLMError.
        """
        with self._lock:
            self._here.add(number)
        line = self._slow if slow else self._quick
        line.put((number, prepare))

    def give_up(self, number: int) -> bool:
        """Forget a request: nothing more is heard of it.

        Returns:
            Whether it was here. Otherwise it has been handed over, or never came.
        """
        with self._lock:
            was_here = number in self._here
            self._here.discard(number)
        return was_here

    def _serve(self, line: "_Line[Prepared]") -> None:
        while True:
            number, prepare = line.get()
            if number not in self._here:
                continue
            try:
                prepared = prepare()
            except LLMError as error:
                self._refuse_here(number, error)
            # Whatever a request does, others are served by this process.
            except Exception as error:  # noqa: BLE001  # see above
                traceback.print_exc()
                self._refuse_here(number, EngineError(_unexpected(error)))
            else:
                # At once, or a cancel between the two would find it in neither place.
                with self._lock:
                    if number in self._here:
                        self._here.remove(number)
                        self._submit(prepared)

    def _refuse_here(self, number: int, error: LLMError) -> None:
        """Refuse a request, unless it was given up meanwhile."""
        if self.give_up(number):
            self._refuse(number, error)


def _unexpected(error: Exception) -> str:
    kind = type(error).__name__
    return f"This request could not be prepared ({kind}); the model's log says why."
