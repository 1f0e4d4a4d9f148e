"""An answer that has not come yet."""

from collections.abc import AsyncGenerator, Callable, Generator, Iterator
from contextlib import aclosing, closing
from typing import TYPE_CHECKING

from kernel_magics.answer import Answer
from kernel_magics.exchange import Exchange, ask, ask_async
from kernel_magics.pieces import Piece, Text

if TYPE_CHECKING:
    from kernel_magics.client import Client


class Stream:
    """An answer as it comes, to be used once, in one of these ways.

    ::

        for text in stream: ...          # the answer, piece by piece
        async for text in stream: ...    # without blocking the loop
        answer = await stream            # whole, without blocking the loop
        answer = stream.answer           # whole
        stream                           # at the end of a cell: shown as it grows

    Leaving a loop early, or interrupting the kernel, cancels the request on the server.
    After a loop, :attr:`answer` is what the loop brought.
    """

    def __init__(self, client: "Callable[[], Client]", exchange: Exchange) -> None:
        self._client = client
        self._exchange = exchange
        self._answer: Answer | None = None

    @property
    def answer(self) -> Answer:
        """The whole answer; waits for it.

        Raises:
            MagicError: No server, no such model, or the server refused; says why.
            SchemaError: It is none of what the schema wants.
        """
        if self._answer is None:
            with closing(self.pieces()) as pieces:
                for _ in pieces:
                    pass
            self._answer = self._exchange.answer()
        return self._answer

    def pieces(self) -> Generator[Piece, None, None]:
        """Yield everything that comes: progress, thoughts, calls, text, the end."""
        return ask(self._client(), self._exchange)

    def __iter__(self) -> Iterator[str]:
        """Yield the text of the answer."""
        with closing(self.pieces()) as pieces:
            for piece in pieces:
                if isinstance(piece, Text):
                    yield piece.text
        self._answer = self._exchange.answer()

    async def async_pieces(self) -> AsyncGenerator[Piece, None]:
        """Yield as :meth:`pieces`, without blocking the loop."""
        connection = self._client().connection
        async with aclosing(ask_async(connection, self._exchange)) as pieces:
            async for piece in pieces:
                yield piece

    async def __aiter__(self) -> AsyncGenerator[str, None]:
        """Yield the text of the answer, without blocking the loop."""
        async with aclosing(self.async_pieces()) as pieces:
            async for piece in pieces:
                if isinstance(piece, Text):
                    yield piece.text
        self._answer = self._exchange.answer()

    def __await__(self) -> Generator[None, None, Answer]:
        """Return the whole answer, without blocking the loop."""
        return self._awaited().__await__()

    async def _awaited(self) -> Answer:
        if self._answer is None:
            async with aclosing(self.async_pieces()) as pieces:
                async for _ in pieces:
                    pass
            self._answer = self._exchange.answer()
        return self._answer

    def _ipython_display_(self) -> None:
        from kernel_magics.render.output import output  # noqa: PLC0415  # brings IPython
        from kernel_magics.render.reply import Reply  # noqa: PLC0415  # the same

        from .shell import shell  # noqa: PLC0415  # the same

        with closing(self.pieces()) as pieces:
            self._answer = Reply(output(shell()), self._exchange).follow(pieces)
