"""A byte-level BPE tokeniser that llama.cpp reproduces exactly.

llama.cpp knows a fixed set of rules by which text is cut into words before pairs of
bytes are merged. ``qwen2`` is one that makes every digit a word of its own: a small
model can only learn arithmetic digit by digit.
"""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

END_OF_TEXT = "<|endoftext|>"
TURN_START = "<|im_start|>"
TURN_END = "<|im_end|>"
FIM_PREFIX = "<|fim_prefix|>"
FIM_SUFFIX = "<|fim_suffix|>"
FIM_MIDDLE = "<|fim_middle|>"
FIM_PAD = "<|fim_pad|>"
SPECIAL = (
    END_OF_TEXT,
    TURN_START,
    TURN_END,
    FIM_PREFIX,
    FIM_SUFFIX,
    FIM_MIDDLE,
    FIM_PAD,
)
TAGS = ("<tool_call>", "</tool_call>")
"""Whole tokens that are text all the same: they are seen in the model's answers."""

PRE_TOKENIZER = "qwen2"
_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"
    r"|[^\r\n\p{L}\p{N}]?\p{L}+"
    r"|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+"
    r"|\s+(?!\S)"
    r"|\s+"
)
_ADDED = re.compile("|".join(re.escape(token) for token in (*SPECIAL, *TAGS)))


class GuideTokenizer:
    """Encodes text, and tells what a model's file says of its tokeniser.

    Args:
        encoder: A trained tokeniser, whose first tokens are ``SPECIAL`` and ``TAGS``.
    """

    def __init__(self, encoder: Tokenizer) -> None:
        self._encoder = encoder
        model = json.loads(encoder.to_str())["model"]
        by_id = sorted(model["vocab"].items(), key=lambda item: item[1])
        self.tokens: list[str] = [token for token, _ in by_id]
        self.merges: list[str] = [" ".join(pair) for pair in model["merges"]]

    @classmethod
    def train(cls, texts: Iterable[str], *, size: int = 4096) -> "GuideTokenizer":
        """Learn the merges from texts; there are ``size`` tokens in all."""
        encoder = Tokenizer(models.BPE())
        encoder.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(_WORDS), behavior="isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
        encoder.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=size,
            special_tokens=[*SPECIAL, *TAGS],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        encoder.train_from_iterator(_plain(texts), trainer)
        return cls(encoder)

    @classmethod
    def load(cls, path: Path) -> "GuideTokenizer":
        """Read what :meth:`save` wrote."""
        return cls(Tokenizer.from_str(path.read_text()))

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        path.write_text(self._encoder.to_str())

    def encode(self, text: str) -> list[int]:
        """Return the token ids of ``text``, in which special tokens are recognised."""
        ids: list[int] = self._encoder.encode(text).ids
        return ids

    def decode(self, ids: list[int]) -> str:
        """Return the text of token ids, special tokens included."""
        text: str = self._encoder.decode(ids, skip_special_tokens=False)
        return text

    def index(self, token: str) -> int:
        """Return the id of a special token or a tag."""
        return self.tokens.index(token)


def _plain(texts: Iterable[str]) -> Iterator[str]:
    """Yield the texts between the tokens that are not learnt."""
    for text in texts:
        yield from _ADDED.split(text)
