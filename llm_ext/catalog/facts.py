"""From a file's header to what is said of a model."""

from collections import Counter
from collections.abc import Sequence

from llm_ext.core.memory_kind import MemoryKind
from llm_ext.core.model_facts import LayerFacts, ModelFacts
from llm_ext.errors import ModelUnreadableError

from .architectures import HYBRID, RECURRENT
from .capabilities import capabilities, has_chat_template, is_generator
from .gguf import Header, Tensor
from .layers import layer_facts, other_weights, output_weights
from .metadata import MAX_LAYERS, MAX_NUMBER, Metadata
from .tensor_type import file_type_name
from .window import window

_LONGEST_NAME = 200
_LONGEST_LICENSE = 64


def model_facts(headers: Sequence[Header]) -> ModelFacts:
    """Return what the headers of a model's files say; the first has the metadata.

    Raises:
        ModelUnreadableError: They hold no model, or lack what llama.cpp must know.
    """
    metadata = Metadata(headers[0].metadata)
    tensors = [tensor for header in headers for tensor in header.tensors]
    if not metadata.architecture or not tensors:
        raise ModelUnreadableError(
            "It holds no model: its metadata or its tensors are missing. Download "
            "another conversion of the model."
        )
    layers = metadata.required("%s.block_count", most=MAX_LAYERS)
    trunk = layers - min(metadata.number("%s.nextn_predict_layers"), layers)
    seen = window(metadata, layers, trunk)
    each = layer_facts(metadata, tensors, seen, layers=layers, trunk=trunk)
    _check(each)
    return ModelFacts(
        architecture=metadata.architecture,
        name=metadata.text("general.name")[:_LONGEST_NAME],
        parameters=sum(tensor.values for tensor in tensors),
        quantization=_quantization(metadata, tensors),
        trained_context=metadata.required("%s.context_length"),
        embedding_width=metadata.required("%s.embedding_length"),
        feed_forward_width=_feed_forward_width(metadata, layers),
        heads=max(metadata.per_layer("%s.attention.head_count", layers, [0])),
        vocabulary=_vocabulary(metadata),
        memory_kind=_memory_kind(metadata, seen.size),
        window=seen.size,
        layers=each,
        other_weights=other_weights(tensors, layers),
        output_weights=output_weights(tensors, shared=is_generator(metadata)),
        capabilities=capabilities(metadata, {tensor.name for tensor in tensors}),
        chat_template=has_chat_template(metadata),
        license=_license(metadata),
    )


def _check(layers: Sequence[LayerFacts]) -> None:
    """Raise unless layers are as wide as llama.cpp can make them.

    Their widths are products of numbers of the file, each of which may be large.
    """
    widest = max(max(one.key_width, one.value_width, one.state) for one in layers)
    if widest > MAX_NUMBER:
        raise ModelUnreadableError(
            f"Its metadata is damaged: a layer would keep {widest} values, more than "
            f"llama.cpp can count. Download another conversion of the model."
        )


def _quantization(metadata: Metadata, tensors: Sequence[Tensor]) -> str:
    if "general.file_type" in metadata:
        name = file_type_name(metadata.number("general.file_type"))
        if name is not None:
            return name
    values: Counter[str] = Counter()
    for tensor in tensors:
        values[tensor.kind.name] += tensor.values
    return values.most_common(1)[0][0]


def _feed_forward_width(metadata: Metadata, layers: int) -> int:
    widths = metadata.per_layer("%s.feed_forward_length", layers, [0])
    experts = metadata.per_layer("%s.expert_feed_forward_length", layers, [0])
    return max(*widths, *experts)


def _vocabulary(metadata: Metadata) -> int:
    return metadata.length("tokenizer.ggml.tokens") or metadata.number("%s.vocab_size")


def _memory_kind(metadata: Metadata, window_size: int) -> MemoryKind:
    if metadata.architecture in HYBRID:
        return "hybrid"
    if metadata.architecture in RECURRENT:
        return "recurrent"
    return "window" if window_size > 0 else "attention"


def _license(metadata: Metadata) -> str:
    name = metadata.text("general.license").strip()
    # Some files carry the whole text.
    return name if len(name) <= _LONGEST_LICENSE and "\n" not in name else ""
