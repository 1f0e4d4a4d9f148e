"""``%%llm``: asks the text of the cell, and shows the answer as it comes."""

from argparse import Namespace
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

from kernel_magics.client import Client, End, Piece, Status, Text
from kernel_magics.errors import MagicError, StoppedError
from kernel_magics.render import Output, output

_OPTIONS = ("temperature", "max_tokens", "seed")


class CellQuestion:
    """Runs ``%%llm`` cells."""

    def __init__(self, shell: Any, client: Callable[[], Client]) -> None:  # noqa: ANN401  # see render.output
        self._shell = shell
        self._client = client

    def ask(self, arguments: Namespace, question: str) -> None:
        """Stream the answer to ``question`` into the cell's output.

        Raises:
            MagicError: No server, no model, or the server refused; says why.
            StoppedError: The user interrupted; the request ended on the server too.
        """
        client = self._client()
        model = arguments.model or _default(client)
        given = {name: getattr(arguments, name) for name in _OPTIONS}
        options = {name: value for name, value in given.items() if value is not None}
        pieces = client.chat(model, _messages(arguments.system, question), **options)
        answer = _Answer(model, output(self._shell))
        # An interrupt closes the connection, upon which the server cancels.
        with closing(pieces):
            answer.follow(pieces)


class _Answer:
    """An answer as it grows."""

    def __init__(self, model: str, shown: Output) -> None:
        self._model = model
        self._shown = shown
        self._text = ""

    def follow(self, pieces: Iterator[Piece]) -> None:
        """Show ``pieces`` as they come."""
        self._shown.progress(f"{self._model}: waiting", None)
        try:
            for piece in pieces:
                self._take(piece)
        except KeyboardInterrupt:
            self._close("stopped")
            raise StoppedError("the answer was interrupted.") from None
        except MagicError:
            self._close("broken off")
            raise

    def _take(self, piece: Piece) -> None:
        match piece:
            case Status() if not self._text:
                self._shown.progress(f"{self._model}: {piece.text}", piece.fraction)
            case Text():
                self._text += piece.text
                self._shown.text(self._text)
            case End():
                cut = f"cut at {piece.completion_tokens} tokens"
                self._close(cut if piece.reason == "length" else "")

    def _close(self, note: str) -> None:
        """Show the text for the last time, with ``note`` if it is not whole.

        Without any text the waiting line goes, and leaves the place to the error.
        """
        marked = f"{self._text}\n\n*[{note}]*" if note else self._text
        self._shown.finish(marked if self._text else "")


def _default(client: Client) -> str:
    default = client.models()["default"]
    if default is None:
        raise MagicError(
            "there is no model on this server yet. Put a GGUF file into the folder "
            "that the server names when it starts (option LLMExt.model_folders)."
        )
    return str(default)


def _messages(system: str | None, question: str) -> list[dict[str, str]]:
    turns = [("system", system or ""), ("user", question.strip())]
    return [{"role": role, "content": text} for role, text in turns if text]
