"""An answer that has not come yet."""

from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import aclosing, closing, contextmanager
from typing import TYPE_CHECKING

from kernel_magics.answer import Answer
from kernel_magics.errors import StreamUsedError
from kernel_magics.exchange import Exchange, ask, ask_async
from kernel_magics.pieces import Piece, Text

if TYPE_CHECKING:
    from kernel_magics.client import Client


class Stream:
    """An answer as it comes, to be used once, in one of these ways.

    Before it is used nothing is looked for, and nothing sent.

    ::

        for text in stream: ...          # the answer, piece by piece
        async for text in stream: ...    # without blocking the loop
        answer = await stream            # whole, without blocking the loop
        answer = stream.answer           # whole
        stream                           # at the end of a cell: shown as it grows

    Leaving a loop early, or interrupting the kernel, cancels the request on the server.
    After a loop, :attr:`answer` is what the loop brought, and its ``finish_reason`` is
    "stopped" where the loop was left.

    Every way raises:
        MagicError: No server, no such model, or the server refused; says why.
        SchemaError: The answer is none of what the schema wants.
        StreamUsedError: It was used before.
    """

    def __init__(self, begin: "Callable[[], tuple[Client, Exchange]]") -> None:
        self._begin = begin
        self._used = False
        self._answer: Answer | None = None

    @property
    def answer(self) -> Answer:
        """The whole answer; waits for it."""
        if self._answer is None:
            with closing(self.pieces()) as pieces:
                for _ in pieces:
                    pass
        return self._kept()

    def pieces(self) -> Generator[Piece, None, None]:
        """Yield everything that comes: progress, thoughts, calls, text, the end."""
        self._use()
        client, exchange = self._begin()
        with self._keeping(exchange):
            yield from ask(client, exchange)

    def __iter__(self) -> Iterator[str]:
        """Yield the text of the answer."""
        with closing(self.pieces()) as pieces:
            for piece in pieces:
                if isinstance(piece, Text):
                    yield piece.text

    async def async_pieces(self) -> AsyncGenerator[Piece, None]:
        """Yield as :meth:`pieces`, without blocking the loop."""
        import asyncio  # noqa: PLC0415  # who calls this has loaded it

        self._use()
        client, exchange = await asyncio.to_thread(self._begin)
        with self._keeping(exchange):
            async with aclosing(ask_async(client, exchange)) as pieces:
                async for piece in pieces:
                    yield piece

    async def __aiter__(self) -> AsyncGenerator[str, None]:
        """Yield the text of the answer, without blocking the loop."""
        async with aclosing(self.async_pieces()) as pieces:
            async for piece in pieces:
                if isinstance(piece, Text):
                    yield piece.text

    def __await__(self) -> Generator[None, None, Answer]:
        """Return the whole answer, without blocking the loop."""
        return self._awaited().__await__()

    async def _awaited(self) -> Answer:
        if self._answer is None:
            async with aclosing(self.async_pieces()) as pieces:
                async for _ in pieces:
                    pass
        return self._kept()

    def _kept(self) -> Answer:
        if self._answer is None:
            raise StreamUsedError
        return self._answer

    def _use(self) -> None:
        if self._used:
            raise StreamUsedError
        self._used = True

    @contextmanager
    def _keeping(self, exchange: Exchange) -> Iterator[None]:
        """Keep what has come, also where the reader leaves early."""
        try:
            yield
        except BaseException as error:
            # What is no Exception is a reader that leaves, is interrupted or cancelled.
            if not isinstance(error, Exception):
                self._answer = exchange.answer(stopped=True)
            raise
        self._answer = exchange.answer()

    def _ipython_display_(self) -> None:
        from kernel_magics.render.formats import final  # noqa: PLC0415  # brings IPython
        from kernel_magics.render.output import output  # noqa: PLC0415  # the same
        from kernel_magics.render.reply import Reply  # noqa: PLC0415  # the same

        from .shell import shell  # noqa: PLC0415  # the same

        shown = output(shell())
        if self._answer is not None:
            shown.finish(final(self._answer, "markdown"))
            return
        self._use()
        client, exchange = self._begin()
        with self._keeping(exchange), closing(ask(client, exchange)) as pieces:
            Reply(shown, exchange).follow(pieces)
