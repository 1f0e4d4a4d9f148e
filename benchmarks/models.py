"""Models of real size with random weights: no download, the same arithmetic.

The shape is Llama-3.2-1B's, with a vocabulary of 128,256 tokens. Matrices are Q4_K and
the embedding Q6_K, about as in the usual Q4_K_M file: 0.77 GB. What such a model says
is noise; what it costs to say it is real.
"""

import sys
from pathlib import Path

import gguf
import numpy as np
from gguf import GGMLQuantizationType as Kind
from numpy.typing import NDArray

from tests.models.tokenizer import (
    CHAT_TEMPLATE,
    END_OF_TEXT,
    SPECIAL,
    TURN_END,
    train,
)

FOLDER = Path(__file__).parent / "models"

WIDTH, LAYERS, HEADS, KV_HEADS, INNER = 2048, 16, 32, 8, 8192
VOCABULARY, CONTEXT = 128_256, 131_072
KV_WIDTH = WIDTH // HEADS * KV_HEADS

_BLOCK = 256
_Q4_K_BYTES = 144  # half d, half dmin, 12 bytes of scales, 128 of quants
_Q6_K_BYTES = 210  # 192 bytes of quants, 16 of scales, half d
_STEP = np.frombuffer(np.float16(2e-4).tobytes(), np.uint8)


def llama_1b(folder: Path = FOLDER) -> Path:
    """Return the 1B model's file, written if it is not there yet (some seconds)."""
    path = folder / "random-1b-q4-k-m.gguf"
    if path.exists():
        return path
    folder.mkdir(parents=True, exist_ok=True)
    print(f"writing {path.name} (0.77 GB)", file=sys.stderr)
    half_written = path.with_suffix(".part")
    _write(half_written)
    half_written.rename(path)
    return path


def _write(path: Path) -> None:
    rng = np.random.default_rng(0)
    writer = gguf.GGUFWriter(path, "llama")
    _describe(writer)
    ones = np.ones(WIDTH, np.float32)
    writer.add_tensor(
        "token_embd.weight", _q6_k(rng, VOCABULARY, WIDTH), raw_dtype=Kind.Q6_K
    )
    writer.add_tensor("output_norm.weight", ones)
    sizes = {
        "attn_q": (WIDTH, WIDTH),
        "attn_k": (KV_WIDTH, WIDTH),
        "attn_v": (KV_WIDTH, WIDTH),
        "attn_output": (WIDTH, WIDTH),
        "ffn_gate": (INNER, WIDTH),
        "ffn_up": (INNER, WIDTH),
        "ffn_down": (WIDTH, INNER),
    }
    for layer in range(LAYERS):
        writer.add_tensor(f"blk.{layer}.attn_norm.weight", ones)
        writer.add_tensor(f"blk.{layer}.ffn_norm.weight", ones)
        for name, (rows, columns) in sizes.items():
            blocks = _q4_k(rng, rows, columns)
            key = f"blk.{layer}.{name}.weight"
            writer.add_tensor(key, blocks, raw_dtype=Kind.Q4_K)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _describe(writer: gguf.GGUFWriter) -> None:
    tokenizer = train()
    fillers = [f"w{number}" for number in range(VOCABULARY - len(tokenizer.tokens))]
    tokens = [*tokenizer.tokens, *fillers]
    kinds = [
        gguf.TokenType.CONTROL if token in SPECIAL else gguf.TokenType.NORMAL
        for token in tokens
    ]
    writer.add_name("Random 1B")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_rope_dimension_count(WIDTH // HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_K_M)
    writer.add_vocab_size(VOCABULARY)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("llama-bpe")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(tokenizer.merges)
    writer.add_bos_token_id(SPECIAL.index(END_OF_TEXT))
    writer.add_eos_token_id(SPECIAL.index(TURN_END))
    writer.add_add_bos_token(value=False)
    writer.add_chat_template(CHAT_TEMPLATE)


def _q4_k(rng: np.random.Generator, rows: int, columns: int) -> NDArray[np.uint8]:
    blocks = rng.integers(
        0, 256, (rows, columns // _BLOCK, _Q4_K_BYTES), dtype=np.uint8
    )
    blocks[:, :, 0:2] = _STEP
    blocks[:, :, 2:4] = _STEP
    return blocks.reshape(rows, -1)


def _q6_k(rng: np.random.Generator, rows: int, columns: int) -> NDArray[np.uint8]:
    blocks = rng.integers(
        0, 256, (rows, columns // _BLOCK, _Q6_K_BYTES), dtype=np.uint8
    )
    blocks[:, :, 208:210] = _STEP
    return blocks.reshape(rows, -1)


if __name__ == "__main__":
    print(llama_1b())
