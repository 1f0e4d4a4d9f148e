"""A model that fills gaps: it has tokens for what is before and after one.

Whatever is around the gap, it fills it with the same text: the token that stands
for the gap leads to the first of the text.
"""

import dataclasses
from pathlib import Path

from .builder import Shape, reciting_weights, write_model
from .tokenizer import train

FILLING = "return the answer please"
MARKS = ("<|fim_prefix|>", "<|fim_suffix|>", "<|fim_middle|>")
SHAPE = Shape(embedding=192, layers=1, heads=4, kv_heads=2, feed_forward=32)


def write_coder(path: Path) -> Path:
    """Write the model to ``path`` and return it."""
    plain = train(FILLING)
    tokenizer = dataclasses.replace(plain, tokens=[*plain.tokens, *MARKS])
    weights = reciting_weights(SHAPE, tokenizer, FILLING)
    first = tokenizer.encode(FILLING)[0]
    middle = tokenizer.tokens.index(MARKS[-1])
    weights["output.weight"][first] = weights["token_embd.weight"][middle]
    return write_model(
        path, name="Coder", shape=SHAPE, tokenizer=tokenizer, weights=weights
    )
