"""Tiny models whose memory is no plain attention cache.

Like the builder's random models they babble: no token ends the text. Each answer hangs
on all that came before, also on what lies far back.
"""

from collections.abc import Callable
from pathlib import Path

import gguf
import numpy as np

from llm_ext.core.memory_kind import MemoryKind

from .builder import (
    Shape,
    Weights,
    attention_weights,
    describe_tokenizer,
    feed_forward_weights,
    finish,
    normal,
    outer_weights,
)
from .tokenizer import train

WINDOW = 16
"""Elements that a sliding window covers, the newest one among them."""

_SHAPE = Shape(embedding=32, layers=4, heads=2, kv_heads=1, feed_forward=64)

_INNER = 2 * _SHAPE.embedding  # llama.cpp knows no other Mamba
_KERNEL = 4
_STATE = 8
_RANK = 4


def write_window(path: Path, *, window: int = WINDOW) -> Path:
    """Write a Gemma 3: every second layer sees the window only, the others all."""
    rng = np.random.default_rng(1)
    writer = _writer(path, "gemma3")
    _describe_attention(writer, [_SHAPE.kv_heads] * _SHAPE.layers)
    writer.add_sliding_window(window)
    writer.add_sliding_window_pattern([at % 2 == 0 for at in range(_SHAPE.layers)])
    weights = _outer_weights(rng)
    for layer in range(_SHAPE.layers):
        weights |= attention_weights(rng, _SHAPE, layer)
        weights |= feed_forward_weights(rng, _SHAPE, layer)
        for name in ("attn_q_norm", "attn_k_norm"):
            weights |= _constant(layer, name, _SHAPE.head)
        for name in ("post_attention_norm", "post_ffw_norm"):
            # Gemma makes embeddings larger: the layers must keep up, to be felt.
            weights |= _constant(layer, name, _SHAPE.embedding, value=2)
    return _write(writer, path, weights)


def write_recurrent(path: Path) -> Path:
    """Write a Mamba."""
    rng = np.random.default_rng(2)
    writer = _writer(path, "mamba")
    _describe_states(writer)
    weights = _outer_weights(rng)
    for layer in range(_SHAPE.layers):
        weights |= _state_weights(rng, layer)
    return _write(writer, path, weights)


def write_hybrid(path: Path) -> Path:
    """Write a Jamba: layers of a Mamba and attention layers in turn."""
    rng = np.random.default_rng(3)
    attends = [at % 2 == 1 for at in range(_SHAPE.layers)]
    writer = _writer(path, "jamba")
    _describe_attention(writer, [_SHAPE.kv_heads * here for here in attends])
    _describe_states(writer)
    weights = _outer_weights(rng)
    for layer, here in enumerate(attends):
        if here:
            weights |= attention_weights(rng, _SHAPE, layer)
        else:
            weights |= _state_weights(rng, layer)
            for name, size in (("dt", _RANK), ("b", _STATE), ("c", _STATE)):
                weights |= _constant(layer, f"ssm_{name}_norm", size)
        weights |= feed_forward_weights(rng, _SHAPE, layer)
    return _write(writer, path, weights)


WRITERS: dict[MemoryKind, Callable[[Path], Path]] = {
    "window": write_window,
    "recurrent": write_recurrent,
    "hybrid": write_hybrid,
}
"""One model of each kind."""


def _writer(path: Path, architecture: str) -> gguf.GGUFWriter:
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_context_length(_SHAPE.context)
    writer.add_embedding_length(_SHAPE.embedding)
    writer.add_block_count(_SHAPE.layers)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    return writer


def _describe_attention(writer: gguf.GGUFWriter, kv_heads: list[int]) -> None:
    """Add the sizes of attention; a layer of a hybrid with no such head has none."""
    writer.add_feed_forward_length(_SHAPE.feed_forward)
    writer.add_head_count(_SHAPE.heads)
    writer.add_head_count_kv(kv_heads)


def _describe_states(writer: gguf.GGUFWriter) -> None:
    writer.add_ssm_conv_kernel(_KERNEL)
    writer.add_ssm_inner_size(_INNER)
    writer.add_ssm_state_size(_STATE)
    writer.add_ssm_time_step_rank(_RANK)


def _outer_weights(rng: np.random.Generator) -> Weights:
    return outer_weights(rng, _SHAPE.embedding, len(train().tokens))


def _state_weights(rng: np.random.Generator, layer: int) -> Weights:
    """Return a block of a Mamba, with the norm before it.

    Its states fade at rates that lie far apart, so that some hold hundreds of tokens.
    """
    width = _SHAPE.embedding
    rates = np.geomspace(0.01, 1, _STATE, dtype=np.float32)
    block = {
        "attn_norm.weight": np.ones(width, np.float32),
        "ssm_in.weight": normal(rng, 2 * _INNER, width),
        "ssm_conv1d.weight": normal(rng, _INNER, _KERNEL),
        "ssm_conv1d.bias": np.zeros(_INNER, np.float32),
        "ssm_x.weight": normal(rng, _RANK + 2 * _STATE, _INNER, scale=0.5),
        "ssm_dt.weight": normal(rng, _INNER, _RANK),
        "ssm_dt.bias": np.full(_INNER, -2, np.float32),
        "ssm_a": -np.tile(rates, (_INNER, 1)),
        "ssm_d": np.ones(_INNER, np.float32),
        "ssm_out.weight": normal(rng, width, _INNER, scale=0.5),
    }
    return {f"blk.{layer}.{name}": tensor for name, tensor in block.items()}


def _constant(layer: int, name: str, size: int, *, value: float = 1) -> Weights:
    return {f"blk.{layer}.{name}.weight": np.full(size, value, np.float32)}


def _write(writer: gguf.GGUFWriter, path: Path, weights: Weights) -> Path:
    """Write the weights in 32 bits: some of these tensors may have no others."""
    describe_tokenizer(writer, train())
    for key, tensor in weights.items():
        writer.add_tensor(key, tensor)
    finish(writer)
    return path
