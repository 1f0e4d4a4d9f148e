"""A byte-level BPE tokeniser that llama.cpp reproduces exactly.

llama.cpp knows a fixed set of rules by which text is cut into words before pairs of
bytes are merged. ``qwen2`` is one that makes every digit a word of its own: a small
model can only learn arithmetic digit by digit.

It leaves a space or a bracket before a word in one piece with it. Merges across that
border would cut a rare word in one way after a space and in another after a bracket,
and then it could not be copied from a sentence into code. So there are none but one
kind, which is made last: a space and a common word, whole.
"""

import itertools
import json
import re
from collections import Counter
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
_PARTS = r"\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_AFTER_SPACE = re.compile(r" ([^\W\d_]+)")
_SPACE = "\u0120"
"""How a space is spelt in a byte-level vocabulary."""
_COMMON = 1024
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
        kept = list(_plain(texts))
        parts = Tokenizer(models.BPE())
        parts.pre_tokenizer = _pre_tokenizer(_PARTS)
        trainer = trainers.BpeTrainer(
            vocab_size=size - _COMMON,
            special_tokens=[*SPECIAL, *TAGS],
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        )
        parts.train_from_iterator(kept, trainer)
        model = json.loads(parts.to_str())["model"]
        vocabulary: dict[str, int] = model["vocab"]
        merges = [(first, second) for first, second in model["merges"]]
        counted = Counter(word for text in kept for word in _AFTER_SPACE.findall(text))
        whole = (word for word, _ in counted.most_common() if word in vocabulary)
        for word in itertools.islice(whole, _COMMON):
            vocabulary[_SPACE + word] = len(vocabulary)
            merges.append((_SPACE, word))
        encoder = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
        encoder.add_special_tokens([*SPECIAL, *TAGS])
        encoder.pre_tokenizer = _pre_tokenizer(_WORDS)
        encoder.decoder = decoders.ByteLevel()
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


def _pre_tokenizer(words: str) -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(words), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


def _plain(texts: Iterable[str]) -> Iterator[str]:
    """Yield the texts between the tokens that are not learnt."""
    for text in texts:
        yield from _ADDED.split(text)
