"""A model's tokens."""

import ctypes
from collections.abc import Iterable
from functools import cached_property, lru_cache

from llama_cpp import llama_cpp as lib


class Vocab:
    """Text to tokens and back. Safe to use from several threads: it never changes.

    ``pointer`` belongs to the model and lives as long as it.
    """

    def __init__(self, pointer: int) -> None:
        self.pointer = pointer
        self.size = int(lib.llama_vocab_n_tokens(pointer))
        self.adds_bos = bool(lib.llama_vocab_get_add_bos(pointer))
        self.adds_eos = bool(lib.llama_vocab_get_add_eos(pointer))
        self.adds_sep = bool(lib.llama_vocab_get_add_sep(pointer))
        self.bos_id = _known(lib.llama_vocab_bos(pointer))
        self.eos_id = _known(lib.llama_vocab_eos(pointer))
        self.sep_id = _known(lib.llama_vocab_sep(pointer))
        self.bos = self._special_text(self.bos_id)
        self.eos = self._special_text(self.eos_id)
        self.piece = lru_cache(maxsize=65536)(self._piece)

    def tokenize(self, text: str) -> list[int]:
        """Return the tokens of ``text``, in which special tokens are recognised.

        The beginning-of-text token is put first where the model wants one, and not
        twice where a chat template has written it already.
        """
        if self.adds_bos and self.bos:
            text = text.removeprefix(self.bos)
        return self._tokenize(text, add_special=True, parse_special=True)

    def tokenize_part(self, text: str, *, special: bool) -> list[int]:
        """Return the tokens of a part of an input: nothing is put around them.

        Special tokens in the text are recognised only with ``special``; without it
        they are text like any other.
        """
        return self._tokenize(text, add_special=False, parse_special=special)

    def tokens(self, text: str, *, add_special: bool, parse_special: bool) -> list[int]:
        """Return the tokens of ``text``.

        With ``add_special`` what the model wants around an input is put there; with
        ``parse_special`` special tokens in the text are recognised.
        """
        if add_special and parse_special:
            return self.tokenize(text)
        return self._tokenize(
            text, add_special=add_special, parse_special=parse_special
        )

    def text(self, tokens: Iterable[int]) -> str:
        """Return what these tokens write, special ones by their names.

        Each must be one of the vocabulary's.
        """
        pieces = (self._render(token, special=True) for token in tokens)
        return b"".join(pieces).decode(errors="replace")

    @cached_property
    def end_tokens(self) -> tuple[int, ...]:
        """All tokens that end an answer."""
        return tuple(token for token in range(self.size) if self.ends(token))

    def ends(self, token: int) -> bool:
        """Whether ``token`` is one of those that end an answer."""
        return bool(lib.llama_vocab_is_eog(self.pointer, token))

    def _tokenize(
        self, text: str, *, add_special: bool, parse_special: bool
    ) -> list[int]:
        data = text.encode()
        room = len(data) + 8
        while True:
            tokens = (lib.llama_token * room)()
            count = lib.llama_tokenize(
                self.pointer, data, len(data), tokens, room, add_special, parse_special
            )
            if count >= 0:
                return list(tokens[:count])
            room = -count

    def marker(self, text: str) -> int | None:
        """Return the one token that ``text`` is, if it is one with a meaning.

        Grammars must name such a token: its text alone would be others.
        """
        tokens = self.tokenize_part(text, special=True)
        if len(tokens) != 1:
            return None
        attributes = lib.llama_vocab_get_attr(self.pointer, tokens[0])
        tag = text.startswith("<") and text.endswith(">")
        # What llguidance takes for special, and no text of a grammar matches.
        special = attributes & lib.LLAMA_TOKEN_ATTR_CONTROL or (
            tag and attributes & lib.LLAMA_TOKEN_ATTR_USER_DEFINED
        )
        return tokens[0] if special else None

    def _piece(self, token: int, *, special: bool = False) -> bytes:
        """Return the text bytes of ``token``.

        Control tokens have none, except with ``special``.
        """
        return self._render(token, special=special)

    def _special_text(self, token: int | None) -> str:
        if token is None:
            return ""
        return self._render(token, special=True).decode(errors="replace")

    def _render(self, token: int, *, special: bool) -> bytes:
        room = 64
        while True:
            buffer = ctypes.create_string_buffer(room)
            size = lib.llama_token_to_piece(
                self.pointer, token, buffer, room, 0, special
            )
            if size >= 0:
                return buffer.raw[:size]
            room = -size


def _known(token: int) -> int | None:
    """Return ``token``, or None for llama.cpp's "there is none"."""
    return None if token < 0 else token
