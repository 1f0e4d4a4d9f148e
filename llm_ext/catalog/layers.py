"""What each layer takes: of weights, and for each token and sequence that it reads."""

import re
from collections import Counter
from collections.abc import Iterable

from llm_ext.core.model_facts import LayerFacts

from .architectures import WITHOUT_CACHE
from .gguf import Tensor
from .metadata import Metadata
from .recurrence import roles, state_size
from .window import Window

_BLOCK = re.compile(r"(?:enc\.|dec\.)?blk\.(\d{1,4})\.")
_OUTPUT = re.compile(r"output(_norm)?\.|cls\.|dense_\d\.")
_TOKENS = "token_embd.weight"


def layer_facts(
    metadata: Metadata,
    tensors: Iterable[Tensor],
    window: Window,
    *,
    layers: int,
    trunk: int,
) -> tuple[LayerFacts, ...]:
    """Return one for each of so many layers; ``trunk`` of them are the model's own."""
    weights = _weights(tensors)
    heads = metadata.per_layer("%s.attention.head_count", layers, [0] * layers)
    kv_heads = metadata.per_layer("%s.attention.head_count_kv", layers, heads)
    widths = metadata.per_layer("%s.feed_forward_length", layers, [0] * layers)
    kept = roles(metadata, trunk, kv_heads, widths)
    state = state_size(metadata)
    facts = []
    for at, role in enumerate(kept):
        attends = role.attends and _has_keys(metadata, at, layers)
        key, value = _head_widths(metadata, heads[0], windowed=window.layers[at])
        facts.append(
            LayerFacts(
                weights=weights[at],
                key_width=attends * (key * kv_heads[at] + _index_width(metadata)),
                value_width=attends * value * kv_heads[at],
                window=window.layers[at],
                state=role.recurs * state,
            )
        )
    return tuple(facts)


def other_weights(tensors: Iterable[Tensor], layers: int) -> int:
    """Return the bytes of all tensors outside of so many layers."""
    inside = _weights(tensors)
    everything = sum(tensor.bytes for tensor in tensors)
    return everything - sum(inside[at] for at in range(layers))


def output_weights(tensors: Iterable[Tensor], *, shared: bool) -> int:
    """Return the bytes of what is behind the last layer.

    ``shared`` says whether a model without an output matrix of its own takes that of
    the token embeddings.
    """
    own = {tensor.name: tensor.bytes for tensor in tensors}
    output = sum(size for name, size in own.items() if _OUTPUT.match(name))
    if shared and "output.weight" not in own:
        output += own.get(_TOKENS, 0)
    return output


def _weights(tensors: Iterable[Tensor]) -> Counter[int]:
    weights: Counter[int] = Counter()
    for tensor in tensors:
        if match := _BLOCK.match(tensor.name):
            weights[int(match[1])] += tensor.bytes
    return weights


def _has_keys(metadata: Metadata, layer: int, layers: int) -> bool:
    """Whether a layer that attends keeps keys of its own; others take an earlier's."""
    if metadata.architecture in WITHOUT_CACHE:
        return False
    if metadata.architecture == "gemma3n":
        return layer < 20  # noqa: PLR2004 - llama.cpp's figure; the file has none
    if metadata.architecture == "gemma4":
        return layer < layers - metadata.number("%s.attention.shared_kv_layers")
    return True


def _head_widths(metadata: Metadata, heads: int, *, windowed: bool) -> tuple[int, int]:
    """Return the values of one head's key, and of its value."""
    if heads == 0:
        return 0, 0
    usual = metadata.number("%s.embedding_length") // heads
    key = metadata.number("%s.attention.key_length", usual)
    value = metadata.number("%s.attention.value_length", usual)
    if windowed:
        key = metadata.number("%s.attention.key_length_swa", key)
        value = metadata.number("%s.attention.value_length_swa", value)
    if metadata.number("%s.attention.key_length_mla"):
        value = 0  # its values are computed from what is kept as the key
    return key, value


def _index_width(metadata: Metadata) -> int:
    """Return the values kept beside a key to choose what to attend to."""
    return metadata.number("%s.attention.indexer.key_length")
