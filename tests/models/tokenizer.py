"""A real byte-level BPE tokeniser of some 500 tokens, trained on a page of text."""

import json
from dataclasses import dataclass

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

END_OF_TEXT = "<|endoftext|>"
TURN_START = "<|im_start|>"
TURN_END = "<|im_end|>"
SPECIAL = (END_OF_TEXT, TURN_START, TURN_END)

CHAT_TEMPLATE = (
    "{%- for message in messages -%}"
    "{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{ '<|im_start|>assistant\\n' }}{%- endif -%}"
)

_CORPUS = """\
A language model reads tokens and predicts the next one. It has weights, layers and a
vocabulary. The server loads the file into memory, the worker computes, the notebook
shows the answer as it arrives. What is two and two? Two and two is four.
import pandas as pd
df = pd.read_csv("data.csv")
for row in df.itertuples():
    print(row.name, row.value)
user assistant system tool hello thanks yes no question answer please
"""


@dataclass(frozen=True, kw_only=True)
class TinyTokenizer:
    """What a GGUF file says of its tokeniser, and how to encode with it."""

    tokens: list[str]
    merges: list[str]
    encoder: Tokenizer

    def encode(self, text: str) -> list[int]:
        """Return the token ids of ``text``."""
        ids: list[int] = self.encoder.encode(text).ids
        return ids


def train(extra: str = "", *, size: int = 512) -> TinyTokenizer:
    """Train on the corpus; the words of ``extra`` become whole tokens."""
    encoder = Tokenizer(models.BPE())
    encoder.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    encoder.train_from_iterator([_CORPUS] + [extra] * 50, trainer)
    parts = json.loads(encoder.to_str())["model"]
    by_id = sorted(parts["vocab"].items(), key=lambda item: item[1])
    merges = [
        pair if isinstance(pair, str) else " ".join(pair) for pair in parts["merges"]
    ]
    return TinyTokenizer(
        tokens=[token for token, _ in by_id], merges=merges, encoder=encoder
    )
