"""Builds ``llm_ext/demo/hello.gguf``: ``python -m tests.models.hello``.

The model that ships with the project until a trained one does: it answers every
question with one sentence, which shows that everything around it works.
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
TARGET = Path(__file__).parents[2] / "llm_ext" / "demo" / "hello.gguf"


def write_hello(path: Path) -> Path:
    """Write the demo model to ``path`` and return it."""
    tokenizer = train(ANSWER, size=640)
    weights = reciting_weights(SHAPE, tokenizer, ANSWER)
    return write_model(
        path, name="Hello", shape=SHAPE, tokenizer=tokenizer, weights=weights
    )


if __name__ == "__main__":
    write_hello(TARGET)
