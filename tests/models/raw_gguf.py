"""Writes GGUF files byte by byte: many of them fast, and such as no library would.

The tensors' data are zeros; llama.cpp loads none of these files.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

Scalar: TypeAlias = bool | int | float | str
Value: TypeAlias = "Scalar | Sequence[Scalar] | Typed"

U8, U32, I32, F32, BOOL, TEXT, ARRAY = 0, 4, 5, 6, 7, 8, 9
_LAYOUTS = {U8: "B", U32: "I", I32: "i", F32: "f", BOOL: "?"}
_ALIGNMENT = 32

F16_TENSOR, Q4_K_TENSOR = 1, 12


@dataclass(frozen=True)
class Typed:
    """A value whose kind is given: numbers are of 32 bits without a sign otherwise."""

    kind: int
    value: Scalar | Sequence[Scalar]


@dataclass(frozen=True)
class RawTensor:
    """A row of the table of tensors; ``size`` is the bytes of its data."""

    name: str
    shape: Sequence[int] = (32,)
    kind: int = F16_TENSOR
    size: int = 64


def llama(*, layers: int = 2) -> dict[str, Value]:
    """Return the least metadata of a Llama."""
    return {
        "general.architecture": "llama",
        "llama.block_count": layers,
        "llama.context_length": 2048,
        "llama.embedding_length": 64,
        "llama.attention.head_count": 4,
        "llama.attention.head_count_kv": 2,
        "tokenizer.ggml.tokens": ["a", "b", "c"],
    }


TENSORS = (
    RawTensor("token_embd.weight"),
    RawTensor("blk.0.attn_q.weight"),
    RawTensor("blk.1.attn_q.weight"),
    RawTensor("output.weight"),
)


def raw(
    values: Mapping[str, Value],
    tensors: Sequence[RawTensor] = TENSORS,
    *,
    version: int = 3,
    counts: tuple[int, int] | None = None,
) -> bytes:
    """Return a whole file; ``counts`` of tensors and pairs are claimed if given."""
    claimed = counts or (len(tensors), len(values))
    head = struct.pack("<4sIQQ", b"GGUF", version, *claimed)
    head += b"".join(text(key) + _pair(value) for key, value in values.items())
    offset = 0
    for tensor in tensors:
        shape = struct.pack(f"<I{len(tensor.shape)}Q", len(tensor.shape), *tensor.shape)
        place = struct.pack("<IQ", tensor.kind, offset)
        head += text(tensor.name) + shape + place
        offset += -(-tensor.size // _ALIGNMENT) * _ALIGNMENT
    return head + bytes(-len(head) % _ALIGNMENT + offset)


def write(
    path: Path,
    values: Mapping[str, Value] | None = None,
    tensors: Sequence[RawTensor] = TENSORS,
) -> Path:
    """Write a file, of a small Llama by default, and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw(llama() if values is None else values, tensors))
    return path


def write_vocabulary(path: Path, size: int) -> Path:
    """Write a Llama whose vocabulary is as large as those of today's models."""
    tokens = [f"token{number:07}" for number in range(size)]
    merges = [f"tok{number:05} en{number:05}" for number in range(2 * size)]
    return write(
        path,
        {
            **llama(),
            "tokenizer.ggml.tokens": tokens,
            "tokenizer.ggml.scores": Typed(F32, [float(n) for n in range(size)]),
            "tokenizer.ggml.token_type": Typed(I32, [1] * size),
            "tokenizer.ggml.merges": merges,
            "tokenizer.chat_template": "{{ messages }}",
        },
    )


def text(value: str) -> bytes:
    """Return a string as GGUF has it."""
    encoded = value.encode()
    return struct.pack("<Q", len(encoded)) + encoded


def _pair(value: Value) -> bytes:
    plain = value.value if isinstance(value, Typed) else value
    kind = value.kind if isinstance(value, Typed) else _kind(value)
    if isinstance(plain, str) or not isinstance(plain, Sequence):
        return struct.pack("<I", kind) + _item(kind, plain)
    head = struct.pack("<IIQ", ARRAY, kind, len(plain))
    return head + b"".join(_item(kind, item) for item in plain)


def _kind(value: Scalar | Sequence[Scalar]) -> int:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _kind(value[0]) if value else U32
    return {bool: BOOL, int: U32, float: F32, str: TEXT}[type(value)]


def _item(kind: int, value: Scalar) -> bytes:
    if isinstance(value, str):
        return text(value)
    return struct.pack(f"<{_LAYOUTS[kind]}", value)
