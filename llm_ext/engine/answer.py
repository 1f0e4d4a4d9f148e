"""An answer's text, as it may be shown: whole characters, and no stop string."""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from llm_ext.core.events import TokenLogprob

from .detokenizer import Detokenizer
from .stopping import StopStrings


class Shown(NamedTuple):
    """Text to show, the log-probabilities of tokens in it, and where these begin."""

    text: str
    logprobs: tuple[TokenLogprob, ...] = ()
    starts: tuple[int, ...] = ()


class Answer:
    """Turns the bytes of tokens into text.

    Log-probabilities wait until the text of their token is shown: those of a token that
    is part of a stop string never are.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._detokenizer = Detokenizer()
        self._stops = StopStrings(stops)
        self._logprobs: deque[tuple[int, TokenLogprob]] = deque()
        self._read = 0
        self._shown = 0

    @property
    def stopped(self) -> str | None:
        """The stop string that was found: nothing more is shown. None if none was."""
        return self._stops.found

    def feed(self, piece: bytes, logprob: TokenLogprob | None = None) -> Shown:
        """Go on with a token; return what can be shown now."""
        text = self._detokenizer.feed(piece)
        if logprob is not None:
            # Where the token's text begins; all of a token is shown, or none.
            self._logprobs.append((self._read, logprob))
        self._read += len(text)
        return self._show(self._stops.feed(text))

    def finish(self) -> Shown:
        """Return what was held back, now that nothing follows."""
        if self.stopped:
            return Shown("")
        text = self._detokenizer.finish()
        self._read += len(text)
        return self._show(self._stops.feed(text) + self._stops.finish())

    def _show(self, text: str) -> Shown:
        before = self._shown
        self._shown += len(text)
        logprobs, starts = [], []
        while self._logprobs and text and self._logprobs[0][0] < self._shown:
            start, logprob = self._logprobs.popleft()
            logprobs.append(logprob)
            starts.append(start - before)
        return Shown(text, tuple(logprobs), tuple(starts))
