"""A model that answers every question with one sentence, token by token.

What it says is known to the letter, so a test can tell that all of it arrived.
"""

from pathlib import Path

from .builder import Shape, reciting_weights, write_model
from .tokenizer import train

ANSWER = (
    "Hello! I am the tiny model that ships with this extension: your Jupyter server "
    "runs me itself, so my answer streams into a **notebook** without any other "
    "program; now load one of those GGUF files you own and ask again."
)
SHAPE = Shape(embedding=192, layers=1, heads=4, kv_heads=2, feed_forward=32)


def write_hello(path: Path) -> Path:
    """Write the demo model to ``path`` and return it."""
    tokenizer = train(ANSWER, size=640)
    weights = reciting_weights(SHAPE, tokenizer, ANSWER)
    return write_model(
        path, name="Hello", shape=SHAPE, tokenizer=tokenizer, weights=weights
    )
