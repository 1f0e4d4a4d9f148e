"""Writes models that read a text both ways: BERT's, with or without a head, and T5's.

The names of tensors and keys are those of llama.cpp's ``src/models/bert.cpp`` and
``t5.cpp``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
from numpy.typing import NDArray

from .wordpiece import Vocabulary, tiny

Weights = dict[str, NDArray[np.float32]]

_BUCKETS = 32  # of T5's relative positions


@dataclass(frozen=True, kw_only=True)
class Shape:
    """The sizes of a BERT-architecture model."""

    embedding: int = 32
    layers: int = 2
    heads: int = 4
    feed_forward: int = 64
    context: int = 1024
    epsilon: float = 1e-12
    """Added to the variance by the norms of layers; BERT's own value."""


def random_weights(shape: Shape, vocabulary: int, *, seed: int = 0) -> Weights:
    """Return weights whose rows hang on every token and its place."""
    rng = np.random.default_rng(seed)
    width, inner = shape.embedding, shape.feed_forward
    weights: Weights = {
        "token_embd.weight": _normal(rng, vocabulary, width, scale=1.0),
        "token_types.weight": _normal(rng, 2, width, scale=0.5),
        "position_embd.weight": _normal(rng, shape.context, width, scale=0.5),
        **_norm(rng, "token_embd_norm", width),
    }
    for layer in range(shape.layers):
        block = f"blk.{layer}"
        for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
            weights |= _linear(rng, f"{block}.{name}", width, width)
        weights |= _linear(rng, f"{block}.ffn_up", inner, width)
        weights |= _linear(rng, f"{block}.ffn_down", width, inner)
        weights |= _norm(rng, f"{block}.attn_output_norm", width)
        weights |= _norm(rng, f"{block}.layer_output_norm", width)
    return weights


def head_weights(*, classes: int = 1) -> Weights:
    """Return a reranker's head: a dense layer, and one that gives the scores."""
    rng = np.random.default_rng(7)
    width = Shape().embedding
    return {
        **_linear(rng, "cls", width, width),
        **_linear(rng, "cls.output", classes, width),
    }


def write_bert(
    path: Path,
    *,
    shape: Shape,
    vocabulary: Vocabulary,
    weights: Weights,
    pooling: gguf.PoolingType | None = None,
    labels: Sequence[str] = (),
) -> Path:
    """Write a model to ``path``, in 32 bits, and return it."""
    writer = gguf.GGUFWriter(path, "bert")
    describe(writer, shape)
    writer.add_layer_norm_eps(shape.epsilon)
    writer.add_causal_attention(value=False)
    writer.add_token_type_count(2)
    if pooling is not None:
        writer.add_pooling_type(pooling)
    if labels:
        writer.add_classifier_output_labels(labels)
    vocabulary.write(writer)
    return finish(writer, path, weights)


def write_tiny(
    path: Path,
    *,
    vocabulary: Vocabulary | None = None,
    pooling: gguf.PoolingType | None = None,
    labels: Sequence[str] = (),
    head: Weights | None = None,
) -> Path:
    """Write a BERT of random weights, with a head if one is given."""
    shape, vocabulary = Shape(), vocabulary or tiny()
    return write_bert(
        path,
        shape=shape,
        vocabulary=vocabulary,
        weights=random_weights(shape, len(vocabulary.tokens)) | (head or {}),
        pooling=pooling,
        labels=labels,
    )


def write_t5(path: Path, *, decoder: bool) -> Path:
    """Write a T5 of random weights: its encoder alone, or both halves."""
    shape, vocabulary = Shape(), tiny()
    rng = np.random.default_rng(3)
    writer = gguf.GGUFWriter(path, "t5" if decoder else "t5encoder")
    describe(writer, shape)
    writer.add_layer_norm_rms_eps(1e-6)
    writer.add_relative_attn_buckets_count(_BUCKETS)
    vocabulary.write(writer)
    size = (len(vocabulary.tokens), shape.embedding)
    weights: Weights = {"token_embd.weight": _normal(rng, *size, scale=1.0)}
    for half in ("enc", "dec") if decoder else ("enc",):
        weights |= _t5_half(rng, shape, half)
    return finish(writer, path, weights)


def describe(writer: gguf.GGUFWriter, shape: Shape) -> None:
    """Say what all architectures want to know."""
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.embedding)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)


def finish(writer: gguf.GGUFWriter, path: Path, weights: Weights) -> Path:
    """Write what was described, and the weights."""
    for name, tensor in weights.items():
        writer.add_tensor(name, tensor)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _t5_half(rng: np.random.Generator, shape: Shape, half: str) -> Weights:
    width, inner = shape.embedding, shape.feed_forward
    ones = np.ones(width, np.float32)
    weights: Weights = {f"{half}.output_norm.weight": ones}
    for layer in range(shape.layers):
        block = f"{half}.blk.{layer}"
        matrices = {"ffn_up": (inner, width), "ffn_down": (width, inner)}
        for attention in ("attn", "cross_attn") if half == "dec" else ("attn",):
            weights[f"{block}.{attention}_norm.weight"] = ones
            matrices |= {f"{attention}_{part}": (width, width) for part in "qkvo"}
        for name, size in matrices.items():
            scale = size[1] ** -0.5
            weights[f"{block}.{name}.weight"] = _normal(rng, *size, scale=scale)
        places = _normal(rng, _BUCKETS, shape.heads, scale=1.0)
        weights[f"{block}.attn_rel_b.weight"] = places
        weights[f"{block}.ffn_norm.weight"] = ones
    return weights


def _linear(rng: np.random.Generator, name: str, rows: int, columns: int) -> Weights:
    return {
        f"{name}.weight": _normal(rng, rows, columns, scale=columns**-0.5),
        f"{name}.bias": _normal(rng, rows, scale=0.1),
    }


def _norm(rng: np.random.Generator, name: str, width: int) -> Weights:
    return {
        f"{name}.weight": 1 + _normal(rng, width, scale=0.1),
        f"{name}.bias": _normal(rng, width, scale=0.1),
    }


def _normal(rng: np.random.Generator, *size: int, scale: float) -> NDArray[np.float32]:
    return rng.normal(0, scale, size).astype(np.float32)
