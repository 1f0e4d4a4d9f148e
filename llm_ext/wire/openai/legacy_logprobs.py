"""Log-probabilities as ``v1/completions`` tells them."""

from collections.abc import Iterable

import msgspec

from llm_ext.core.events import TextDelta, TokenLogprob


class Logprobs(msgspec.Struct, frozen=True, kw_only=True):
    """How likely the tokens were, in lists of the same length.

    Attributes:
        tokens: Their texts.
        token_logprobs: The natural logarithms of their probabilities.
        top_logprobs: The likeliest tokens in the place of each, where asked for.
        text_offset: Characters of the answer before each.
    """

    tokens: list[str]
    token_logprobs: list[float]
    top_logprobs: list[dict[str, float]] | None
    text_offset: list[int]


class LogprobWriter:
    """Writes those of one answer, delta by delta."""

    def __init__(self, *, alternatives: bool) -> None:
        self._alternatives = alternatives
        self._written = 0

    def write(self, deltas: Iterable[TextDelta]) -> Logprobs:
        """Return what is told of the next deltas."""
        told: list[TokenLogprob] = []
        offsets: list[int] = []
        for delta in deltas:
            offsets += _offsets(delta, self._written)
            told += delta.logprobs
            self._written += len(delta.text)
        return Logprobs(
            tokens=[_text(token.piece) for token in told],
            token_logprobs=[token.logprob for token in told],
            top_logprobs=[_top(token) for token in told]
            if self._alternatives
            else None,
            text_offset=offsets,
        )


def _offsets(delta: TextDelta, start: int) -> list[int]:
    """Return where the tokens of a delta begin.

    Tokens that a grammar forces are in the text, but are not told of.
    """
    found: list[int] = []
    at = 0
    for token in delta.logprobs:
        text = token.piece.decode(errors="ignore")
        place = delta.text.find(text, at)
        at = at if place < 0 else place
        found.append(start + at)
        at += len(text)
    return found


def _top(token: TokenLogprob) -> dict[str, float]:
    return {_text(other.piece): other.logprob for other in token.top}


def _text(piece: bytes) -> str:
    """Return a token's text; OpenAI writes the bytes of a part of a character."""
    try:
        return piece.decode()
    except UnicodeDecodeError:
        return "bytes:" + "".join(f"\\x{byte:02x}" for byte in piece)
