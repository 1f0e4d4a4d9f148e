"""WordPiece vocabularies, written as llama.cpp's converter does.

Its ``conversion/bert.py``: a word's first token begins with a mark in place of the
space before it, and those that continue a word lose their "##".
"""

import string
from collections.abc import Sequence
from dataclasses import dataclass

import gguf

SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
_WORDS = "the cat dog sat ran on mat how do plants grow they need light and water"
_SPACE = "\u2581"


@dataclass(frozen=True, kw_only=True)
class Vocabulary:
    """WordPiece tokens, with "##" before those that continue a word.

    ``eos`` says whether the separator is also named as the end of a text, as the
    converter has it now; older files do without. ``adds_eos`` and ``adds_sep`` say
    whether texts are ended, and whether a separator is put between two.
    """

    tokens: Sequence[str]
    eos: bool = True
    adds_eos: bool = True
    adds_sep: bool = False

    def id(self, token: str) -> int:
        """Return the id of ``token``."""
        return self.tokens.index(token)

    def write(self, writer: gguf.GGUFWriter) -> None:
        """Describe it to a GGUF writer."""
        kinds = [
            gguf.TokenType.CONTROL if token in SPECIAL else gguf.TokenType.NORMAL
            for token in self.tokens
        ]
        writer.add_tokenizer_model("bert")
        writer.add_token_list([_stored(token) for token in self.tokens])
        writer.add_token_types(kinds)
        writer.add_bos_token_id(self.id("[CLS]"))
        writer.add_sep_token_id(self.id("[SEP]"))
        writer.add_unk_token_id(self.id("[UNK]"))
        writer.add_pad_token_id(self.id("[PAD]"))
        writer.add_mask_token_id(self.id("[MASK]"))
        writer.add_add_eos_token(value=self.adds_eos)
        writer.add_add_sep_token(value=self.adds_sep)
        if self.eos:
            writer.add_eos_token_id(self.id("[SEP]"))


def tiny(
    *, eos: bool = True, adds_eos: bool = True, adds_sep: bool = False
) -> Vocabulary:
    """Return a vocabulary of a few words, and letters for all others."""
    letters = [*string.ascii_lowercase, "."]
    continued = [f"##{letter}" for letter in letters]
    tokens = [*SPECIAL, *letters, *continued, *_WORDS.split()]
    return Vocabulary(tokens=tokens, eos=eos, adds_eos=adds_eos, adds_sep=adds_sep)


def _stored(token: str) -> str:
    if token in SPECIAL:
        return token
    return token[2:] if token.startswith("##") else _SPACE + token
