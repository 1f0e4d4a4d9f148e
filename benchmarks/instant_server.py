"""A Jupyter server whose models answer without computing anything.

``python -m benchmarks.instant_server`` takes the options of ``jupyter server``. Its
workers are no processes: a request for one token is answered at once, one for more gets
``RATE`` tokens a second. What is left is what the server itself takes.
"""

import asyncio
import os
import random
from collections.abc import Callable, Iterator
from functools import partial

from jupyter_core.application import JupyterApp
from jupyter_server.serverapp import ServerApp

from llm_ext import services
from llm_ext.core.events import (
    Accepted,
    ChoiceEnded,
    EngineEvent,
    Finished,
    FinishReason,
    TextDelta,
    Usage,
)
from llm_ext.core.requests import ChatRequest
from llm_ext.ipc.codec import decode_command, encode
from llm_ext.ipc.messages import (
    Cancel,
    EngineStatus,
    Generate,
    Load,
    Loaded,
    Published,
    Report,
)
from tests.fakes.needs import FakeNeeds

RATE = 20.0
"""Tokens of each answer in a second."""

SLOTS = 256

_STATUS = EngineStatus(slots=SLOTS)


class InstantWorker:
    """A worker in this process. Implements :class:`llm_ext.pool.launcher.Worker`."""

    rate = RATE
    """Tokens in a second."""

    def __init__(
        self, *, on_frame: Callable[[bytes], None], on_exit: Callable[[int], None]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._on_frame = on_frame
        self._on_exit = on_exit
        self._cancelled: set[int] = set()
        self.pid = os.getpid()
        self.log: list[str] = []

    def send(self, frame: bytes) -> None:
        """See Worker."""
        match decode_command(frame):
            case Load():
                loaded = Loaded(
                    description="instant",
                    context_length=8192,
                    memory_kind="attention",
                    status=_STATUS,
                )
                self._soon(self._report, loaded)
            case Generate(request_id=number, request=ChatRequest() as request):
                self._answer(number, self.words(request))
            case Cancel(request_id=number):
                self._cancelled.add(number)

    def words(self, request: ChatRequest) -> list[str]:
        """Return the tokens of an answer."""
        return [" word"] * (request.sampling.max_tokens or 1)

    def close(self) -> None:
        """See Worker."""
        self._soon(self._on_exit, 0)

    def kill(self) -> None:
        """See Worker."""

    def _answer(self, number: int, words: list[str]) -> None:
        first = Accepted(prompt_tokens=1)
        pieces = _pieces(words)
        if len(words) == 1:
            self._soon(self._publish, number, [first, *pieces])
            return
        self._soon(self._publish, number, [first])
        # Streams of real models are not in step either.
        begin = self._loop.time() + random.random() / self.rate  # noqa: S311  # no secret
        self._loop.call_at(begin, self._go_on, number, pieces, begin)

    def _go_on(self, number: int, pieces: Iterator[EngineEvent], due: float) -> None:
        """Tell the next token; a real worker would not wait for a late server."""
        piece = next(pieces)
        if number in self._cancelled:
            self._cancelled.discard(number)
            self._publish(number, [_end(1, "cancelled")])
        elif isinstance(piece, TextDelta):
            self._publish(number, [piece])
            due += 1 / self.rate
            self._loop.call_at(due, self._go_on, number, pieces, due)
        else:
            self._publish(number, [piece, *pieces])

    def _publish(self, number: int, events: list[EngineEvent]) -> None:
        told = [(number, event) for event in events]
        self._report(Published(events=told, status=_STATUS))

    def _report(self, report: Report) -> None:
        self._on_frame(encode(report))

    def _soon(self, action: Callable[..., None], *arguments: object) -> None:
        self._loop.call_soon(action, *arguments)


def _pieces(words: list[str]) -> Iterator[EngineEvent]:
    for word in words:
        yield TextDelta(text=word)
    yield ChoiceEnded(choice=0, reason="length")
    yield _end(len(words), "length")


def _end(tokens: int, reason: FinishReason) -> Finished:
    usage = Usage(prompt_tokens=1, completion_tokens=tokens)
    return Finished(reason=reason, usage=usage)


def run(worker: type[InstantWorker], app: type[JupyterApp]) -> None:
    """Run an application with workers of that kind."""
    services.build = partial(services.build, launch=worker, needs=FakeNeeds())
    app.launch_instance()


def main() -> None:
    """Run the server."""
    run(InstantWorker, ServerApp)


if __name__ == "__main__":
    main()
