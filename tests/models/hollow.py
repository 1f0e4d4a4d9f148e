"""Writes a model of real size without its weights: a header, and a hole for the rest.

llama.cpp says of it what it would say of the real one, as long as it reads no weights.
"""

from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Kind

from .tokenizer import SPECIAL, train


@dataclass(frozen=True, kw_only=True)
class HollowShape:
    """The sizes of a Llama-architecture model; by default those of a 1B one."""

    embedding: int = 2048
    layers: int = 16
    heads: int = 32
    kv_heads: int = 8
    feed_forward: int = 8192
    context: int = 131_072
    vocabulary: int = 32_000
    shared_output: bool = True

    @property
    def kv_width(self) -> int:
        """Width of all keys of a token."""
        return self.embedding // self.heads * self.kv_heads


def write_hollow(path: Path, shape: HollowShape) -> Path:
    """Write a model with 4-bit matrices to ``path``, and return it."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.embedding)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_K_M)
    _describe_tokens(writer, shape.vocabulary)
    size = sum(_add(writer, name, *sizes) for name, sizes in _matrices(shape).items())
    for name in _norms(shape):
        size += _add(writer, name, shape.embedding, kind=Kind.F32)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    writer.close()
    with path.open("r+b") as file:
        # Room for what the alignment of tensors takes.
        file.truncate(path.stat().st_size + size + 1024 * 1024)
    return path


def _describe_tokens(writer: gguf.GGUFWriter, vocabulary: int) -> None:
    tokenizer = train()
    fillers = [f"w{number}" for number in range(vocabulary - len(tokenizer.tokens))]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([*tokenizer.tokens, *fillers])
    writer.add_token_merges(tokenizer.merges)
    writer.add_eos_token_id(len(SPECIAL) - 1)


def _matrices(shape: HollowShape) -> dict[str, tuple[int, int]]:
    width, inner, kv = shape.embedding, shape.feed_forward, shape.kv_width
    found = {"token_embd.weight": (shape.vocabulary, width)}
    if not shape.shared_output:
        found["output.weight"] = (shape.vocabulary, width)
    for layer in range(shape.layers):
        sizes = {
            "attn_q": (width, width),
            "attn_k": (kv, width),
            "attn_v": (kv, width),
            "attn_output": (width, width),
            "ffn_gate": (inner, width),
            "ffn_up": (inner, width),
            "ffn_down": (width, inner),
        }
        found |= {f"blk.{layer}.{name}.weight": size for name, size in sizes.items()}
    return found


def _norms(shape: HollowShape) -> list[str]:
    layers = range(shape.layers)
    return [
        "output_norm.weight",
        *(f"blk.{layer}.attn_norm.weight" for layer in layers),
        *(f"blk.{layer}.ffn_norm.weight" for layer in layers),
    ]


def _add(writer: gguf.GGUFWriter, name: str, *size: int, kind: Kind = Kind.Q4_K) -> int:
    """Announce a tensor, and return its bytes."""
    dtype = np.dtype(np.float32 if kind == Kind.F32 else np.uint8)
    shape = gguf.quant_shape_to_byte_shape(size, kind) if kind != Kind.F32 else size
    count = int(np.prod(shape)) * dtype.itemsize
    writer.add_tensor_info(name, shape, dtype, count, kind)
    return count
