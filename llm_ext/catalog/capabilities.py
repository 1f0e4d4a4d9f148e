"""What a model can be asked for, as its file tells."""

import re
from collections.abc import Collection

from llm_ext.core.model_facts import Capability

from .architectures import DIFFUSION, ENCODERS, UNSERVED
from .metadata import Metadata

_TEMPLATE = "tokenizer.chat_template"
_TOKENS = "tokenizer.ggml.tokens"

_RANK = 4
_VECTORS = (1, 2, 3)
"""Of llama.cpp's ``enum llama_pooling_type``: rank; mean, first and last token."""

_HEADS = ("cls.weight", "cls.output.weight")
"""A reranker has one of these tensors."""

_TOOLS = re.compile(r"\btools\b")
_THINKING = ("<think>", "enable_thinking", "<|channel|>", "[THINK]", "<seed:think>")
"""What templates of models that think before they answer mention."""

_INFILL = (
    (
        ("tokenizer.ggml.fim_pre_token_id", "tokenizer.ggml.prefix_token_id"),
        (
            "<|fim_prefix|>",
            "<fim-prefix>",
            "<fim_prefix>",
            "<｜fim▁begin｜>",  # noqa: RUF001 - DeepSeek's own marks
            "<PRE>",
            "▁<PRE>",
            "<|code_prefix|>",
            "<|prefix|>",
        ),
    ),
    (
        ("tokenizer.ggml.fim_suf_token_id", "tokenizer.ggml.suffix_token_id"),
        (
            "<|fim_suffix|>",
            "<fim-suffix>",
            "<fim_suffix>",
            "<｜fim▁hole｜>",  # noqa: RUF001 - DeepSeek's own marks
            "<SUF>",
            "▁<SUF>",
            "<|code_suffix|>",
            "<|suffix|>",
        ),
    ),
    (
        ("tokenizer.ggml.fim_mid_token_id", "tokenizer.ggml.middle_token_id"),
        (
            "<|fim_middle|>",
            "<fim-middle>",
            "<fim_middle>",
            "<｜fim▁end｜>",  # noqa: RUF001 - DeepSeek's own marks
            "<MID>",
            "▁<MID>",
            "<|code_middle|>",
            "<|middle|>",
        ),
    ),
)
"""The keys and the tokens by which llama.cpp knows what is around a gap to fill."""


def has_chat_template(metadata: Metadata) -> bool:
    """Whether the file carries a template for conversations."""
    return bool(metadata.text(_TEMPLATE))


def is_generator(metadata: Metadata) -> bool:
    """Whether it writes text token by token."""
    return (
        metadata.architecture not in ENCODERS | DIFFUSION | UNSERVED
        and metadata.number("%s.pooling_type") == 0
        and metadata.truth("%s.attention.causal", default=True)
    )


def capabilities(
    metadata: Metadata, tensors: Collection[str]
) -> tuple[Capability, ...]:
    """Return what can be asked for; ``tensors`` are the names in the file.

    Seeing is no matter of this file alone: its projector lies in another.
    """
    if is_generator(metadata):
        return _of_generator(metadata)
    if metadata.architecture in DIFFUSION | UNSERVED:
        return ()
    pooling = metadata.number("%s.pooling_type")
    if pooling == _RANK:
        return ("rerank",) if any(head in tensors for head in _HEADS) else ()
    # One that sees both ways was made for vectors, whether or not it says how to pool.
    return ("embedding",)


def _of_generator(metadata: Metadata) -> tuple[Capability, ...]:
    found: list[Capability] = ["completion"]
    template = metadata.text(_TEMPLATE)
    if template:
        found.insert(0, "chat")
    if _TOOLS.search(template):
        found.append("tools")
    if any(mark in template for mark in _THINKING):
        found.append("thinking")
    if _fills_gaps(metadata):
        found.append("infill")
    return tuple(found)


def _fills_gaps(metadata: Metadata) -> bool:
    return all(
        any(key in metadata for key in keys)
        or any(metadata.has_text(_TOKENS, token) for token in tokens)
        for keys, tokens in _INFILL
    )
