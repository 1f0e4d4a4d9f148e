"""Writes decoders that are used for vectors and scores, not for text."""

from pathlib import Path

import gguf
import numpy as np
from numpy.typing import NDArray

from . import builder
from .encoder import Shape, describe, finish
from .wordpiece import tiny

_DECODER = builder.Shape(embedding=32, layers=2, heads=4, kv_heads=4, feed_forward=64)

TEMPLATE = "{query} the {document} on {query}"
"""In the place of what Qwen3's rerankers are told in so many words."""


def write_two_way(path: Path) -> Path:
    """Write a Llama with a KV cache in which each token sees those after it as well.

    As gte-Qwen2 and others that were generators before they became embedders.
    """
    writer = _writer(path, "llama")
    writer.add_causal_attention(value=False)
    return finish(writer, path, _weights())


def write_qwen3_reranker(path: Path, *, classifier_pooling: int | None = None) -> Path:
    """Write a reranker that answers yes or no after it has read the pair.

    ``classifier_pooling`` is GGUF's key for what is done before the head; published
    models have none, and the head reads the last token's row.
    """
    writer = _writer(path, "qwen3")
    writer.add_pooling_type(gguf.PoolingType.RANK)
    writer.add_classifier_output_labels(["yes", "no"])
    writer.add_chat_template([{"name": "rerank", "template": TEMPLATE}])
    if classifier_pooling is not None:
        writer.add_uint32("qwen3.classifier.pooling_type", classifier_pooling)
    weights = _weights()
    for layer in range(_DECODER.layers):
        for name in ("attn_q_norm", "attn_k_norm"):
            ones = np.ones(_DECODER.head, np.float32)
            weights[f"blk.{layer}.{name}.weight"] = ones
    weights["cls.output.weight"] = qwen3_head()
    return finish(writer, path, weights)


def qwen3_head() -> NDArray[np.float32]:
    """Return the reranker's head: a row for yes, and one for no."""
    rng = np.random.default_rng(8)
    return rng.normal(0, 0.3, (2, _DECODER.embedding)).astype(np.float32)


def _writer(path: Path, architecture: str) -> gguf.GGUFWriter:
    writer = gguf.GGUFWriter(path, architecture)
    describe(
        writer,
        Shape(
            embedding=_DECODER.embedding,
            layers=_DECODER.layers,
            heads=_DECODER.heads,
            feed_forward=_DECODER.feed_forward,
        ),
    )
    writer.add_head_count_kv(_DECODER.kv_heads)
    writer.add_rope_dimension_count(_DECODER.head)
    writer.add_key_length(_DECODER.head)
    writer.add_value_length(_DECODER.head)
    writer.add_layer_norm_rms_eps(1e-5)
    tiny().write(writer)
    return writer


def _weights() -> builder.Weights:
    return builder.random_weights(_DECODER, len(tiny().tokens))
