"""Writes tiny Llama-architecture models as GGUF files."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
from numpy.typing import NDArray

from .tokenizer import (
    CHAT_TEMPLATE,
    END_OF_TEXT,
    SPECIAL,
    TURN_END,
    TinyTokenizer,
    train,
)

Weights = dict[str, NDArray[np.float32]]


@dataclass(frozen=True, kw_only=True)
class Shape:
    """The sizes of a Llama-architecture model."""

    embedding: int = 64
    layers: int = 2
    heads: int = 4
    kv_heads: int = 2
    feed_forward: int = 128
    context: int = 2048

    @property
    def head(self) -> int:
        """Width of one attention head."""
        return self.embedding // self.heads


def random_weights(shape: Shape, vocabulary: int, *, seed: int = 0) -> Weights:
    """Return weights that babble: no token ends the text, so any length can be had."""
    rng = np.random.default_rng(seed)
    weights = outer_weights(rng, shape.embedding, vocabulary)
    for layer in range(shape.layers):
        weights |= attention_weights(rng, shape, layer)
        weights |= feed_forward_weights(rng, shape, layer)
    return weights


def outer_weights(rng: np.random.Generator, width: int, vocabulary: int) -> Weights:
    """Return what stands before and after the layers.

    The rows of special tokens are zero in the output matrix, so that each has logit 0
    and the likeliest token is always a plain one.
    """
    weights: Weights = {
        "token_embd.weight": normal(rng, vocabulary, width, scale=1.0),
        "output_norm.weight": np.ones(width, np.float32),
        "output.weight": normal(rng, vocabulary, width, scale=0.7),
    }
    weights["output.weight"][: len(SPECIAL)] = 0
    return weights


def attention_weights(rng: np.random.Generator, shape: Shape, layer: int) -> Weights:
    """Return an attention block, with the norm before it."""
    width, kv = shape.embedding, shape.kv_heads * shape.head
    sizes = {
        "attn_q": (width, width),
        "attn_k": (kv, width),
        "attn_v": (kv, width),
        "attn_output": (width, width),
    }
    return _block(rng, layer, norm="attn_norm", width=width, sizes=sizes)


def feed_forward_weights(rng: np.random.Generator, shape: Shape, layer: int) -> Weights:
    """Return a feed-forward block, with the norm before it."""
    width, inner = shape.embedding, shape.feed_forward
    sizes = {
        "ffn_gate": (inner, width),
        "ffn_up": (inner, width),
        "ffn_down": (width, inner),
    }
    return _block(rng, layer, norm="ffn_norm", width=width, sizes=sizes)


def normal(
    rng: np.random.Generator, *size: int, scale: float | None = None
) -> NDArray[np.float32]:
    """Return normal numbers; by default a matrix that keeps the length of a vector."""
    spread = size[-1] ** -0.5 if scale is None else scale
    return rng.normal(0, spread, size).astype(np.float32)


def _block(
    rng: np.random.Generator,
    layer: int,
    *,
    norm: str,
    width: int,
    sizes: dict[str, tuple[int, int]],
) -> Weights:
    block = {f"blk.{layer}.{norm}.weight": np.ones(width, np.float32)}
    for name, size in sizes.items():
        block[f"blk.{layer}.{name}.weight"] = normal(rng, *size)
    return block


def reciting_weights(shape: Shape, tokenizer: TinyTokenizer, text: str) -> Weights:
    """Return weights that answer everything with ``text`` and then end the turn.

    Every token's embedding is a random direction, the layers add nothing, and the
    output row of each token of the text is the direction of the token before it. So
    no token may occur twice in the text; the line break that ends a chat template's
    last line leads to the first.

    Raises:
        ValueError: A token occurs twice in the text.
    """
    vocabulary = len(tokenizer.tokens)
    path = [*tokenizer.encode("\n"), *tokenizer.encode(text), SPECIAL.index(TURN_END)]
    twice = {tokenizer.tokens[token] for token in path if path.count(token) > 1}
    if twice:
        raise ValueError(f"these tokens occur twice in the text: {sorted(twice)}")
    weights = random_weights(shape, vocabulary)
    rng = np.random.default_rng(1)
    signs = rng.choice([-1.0, 1.0], (vocabulary, shape.embedding))
    weights["token_embd.weight"] = signs.astype(np.float32)
    weights["output.weight"][:] = 0
    for before, after in itertools.pairwise(path):
        weights["output.weight"][after] = weights["token_embd.weight"][before]
    for layer in range(shape.layers):
        weights[f"blk.{layer}.attn_output.weight"][:] = 0
        weights[f"blk.{layer}.ffn_down.weight"][:] = 0
    return weights


def write_model(
    path: Path,
    *,
    name: str = "Tiny",
    shape: Shape | None = None,
    tokenizer: TinyTokenizer | None = None,
    weights: Weights | None = None,
    chat_template: str | Sequence[Mapping[str, str]] | None = CHAT_TEMPLATE,
    architecture: str = "llama",
    recommended: dict[str, float] | None = None,
) -> Path:
    """Write a model to ``path`` and return it; random weights unless some are given.

    ``recommended`` are GGUF's ``general.sampling`` keys with their values.
    """
    shape = shape or Shape()
    tokenizer = tokenizer or train()
    weights = weights or random_weights(shape, len(tokenizer.tokens))
    writer = gguf.GGUFWriter(path, architecture)
    _describe(writer, name, shape)
    describe_tokenizer(writer, tokenizer)
    if chat_template is not None:
        writer.add_chat_template(chat_template)
    for key, value in (recommended or {}).items():
        writer.add_float32(f"general.sampling.{key}", value)
    for key, tensor in weights.items():
        flat = tensor.ndim == 1
        writer.add_tensor(key, tensor if flat else tensor.astype(np.float16))
    finish(writer)
    return path


def describe_tokenizer(writer: gguf.GGUFWriter, tokenizer: TinyTokenizer) -> None:
    """Add the tokeniser to what a file says of itself."""
    kinds = [
        gguf.TokenType.CONTROL if token in SPECIAL else gguf.TokenType.NORMAL
        for token in tokenizer.tokens
    ]
    writer.add_vocab_size(len(tokenizer.tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokenizer.tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(tokenizer.merges)
    writer.add_bos_token_id(SPECIAL.index(END_OF_TEXT))
    writer.add_eos_token_id(SPECIAL.index(TURN_END))
    writer.add_add_bos_token(value=False)


def finish(writer: gguf.GGUFWriter) -> None:
    """Write what was added, and close the file."""
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _describe(writer: gguf.GGUFWriter, name: str, shape: Shape) -> None:
    writer.add_name(name)
    writer.add_license("BSD-3-Clause")
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.embedding)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_rope_dimension_count(shape.head)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
