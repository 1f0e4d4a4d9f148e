"""Writes the trained model as a GGUF file, in 16 bits and then in 8."""

import ctypes
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import gguf
import llama_cpp
import numpy as np
from torch import Tensor

from .model import Guide, Shape
from .template import CHAT_TEMPLATE
from .tokenizer import (
    END_OF_TEXT,
    FIM_MIDDLE,
    FIM_PAD,
    FIM_PREFIX,
    FIM_SUFFIX,
    PRE_TOKENIZER,
    SPECIAL,
    TAGS,
    TURN_END,
    GuideTokenizer,
)

DESCRIPTION = (
    "A tiny demo model: greets, adds, remembers, explains this extension, writes "
    "short snippets, fills gaps in code and calls tools."
)

_TENSORS = {
    "embedding": "token_embd",
    "norm": "output_norm",
    "attention_norm": "attn_norm",
    "attention.q": "attn_q",
    "attention.k": "attn_k",
    "attention.v": "attn_v",
    "attention.output": "attn_output",
    "feed_forward_norm": "ffn_norm",
    "feed_forward.gate": "ffn_gate",
    "feed_forward.up": "ffn_up",
    "feed_forward.down": "ffn_down",
}

_FIM = {
    gguf.Keys.Tokenizer.FIM_PRE_ID: FIM_PREFIX,
    gguf.Keys.Tokenizer.FIM_SUF_ID: FIM_SUFFIX,
    gguf.Keys.Tokenizer.FIM_MID_ID: FIM_MIDDLE,
    gguf.Keys.Tokenizer.FIM_PAD_ID: FIM_PAD,
}


def export(model: Guide, tokenizer: GuideTokenizer, path: Path) -> None:
    """Write the model to ``path`` with weights of 8 bits (Q8_0)."""
    with TemporaryDirectory() as folder:
        full = Path(folder) / "full.gguf"
        export_full(model, tokenizer, full)
        quantize(full, path)


def export_full(model: Guide, tokenizer: GuideTokenizer, path: Path) -> None:
    """Write the model to ``path`` with weights of 16 bits."""
    writer = gguf.GGUFWriter(path, "llama")
    _describe(writer, model.shape)
    _describe_tokenizer(writer, tokenizer)
    _add_tensors(writer, model.state_dict())
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def quantize(source: Path, target: Path) -> None:
    """Write ``source`` with weights of 8 bits to ``target``.

    Raises:
        RuntimeError: llama.cpp refuses the file.
    """
    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype = llama_cpp.LLAMA_FTYPE_MOSTLY_Q8_0
    target.parent.mkdir(parents=True, exist_ok=True)
    code = llama_cpp.llama_model_quantize(
        str(source).encode(), str(target).encode(), ctypes.byref(params)
    )
    if code:
        raise RuntimeError(f"llama.cpp cannot quantise the model: code {code}.")


def tensor_name(name: str) -> str:
    """Return llama.cpp's name of a parameter of :class:`Guide`."""
    block, _, weight = name.removeprefix("blocks.").partition(".")
    if name.startswith("blocks."):
        return f"blk.{block}.{_TENSORS[weight.removesuffix('.weight')]}.weight"
    return f"{_TENSORS[name.removesuffix('.weight')]}.weight"


def _add_tensors(writer: gguf.GGUFWriter, state: Mapping[str, Tensor]) -> None:
    """Add the weights; without an output matrix, llama.cpp takes the embedding's."""
    for name, weight in state.items():
        values = weight.numpy().astype(np.float32)
        flat = values.ndim == 1
        writer.add_tensor(
            tensor_name(name), values if flat else values.astype(np.float16)
        )


def _describe(writer: gguf.GGUFWriter, shape: Shape) -> None:
    writer.add_name("Guide")
    writer.add_description(DESCRIPTION)
    writer.add_license("BSD-3-Clause")
    writer.add_languages(["en"])
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_rope_dimension_count(shape.head)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_layer_norm_rms_eps(shape.epsilon)
    writer.add_vocab_size(shape.vocabulary)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    # A model this small should say what it is surest of.
    writer.add_float32(gguf.Keys.General.SAMPLING_TEMP, 0.0)


def _describe_tokenizer(writer: gguf.GGUFWriter, tokenizer: GuideTokenizer) -> None:
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(PRE_TOKENIZER)
    writer.add_token_list(tokenizer.tokens)
    writer.add_token_types([_kind(token) for token in tokenizer.tokens])
    writer.add_token_merges(tokenizer.merges)
    writer.add_bos_token_id(tokenizer.index(END_OF_TEXT))
    writer.add_eos_token_id(tokenizer.index(TURN_END))
    writer.add_eot_token_id(tokenizer.index(TURN_END))
    writer.add_pad_token_id(tokenizer.index(END_OF_TEXT))
    for key, token in _FIM.items():
        writer.add_uint32(key, tokenizer.index(token))
    writer.add_add_bos_token(value=False)
    writer.add_add_space_prefix(value=False)
    writer.add_chat_template(CHAT_TEMPLATE)


def _kind(token: str) -> gguf.TokenType:
    if token in SPECIAL:
        return gguf.TokenType.CONTROL
    if token in TAGS:
        return gguf.TokenType.USER_DEFINED
    return gguf.TokenType.NORMAL
