"""Writes adapters for the builder's models."""

from pathlib import Path

import gguf
import numpy as np

from .builder import Shape, finish, normal

_RANK = 2


def write_lora(
    path: Path,
    *,
    shape: Shape | None = None,
    architecture: str = "llama",
    seed: int = 9,
) -> Path:
    """Write an adapter that changes the last layer's output much, and return it."""
    shape = shape or Shape()
    rng = np.random.default_rng(seed)
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_type("adapter")
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", 8.0)
    weight = f"blk.{shape.layers - 1}.ffn_down.weight"
    sizes = {"lora_a": (_RANK, shape.feed_forward), "lora_b": (shape.embedding, _RANK)}
    for part, size in sizes.items():
        writer.add_tensor(f"{weight}.{part}", normal(rng, *size, scale=1.0))
    finish(writer)
    return path
